"""Text in a shape that the codec does not know: found, then removed or counted, as the policy says.

A field is unknown when its key, or the type of its value, is none that the codec scans or knows to carry no model
text. Numbers, booleans, nulls and empty strings are no text. Never a silent pass: what is removed is named by its
path, what passes is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    }
)
"""Keys of a choice whose value passes."""

PROSE_LENGTH = 64
"""Characters. A string that is longer, holds white space or is not ASCII may be text; labels and ids are none of it."""

_CALLS = frozenset({"tool_calls", "function_call"})


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

    def strip_top(self, value: dict[str, Any]) -> list[dict[str, Any]]:
        """Clean the top level of an event or body; its choices that are objects."""
        self.strip("", value, PASSED | {"choices"}, prose=True)
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

    def strip_choice(self, choice: dict[str, Any], message: str, *, parts: bool = False) -> dict[str, Any]:
        """Clean a choice and its `message` (the key: "delta" or "message"), which is returned ({} for none). `parts`:
        its content may be a list of `{"type", "text"}`."""
        self.strip("choices[]", choice, CHOICE_PASSED | {message, "text", "finish_reason", "logprobs"})
        self._strip_texts("choices[]", choice, ("text",))
        found = choice.get(message)
        if isinstance(found, dict):
            path = f"choices[].{message}"
            content = found.pop("content", None) if parts and isinstance(found.get("content"), list) else None
            self._strip_message(path, found)
            if content is not None:
                found["content"] = [part for part in content if self._strip_part(f"{path}.content[]", part)]
            return found
        if found is not None and self.removes("choices[]", message, found):
            choice[message] = {}
        return {}

    def _strip_message(self, path: str, message: dict[str, Any]) -> None:
        self.strip(path, message, _CALLS | {"role", *TEXT_KEYS})
        role = message.get("role")
        if role is not None and not (isinstance(role, str) and role in ROLES) and self.removes(path, "role", role):
            del message["role"]
        self._strip_texts(path, message, TEXT_KEYS)
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            message["tool_calls"] = [c for c in calls if self._strip_call(f"{path}.tool_calls[]", c)]
        elif calls is not None and self.removes(path, "tool_calls", calls):
            del message["tool_calls"]
        self._strip_function(path, message, "function_call")

    def _strip_part(self, path: str, part: object) -> bool:
        """Clean one part of a content; whether it may stay."""
        if not isinstance(part, dict):
            return not self.removes(path, "", part)
        self.strip(path, part, frozenset({"type", "text"}))
        if self.removes(path, "type", part.get("type"), prose=True):
            del part["type"]
        self._strip_texts(path, part, ("text",))
        return True

    def _strip_texts(self, path: str, value: dict[str, Any], keys: tuple[str, ...]) -> None:
        for key in keys:
            text = value.get(key)
            if text is not None and not isinstance(text, str) and self.removes(path, key, text):
                del value[key]

    def _strip_call(self, path: str, call: object) -> bool:
        """Clean one tool call; whether it may stay."""
        if not isinstance(call, dict):
            return not self.removes(path, "", call)
        self.strip(path, call, frozenset({"index", "id", "type", "function"}))
        for key in ("id", "type"):
            # Ids are not scanned (a random one may look like a secret), so they must look like ids.
            if key in call and self.removes(path, key, call[key], prose=True):
                del call[key]
        self._strip_function(path, call, "function")
        return True

    def _strip_function(self, path: str, owner: dict[str, Any], key: str) -> None:
        function = owner.get(key)
        if isinstance(function, dict):
            self.strip(f"{path}.{key}", function, frozenset({"name", "arguments"}))
            self._strip_texts(f"{path}.{key}", function, ("name", "arguments"))
        elif function is not None and self.removes(path, key, function):
            del owner[key]
