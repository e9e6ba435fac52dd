"""Text in a shape that the codec does not know: found, then removed or counted, as the policy says.

A field is unknown when its key, or the type of its value, is none that the codec scans or knows to carry no model
text. Numbers, booleans, nulls and empty strings are no text. Never a silent pass: what is removed is named by its
path, what passes is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

TEXT_KEYS = ("reasoning_content", "reasoning", "content", "refusal")
"""The text channels of a delta or message, in the order in which they are taken out of one event."""

ROLES = frozenset({"assistant", "system", "user", "tool", "developer", "function", "model"})

PASSED = frozenset({"id", "object", "created", "model", "system_fingerprint", "service_tier", "provider"})
"""Top-level keys whose scalar values pass: the server's names for itself and the response. `provider` is OpenRouter's
name of the company that answered, which may hold spaces."""

CHOICE_PASSED = frozenset(
    {
        "index",
        "native_finish_reason",  # OpenRouter: the provider's own word for it
        "stop_reason",  # vLLM: the stop string or token id that ended it, which is the client's own
        "matched_stop",  # SGLang: the same
        "content_filter_results",  # Azure: categories, severities, and the sources of protected material
        "content_filter_result",
        "content_filter_offsets",
        "prompt_logprobs",  # vLLM: see `logprobs`
    }
)
"""Keys of a choice whose value passes when no rule would remove anything from its strings."""

DEBUG = frozenset({"__verbose"})
"""llama.cpp: what it was asked and what it answers, once more. Always text."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")

PROSE_LENGTH = 64
"""Characters. A string that is longer, holds white space or is not ASCII may be text; labels and ids are none of it."""

_CALLS = frozenset({"tool_calls", "function_call"})
_MORE = frozenset({"reasoning_details", "annotations", "audio"})
"""Of a message: see `openai_chat_delta`."""


def strings(value: object) -> Iterator[tuple[str, bool]]:
    """Every string in a JSON value, at any depth, with whether it is a key."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item, False
        elif isinstance(item, dict):
            for key in item:
                yield key, True
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def is_prose(text: str) -> bool:
    return len(text) > PROSE_LENGTH or not text.isascii() or (bool(text) and text.split() != [text])


def is_opaque(value: object) -> bool:
    """Whether a value is nothing but characters of base64 (either alphabet): what only the server that sent it can
    read, and gets back."""
    return isinstance(value, str) and _BASE64.fullmatch(value) is not None


class Unknown:
    """What one event or body held that is unknown."""

    __slots__ = ("_block", "blocked", "passed")

    def __init__(self, block: bool) -> None:
        self._block = block
        self.blocked: list[str] = []
        """Paths of the fields removed."""
        self.passed = 0
        """Code points let through."""

    def removes(self, path: str, key: str, value: object, *, prose: bool = False) -> bool:
        """Whether `value`, found under an unknown `key`, has to go: when any string in it is not empty (`prose`: when
        one may be text), or any key may be text."""
        size = sum(len(s) for s, is_key in strings(value) if (is_prose(s) if prose or is_key else s))
        if is_prose(key):
            size += len(key)
        if size and self._block:
            self.blocked.append(f"{path}.{'?' if is_prose(key) else key}".lstrip("."))
            return True
        self.passed += size
        return False

    def strip(self, path: str, value: dict[str, Any], known: frozenset[str], *, prose: bool = False) -> None:
        """Remove the unknown keys of `value` that have to go."""
        for key in [key for key in value if key not in known]:
            if self.removes(path, key, value[key], prose=prose):
                del value[key]

    def strip_unclean(
        self, path: str, value: dict[str, Any], keys: Iterable[str], clean: Callable[[str], bool]
    ) -> None:
        """Remove those of the keys in whose strings a rule would remove something (`clean` says of a text that none
        would), whatever is done with unknown text."""
        for key in [key for key in keys if value.get(key) is not None]:
            said = "\n".join(text for text, _ in strings(value[key]) if text)
            if said and not clean(said):
                del value[key]
                self.blocked.append(f"{path}.{key}".lstrip("."))

    def strip_top(self, value: dict[str, Any]) -> list[dict[str, Any]]:
        """Clean the top level of an event or body; its choices that are objects."""
        for key in DEBUG & value.keys():
            if self.removes("", key, value[key]):
                del value[key]
        self.strip("", value, PASSED | DEBUG | {"choices", "prompt_logprobs"}, prose=True)
        for key in PASSED & value.keys():
            if isinstance(value[key], dict | list) and self.removes("", key, value[key]):
                del value[key]
        choices = value.get("choices")
        if isinstance(choices, list):
            value["choices"] = [c for c in choices if isinstance(c, dict) or not self.removes("", "choices[]", c)]
            return [choice for choice in choices if isinstance(choice, dict)]
        if choices is not None and self.removes("", "choices", choices):
            del value["choices"]
        return []

    def strip_choice(self, choice: dict[str, Any], message: str) -> dict[str, Any]:
        """Clean a choice and its `message` (the key: "delta" or "message"), which is returned ({} for none)."""
        self.strip("choices[]", choice, CHOICE_PASSED | {message, "text", "finish_reason", "logprobs", "token_ids"})
        self._strip_texts("choices[]", choice, ("text",))
        if "token_ids" in choice and self.removes("choices[]", "token_ids", choice["token_ids"]):
            del choice["token_ids"]
        reason = choice.get("finish_reason")
        if reason and (not isinstance(reason, str) or is_prose(reason)):
            # No word that a client could know; but that the choice has ended must still be said.
            choice["finish_reason"] = "stop"
            self.blocked.append("choices[].finish_reason")
        found = choice.get(message)
        if isinstance(found, dict):
            self._strip_message(f"choices[].{message}", found)
            return found
        if found is not None and self.removes("choices[]", message, found):
            choice[message] = {}
        return {}

    def _strip_message(self, path: str, message: dict[str, Any]) -> None:
        self.strip(path, message, _CALLS | _MORE | {"role", *TEXT_KEYS})
        role = message.get("role")
        if role is not None and not (isinstance(role, str) and role in ROLES) and self.removes(path, "role", role):
            del message["role"]
        parts = message.get("content")
        if isinstance(parts, list):
            message["content"] = [part for part in parts if self._strip_part(f"{path}.content[]", part)]
        self._strip_texts(path, message, [key for key in TEXT_KEYS if key != "content" or not isinstance(parts, list)])
        self._strip_list(path, message, "tool_calls", self._strip_call)
        self._strip_function(path, message, "function_call")
        self._strip_list(path, message, "reasoning_details", self._strip_detail)
        self._strip_list(path, message, "annotations", lambda path, entry: True)
        audio = message.get("audio")
        if isinstance(audio, dict):
            self.strip(f"{path}.audio", audio, frozenset({"id", "transcript"}))
            self._strip_labels(f"{path}.audio", audio, ("id",))
            self._strip_texts(f"{path}.audio", audio, ("transcript",))
        elif audio is not None and self.removes(path, "audio", audio):
            del message["audio"]

    def _strip_list(self, path: str, message: dict[str, Any], key: str, stays: Callable[[str, object], bool]) -> None:
        """Clean the entries of a list by what says whether one may stay."""
        found = message.get(key)
        if isinstance(found, list):
            message[key] = [entry for entry in found if stays(f"{path}.{key}[]", entry)]
        elif found is not None and self.removes(path, key, found):
            del message[key]

    def _strip_part(self, path: str, part: object) -> bool:
        """Clean one part of a content; whether it may stay."""
        if not isinstance(part, dict):
            return not self.removes(path, "", part)
        self.strip(path, part, frozenset({"type", "text", "thinking"}))
        self._strip_labels(path, part, ("type",))
        self._strip_texts(path, part, ("text",))
        self._strip_list(path, part, "thinking", self._strip_thought)
        return True

    def _strip_thought(self, path: str, thought: object) -> bool:
        """Clean one part of a part of thinking (Mistral); whether it may stay."""
        if not isinstance(thought, dict):
            return not self.removes(path, "", thought)
        self.strip(path, thought, frozenset({"type", "text"}))
        self._strip_labels(path, thought, ("type",))
        self._strip_texts(path, thought, ("text",))
        return True

    def _strip_detail(self, path: str, detail: object) -> bool:
        """Clean one of OpenRouter's `reasoning_details`; whether it may stay."""
        if not isinstance(detail, dict):
            return not self.removes(path, "", detail)
        labels, sealed = ("type", "format", "id"), ("signature", "data")
        self.strip(path, detail, frozenset({*labels, *sealed, "text", "summary"}))
        self._strip_labels(path, detail, labels)
        self._strip_texts(path, detail, ("text", "summary"))
        for key in sealed:
            found = detail.get(key)
            if found is not None and not is_opaque(found) and self.removes(path, key, found):
                del detail[key]
        return True

    def _strip_labels(self, path: str, value: dict[str, Any], keys: Iterable[str]) -> None:
        """Ids and kinds are not scanned (a random id may look like a secret), so they must look like it."""
        for key in keys:
            if key in value and self.removes(path, key, value[key], prose=True):
                del value[key]

    def _strip_texts(self, path: str, value: dict[str, Any], keys: Iterable[str]) -> None:
        for key in keys:
            text = value.get(key)
            if text is not None and not isinstance(text, str) and self.removes(path, key, text):
                del value[key]

    def _strip_call(self, path: str, call: object) -> bool:
        """Clean one tool call; whether it may stay."""
        if not isinstance(call, dict):
            return not self.removes(path, "", call)
        self.strip(path, call, frozenset({"index", "id", "type", "function"}))
        self._strip_labels(path, call, ("id", "type"))
        self._strip_function(path, call, "function")
        return True

    def _strip_function(self, path: str, owner: dict[str, Any], key: str) -> None:
        function = owner.get(key)
        if isinstance(function, dict):
            self.strip(f"{path}.{key}", function, frozenset({"name", "arguments"}))
            self._strip_texts(f"{path}.{key}", function, ("name", "arguments"))
        elif function is not None and self.removes(path, key, function):
            del owner[key]
