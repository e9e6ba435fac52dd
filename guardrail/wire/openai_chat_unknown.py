"""Text in a Chat Completions event or body in a shape that the codec does not know: removed or counted, as the policy
says.

For deltas and messages alike, and for legacy Completions. See `unknown_text` for what counts as text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guardrail.wire.unknown_text import PASSED, ROLES, Unknown, is_opaque, is_prose

TEXT_KEYS = ("reasoning_content", "reasoning", "content", "refusal")
"""The text channels of a delta or message, in the order in which they are taken out of one event."""

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

_CALLS = frozenset({"tool_calls", "function_call"})
_MORE = frozenset({"reasoning_details", "annotations", "audio"})
"""Of a message: see `openai_chat_delta`."""

Stays = Callable[[Unknown, str, object], bool]
"""(unknown, path, entry) -> whether an entry of a list may stay, once it is clean."""


def strip_top(unknown: Unknown, value: dict[str, Any]) -> list[dict[str, Any]]:
    """Clean the top level of an event or body; its choices that are objects."""
    for key in DEBUG & value.keys():
        if unknown.removes("", key, value[key]):
            del value[key]
    unknown.strip("", value, PASSED | DEBUG | {"choices", "prompt_logprobs"}, prose=True)
    for key in PASSED & value.keys():
        if isinstance(value[key], dict | list) and unknown.removes("", key, value[key]):
            del value[key]
    choices = value.get("choices")
    if isinstance(choices, list):
        value["choices"] = [c for c in choices if isinstance(c, dict) or not unknown.removes("", "choices[]", c)]
        return [choice for choice in choices if isinstance(choice, dict)]
    if choices is not None and unknown.removes("", "choices", choices):
        del value["choices"]
    return []


def strip_choice(unknown: Unknown, choice: dict[str, Any], message: str) -> dict[str, Any]:
    """Clean a choice and its `message` (the key: "delta" or "message"), which is returned ({} for none)."""
    unknown.strip("choices[]", choice, CHOICE_PASSED | {message, "text", "finish_reason", "logprobs", "token_ids"})
    unknown.strip_texts("choices[]", choice, ("text",))
    if "token_ids" in choice and unknown.removes("choices[]", "token_ids", choice["token_ids"]):
        del choice["token_ids"]
    reason = choice.get("finish_reason")
    if reason and (not isinstance(reason, str) or is_prose(reason)):
        # No word that a client could know; but that the choice has ended must still be said.
        choice["finish_reason"] = "stop"
        unknown.blocked.append("choices[].finish_reason")
    found = choice.get(message)
    if isinstance(found, dict):
        _strip_message(unknown, f"choices[].{message}", found)
        return found
    if found is not None and unknown.removes("choices[]", message, found):
        choice[message] = {}
    return {}


def _strip_message(unknown: Unknown, path: str, message: dict[str, Any]) -> None:
    unknown.strip(path, message, _CALLS | _MORE | {"role", *TEXT_KEYS})
    role = message.get("role")
    if role is not None and not (isinstance(role, str) and role in ROLES) and unknown.removes(path, "role", role):
        del message["role"]
    parts = message.get("content")
    if isinstance(parts, list):
        message["content"] = [part for part in parts if _strip_part(unknown, f"{path}.content[]", part)]
    unknown.strip_texts(path, message, [key for key in TEXT_KEYS if key != "content" or not isinstance(parts, list)])
    _strip_list(unknown, path, message, "tool_calls", _strip_call)
    _strip_function(unknown, path, message, "function_call")
    _strip_list(unknown, path, message, "reasoning_details", _strip_detail)
    _strip_list(unknown, path, message, "annotations", lambda *_: True)
    audio = message.get("audio")
    if isinstance(audio, dict):
        unknown.strip(f"{path}.audio", audio, frozenset({"id", "transcript"}))
        unknown.strip_labels(f"{path}.audio", audio, ("id",))
        unknown.strip_texts(f"{path}.audio", audio, ("transcript",))
    elif audio is not None and unknown.removes(path, "audio", audio):
        del message["audio"]


def _strip_list(unknown: Unknown, path: str, message: dict[str, Any], key: str, stays: Stays) -> None:
    """Clean the entries of a list by what says whether one may stay."""
    found = message.get(key)
    if isinstance(found, list):
        message[key] = [entry for entry in found if stays(unknown, f"{path}.{key}[]", entry)]
    elif found is not None and unknown.removes(path, key, found):
        del message[key]


def _strip_part(unknown: Unknown, path: str, part: object) -> bool:
    """Clean one part of a content; whether it may stay."""
    if not isinstance(part, dict):
        return not unknown.removes(path, "", part)
    unknown.strip(path, part, frozenset({"type", "text", "thinking"}))
    unknown.strip_labels(path, part, ("type",))
    unknown.strip_texts(path, part, ("text",))
    _strip_list(unknown, path, part, "thinking", _strip_thought)
    return True


def _strip_thought(unknown: Unknown, path: str, thought: object) -> bool:
    """Clean one part of a part of thinking (Mistral); whether it may stay."""
    if not isinstance(thought, dict):
        return not unknown.removes(path, "", thought)
    unknown.strip(path, thought, frozenset({"type", "text"}))
    unknown.strip_labels(path, thought, ("type",))
    unknown.strip_texts(path, thought, ("text",))
    return True


def _strip_detail(unknown: Unknown, path: str, detail: object) -> bool:
    """Clean one of OpenRouter's `reasoning_details`; whether it may stay."""
    if not isinstance(detail, dict):
        return not unknown.removes(path, "", detail)
    labels, sealed = ("type", "format", "id"), ("signature", "data")
    unknown.strip(path, detail, frozenset({*labels, *sealed, "text", "summary"}))
    unknown.strip_labels(path, detail, labels)
    unknown.strip_texts(path, detail, ("text", "summary"))
    for key in sealed:
        found = detail.get(key)
        if found is not None and not is_opaque(found) and unknown.removes(path, key, found):
            del detail[key]
    return True


def _strip_call(unknown: Unknown, path: str, call: object) -> bool:
    """Clean one tool call; whether it may stay."""
    if not isinstance(call, dict):
        return not unknown.removes(path, "", call)
    unknown.strip(path, call, frozenset({"index", "id", "type", "function"}))
    unknown.strip_labels(path, call, ("id", "type"))
    _strip_function(unknown, path, call, "function")
    return True


def _strip_function(unknown: Unknown, path: str, owner: dict[str, Any], key: str) -> None:
    function = owner.get(key)
    if isinstance(function, dict):
        unknown.strip(f"{path}.{key}", function, frozenset({"name", "arguments"}))
        unknown.strip_texts(f"{path}.{key}", function, ("name", "arguments"))
    elif function is not None and unknown.removes(path, key, function):
        del owner[key]
