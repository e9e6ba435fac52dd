"""Text in a Gemini response in a shape that the codec does not know: removed or counted, as the policy says.

What is inline or a file (`inlineData`, `fileData`: images, audio, documents) is content that nobody has looked at, so
it is unknown text too, whatever its media type says. What only the server can read (`thoughtSignature`) passes when it
is base64 and nothing else. See `unknown_text` for what counts as text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guardrail.wire.gemini_parts import CALL, ENVELOPE, GROUNDING, VALUES, WHOLE
from guardrail.wire.unknown_text import Unknown, is_opaque

_TOP = frozenset({"candidates", "promptFeedback", "usageMetadata", "modelStatus", *ENVELOPE})
_LABELS = ("usageMetadata", "createTime", "responseId")
_CANDIDATE_LABELS = ("safetyRatings", "avgLogprobs", "tokenCount", "groundingScore")
_CANDIDATE = frozenset({"content", "finishReason", "index", "logprobsResult", GROUNDING, *WHOLE, *_CANDIDATE_LABELS})
_BASE64 = ("thoughtSignature", "continuationToken")
"""Opaque to everybody but the server: only base64 characters may pass."""
_PART_LABELS = ("thought", "videoMetadata", "mediaResolution")
_PART = frozenset({"text", CALL, *VALUES, *_BASE64, *_PART_LABELS})


def strip_response(
    unknown: Unknown, value: dict[str, Any], clean: Callable[[str], bool]
) -> tuple[list[dict[str, Any]], bool]:
    """Clean an event or body; its candidates that are objects, and whether something else than unknown text was taken
    out."""
    unknown.strip("", value, _TOP, prose=True)
    unknown.strip_labels("", value, _LABELS)
    changed = False
    for key, said in (("promptFeedback", "blockReasonMessage"), ("modelStatus", "message")):
        owner = value.get(key)
        if not isinstance(owner, dict):
            unknown.strip_labels("", value, (key,))
            continue
        unknown.strip(key, owner, frozenset({said}), prose=True)
        # The server's own words, to people: no model's, but it may quote.
        if said in owner and not (isinstance(owner[said], str) and clean(owner[said])):
            del owner[said]
            changed = True
    if not isinstance(value.get("modelVersion"), str):
        unknown.strip_labels("", value, ("modelVersion",))
    candidates = value.get("candidates")
    if not isinstance(candidates, list):
        if candidates is not None and unknown.removes("", "candidates", candidates):
            del value["candidates"]
        return [], changed
    value["candidates"] = [c for c in candidates if isinstance(c, dict) or not unknown.removes("", "candidates[]", c)]
    found = [candidate for candidate in value["candidates"] if isinstance(candidate, dict)]
    for candidate in found:
        _strip_candidate(unknown, candidate)
    return found, changed


def _strip_base64(unknown: Unknown, path: str, owner: dict[str, Any], key: str) -> None:
    value = owner.get(key)
    if value is not None and not is_opaque(value) and unknown.removes(path, key, value):
        del owner[key]


def _strip_candidate(unknown: Unknown, candidate: dict[str, Any]) -> None:
    path = "candidates[]"
    unknown.strip(path, candidate, _CANDIDATE | {"continuationToken"})
    unknown.strip_labels(path, candidate, _CANDIDATE_LABELS)
    _strip_base64(unknown, path, candidate, "continuationToken")
    content = candidate.get("content")
    if content is None:
        return
    if not isinstance(content, dict):
        if unknown.removes(path, "content", content):
            candidate["content"] = {}
        return
    path += ".content"
    unknown.strip(path, content, frozenset({"parts", "role"}))
    unknown.strip_labels(path, content, ("role",))
    parts = content.get("parts")
    if isinstance(parts, list):
        content["parts"] = [part for part in parts if _strip_part(unknown, f"{path}.parts[]", part)]
    elif parts is not None and unknown.removes(path, "parts", parts):
        del content["parts"]


def _strip_part(unknown: Unknown, path: str, part: object) -> bool:
    """Clean one part; whether it may stay. What is inline or a file is content that nobody has looked at."""
    if not isinstance(part, dict):
        return not unknown.removes(path.removesuffix(".parts[]"), "parts[]", part)
    before = len(part)
    unknown.strip(path, part, _PART)
    unknown.strip_labels(path, part, _PART_LABELS)
    _strip_base64(unknown, path, part, "thoughtSignature")
    if not isinstance(part.get("text", ""), str) and unknown.removes(path, "text", part["text"]):
        del part["text"]
    for kind, key in ((CALL, ""), *VALUES.items()):
        owner = part.get(kind)
        if isinstance(owner, dict):
            _strip_value(unknown, f"{path}.{kind}", owner, key)
        elif owner is not None and unknown.removes(path, kind, owner):
            del part[kind]
    # Even an empty call makes the part one: what stands beside it would not be looked at.
    calls = isinstance(part.get(CALL), dict)
    kinds = [kind for kind in (CALL, *VALUES, "text") if part.get(kind) or (kind == CALL and calls)]
    for kind in kinds[1:]:
        # A part is one thing (a union in the API): of two, none but the first would be scanned.
        if unknown.removes(path, kind, part[kind]):
            del part[kind]
    return bool(part) or not before


def _strip_value(unknown: Unknown, path: str, owner: dict[str, Any], key: str) -> None:
    """Clean what a part holds. Ids are not scanned (a random one may look like a secret), so they must look like
    ids."""
    if key:
        unknown.strip(path, owner, frozenset({key}), prose=True)
        return
    unknown.strip(path, owner, frozenset({"name", "args", "partialArgs"}), prose=True)
    name = owner.get("name")
    if name is not None and not isinstance(name, str) and unknown.removes(path, "name", name):
        del owner["name"]
    partial = owner.get("partialArgs")
    known = partial is None or (isinstance(partial, list) and all(map(is_partial, partial)))
    if not known and unknown.removes(path, "partialArgs", partial):
        del owner["partialArgs"]


_PARTIAL = {
    "jsonPath": str,
    "stringValue": str,
    "numberValue": int | float,
    "boolValue": bool,
    "nullValue": str | None,
    "willContinue": bool,
}


def is_partial(entry: object) -> bool:
    """Whether it is a value at a JSON path, and nothing else."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("jsonPath"), str)
        and all(key in _PARTIAL and isinstance(value, _PARTIAL[key]) for key, value in entry.items())
        and entry.get("nullValue") in (None, "NULL_VALUE")
    )
