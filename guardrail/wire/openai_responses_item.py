"""The items of a Responses answer, and the object that lists them: where their texts stand, what has no known shape.

An answer is a list of items: messages and reasoning, which people read, calls of tools, which clients run, and what
the server's own tools did. `strip_item` takes out of one what the codec does not know, `item_texts` names the texts of
what is left. Nothing here scans; nothing passes that neither is scanned nor looks like a label.

Source of the shapes: the types of the `openai` Python package, 3.54.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from guardrail.errors import WireError
from guardrail.wire import logprobs
from guardrail.wire.strict_json import dumps, loads, whole_surrogates
from guardrail.wire.unknown_text import Unknown, is_opaque, is_prose, strings

MAX_INDEX = 1 << 12
"""Items of a response, and parts of an item, are fewer."""


class Kind(Enum):
    """How a text is scanned."""

    TEXT = "text"
    """As prose, cut where it halts."""
    WHOLE = "whole"
    """Inside of its JSON values where it is JSON; none of it is delivered if it halts."""
    NAME = "name"
    """As it is; a classifier does not read it."""


class ItemText(NamedTuple):
    """One text, and where it stands: `owner[key]` is a string, or any JSON value (`Kind.WHOLE`)."""

    owner: Any
    key: str | int
    path: str
    kind: Kind

    @property
    def raw(self) -> str:
        """What is scanned: valid Unicode."""
        value = self.owner[self.key]
        if not isinstance(value, str):
            return dumps(value).decode()
        return value if value.isascii() else whole_surrogates(value)

    def differs(self, now: str) -> bool:
        """Whether another text is to stand in its place."""
        value = self.owner[self.key]
        return now != (value if isinstance(value, str) else self.raw)

    def put(self, now: str) -> None:
        """Put another text in its place, and take away what says the old one token by token."""
        if not self.differs(now):
            return
        if not isinstance(self.owner[self.key], str):
            self.owner[self.key], _ = loads(now)
            return
        self.owner[self.key] = now
        if isinstance(self.owner, dict) and self.owner.get("logprobs"):
            self.owner["logprobs"] = []  # never null: clients go through them


_W, _N = Kind.WHOLE, Kind.NAME
_FIELDS: dict[str, dict[str, Kind]] = {
    "apply_patch_call": {"operation": _W},
    "apply_patch_call_output": {"output": _W},
    "code_interpreter_call": {"code": _W, "outputs": _W},
    "compaction": {},
    "computer_call": {"action": _W, "actions": _W, "pending_safety_checks": _W},
    "computer_call_output": {"acknowledged_safety_checks": _W},
    "custom_tool_call": {"name": _N, "input": _W},
    "custom_tool_call_output": {"output": _W},
    "file_search_call": {"queries": _W, "results": _W},
    "function_call": {"name": _N, "arguments": _W},
    "function_call_output": {"name": _N, "output": _W},
    "image_generation_call": {"revised_prompt": _W, "error": _W},
    "local_shell_call": {"action": _W},
    "local_shell_call_output": {"output": _W},
    "mcp_approval_request": {"name": _N, "server_label": _N, "arguments": _W},
    "mcp_approval_response": {"reason": _W},
    "mcp_call": {"name": _N, "server_label": _N, "arguments": _W, "output": _W, "error": _W},
    "mcp_list_tools": {"server_label": _N, "tools": _W, "error": _W},
    "program": {"code": _W},
    "program_output": {"result": _W},
    "shell_call": {"action": _W, "environment": _W},
    "shell_call_output": {"output": _W},
    "tool_search_call": {"arguments": _W},
    "tool_search_output": {"tools": _W},
    "web_search_call": {"action": _W},
}
"""By type of item: the fields that hold text, in the order in which they are scanned."""

READ = frozenset({"message", "reasoning"})
"""Items whose text people read: it is streamed."""

SHOWN = frozenset({"compaction", "file_search_call", "image_generation_call", "mcp_list_tools", "web_search_call"})
"""What the server's own tools did, told by events without text but for the item itself: these go out at once. All other
items are withheld until they are whole, since a client may act on them."""

_LABELS = frozenset(
    {
        *("id", "type", "status", "role", "phase", "call_id", "namespace", "created_by", "fingerprint", "execution"),
        *("container_id", "approval_request_id", "caller", "caller_id"),
        *("action", "background", "output_format", "quality", "size"),  # of image generation
    }
)
"""Fields that hold ids and words of the protocol."""

_PARTS = {"output_text": "text", "text": "text", "reasoning_text": "text", "summary_text": "text", "refusal": "refusal"}
"""By type of content part: where its text stands."""
_LONG_ID = re.compile(r"[A-Za-z0-9+/=_.-]*")


def type_of(value: dict[str, Any]) -> str:
    """The type of an item, part or event, "" for none."""
    named = value.get("type")
    return named if isinstance(named, str) else ""


def listed(value: object) -> list[Any]:
    """The list that a value is; an empty one for anything else."""
    return value if isinstance(value, list) else []


def is_id(text: str) -> bool:
    """Whether a string is no text: a short id, or a long one of base64, as some servers give."""
    return not is_prose(text) or _LONG_ID.fullmatch(text) is not None


def labels_only(value: dict[str, Any], keys: Iterable[str], path: str, unknown: Unknown) -> None:
    """Remove what stands under these keys and may be text."""
    for key in keys:
        found = value.get(key)
        if isinstance(found, str) and key.endswith("id") and is_id(found):
            continue
        plain = isinstance(found, str) or key == "caller"
        if found is not None and unknown.removes(path, key, found, prose=plain):
            del value[key]


# --- what is not known ------------------------------------------------------------------------------------------------


def strip_item(item: dict[str, Any], path: str, unknown: Unknown) -> None:
    """Take out what is not known. After it, what `item_texts` names is of the type that it should have."""
    kind = type_of(item)
    lists = {"message": ("content",), "reasoning": ("summary", "content")}.get(kind, ())
    fields = _FIELDS.get(kind, {})
    labels_only(item, _LABELS - fields.keys(), path, unknown)
    if is_opaque(item.get("encrypted_content")):
        unknown.strip(path, item, _LABELS | {*fields, *lists, "encrypted_content"})
    else:
        unknown.strip(path, item, _LABELS | {*fields, *lists})
    for key in lists:
        parts = item.get(key)
        if isinstance(parts, list):
            item[key] = [part for part in parts if strip_part(part, f"{path}.{key}[]", unknown)]
        elif parts is not None and unknown.removes(path, key, parts):
            item[key] = []
    for key, kind_of_text in fields.items():
        known = kind_of_text is Kind.WHOLE or isinstance(item.get(key), str | None)
        if not known and unknown.removes(path, key, item[key]):
            item[key] = ""


def strip_part(part: object, path: str, unknown: Unknown) -> bool:
    """The same for one part of a content or summary; whether it may stay."""
    if not isinstance(part, dict):
        return not unknown.removes(path, "", part)
    key = _PARTS.get(type_of(part))
    if key is None:
        unknown.strip(path, part, frozenset({"type"}))
        labels_only(part, ("type",), path, unknown)
        return True
    unknown.strip(path, part, frozenset({"type", key, "annotations", "logprobs"}))
    text = part.get(key)
    if text is not None and not isinstance(text, str) and unknown.removes(path, key, text):
        part[key] = ""
    notes = part.get("annotations")
    if notes is not None and not isinstance(notes, list) and unknown.removes(path, "annotations", notes):
        part["annotations"] = []
    return True


def check_logprobs(owner: dict[str, Any], key: str, clean: Callable[[str], bool]) -> bool:
    """Remove log probabilities that do not spell the text beside them (`owner[key]`); whether any were removed."""
    found = owner.get("logprobs")
    if not found or logprobs.may_pass({"content": found}, {"content": owner.get(key)}, clean):
        return False
    owner["logprobs"] = []
    return True


def check_item_logprobs(item: dict[str, Any], clean: Callable[[str], bool]) -> bool:
    """The same for the parts of an item."""
    parts = [part for part in listed(item.get("content")) if isinstance(part, dict)]
    return sum(check_logprobs(part, "text", clean) for part in parts) > 0


# --- what is known ----------------------------------------------------------------------------------------------------


def item_texts(item: dict[str, Any], path: str) -> Iterator[ItemText]:
    """The texts of an item, in the order in which they would have been streamed."""
    kind = type_of(item)
    if kind in READ:
        for key in ("summary", "content") if kind == "reasoning" else ("content",):
            for number, part in enumerate(listed(item.get(key))):
                yield from part_texts(part, f"{path}.{key}[{number}]")
        return
    for key, kind_of_text in _FIELDS.get(kind, {}).items():
        value = item.get(key)
        if value and (kind_of_text is Kind.WHOLE or isinstance(value, str)):
            yield ItemText(item, key, f"{path}.{key}", kind_of_text)


def part_texts(part: object, path: str) -> Iterator[ItemText]:
    """The texts of one part of a content or summary."""
    if not isinstance(part, dict):
        return
    key = _PARTS.get(type_of(part))
    if key is None:
        return
    if isinstance(part.get(key), str) and part[key]:
        yield ItemText(part, key, f"{path}.{key}", Kind.TEXT)
    annotations = listed(part.get("annotations"))
    for number in range(len(annotations)):
        yield ItemText(annotations, number, f"{path}.annotations[{number}]", Kind.WHOLE)


def text_key(part: dict[str, Any]) -> str:
    """Where the text of a part stands."""
    return _PARTS.get(type_of(part), "text")


# --- the response object ----------------------------------------------------------------------------------------------

_RESPONSE = frozenset(
    {
        *("id", "object", "created_at", "completed_at", "model", "status", "background", "service_tier", "usage"),
        *("access_programs", "conversation", "image", "input_transformations", "instructions", "max_output_tokens"),
        *("max_tool_calls", "metadata", "moderation", "parallel_tool_calls", "previous_response_id", "prompt"),
        *("prompt_cache_diagnostics", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
        *("reasoning", "safety_identifier", "store", "temperature", "text", "tool_choice", "tool_usage", "tools"),
        *("top_logprobs", "top_p", "truncation", "user", "frequency_penalty", "presence_penalty", "billing"),
        "content_filters",  # Azure: categories, severities, offsets
        *("output", "error", "incomplete_details", "output_text"),
    }
)
"""Known fields of a response object. But for the last line they say again what the request said, and carry no word of
the model."""

_SERVERS_OWN = ("id", "object", "created_at", "completed_at", "model", "status", "service_tier", "usage")
"""Those that say again nothing: names and numbers of the server's."""


def strip_response(response: dict[str, Any], unknown: Unknown, clean: Callable[[str], bool], *, final: bool) -> bool:
    """Take out of a response object what is not known; whether it was changed besides. `final`: it says all of its
    output; what one that still grows says of it is not whole, so that it could not be scanned."""
    unknown.strip("response", response, _RESPONSE)
    prose = [key for key in _SERVERS_OWN if any(is_prose(said) for said, _ in strings(response.get(key)))]
    unknown.strip_unclean("response", response, prose, clean)
    details = response.get("incomplete_details")
    if details is not None and unknown.removes("response", "incomplete_details", details, prose=True):
        response["incomplete_details"] = None
    for key in () if final else ("error", "output_text"):
        if response.get(key) and unknown.removes("response", key, response[key]):
            response[key] = None
    output = response.get("output")
    if not output:
        return False
    if not final or not isinstance(output, list):
        if unknown.removes("response", "output", output):
            response["output"] = []
        return False
    response["output"] = [item for item in output if isinstance(item, dict) or not unknown.removes("output", "", item)]
    items = [item for item in output if isinstance(item, dict)]
    for item in items:
        strip_item(item, "output[]", unknown)
    return sum(check_item_logprobs(item, clean) for item in items) > 0


def reason_of(response: dict[str, Any]) -> str | None:
    """Why a response ended: what it is incomplete for, else its status."""
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    status = response.get("status")
    return reason if isinstance(reason, str) else status if isinstance(status, str) else None


def joined_text(response: dict[str, Any]) -> str:
    """What the SDKs call `output_text`."""
    items = [item for item in listed(response.get("output")) if isinstance(item, dict) and type_of(item) == "message"]
    parts = [part for item in items for part in listed(item.get("content")) if isinstance(part, dict)]
    texts = [part.get("text") for part in parts if type_of(part) == "output_text"]
    return "".join(text for text in texts if isinstance(text, str))


# --- paths ------------------------------------------------------------------------------------------------------------


def index(value: object) -> int:
    """Raises WireError for an index that cannot be."""
    if type(value) is int and 0 <= value < MAX_INDEX:
        return value
    raise WireError(f"The model server sent an index that is not an integer from 0 to {MAX_INDEX - 1}.")


def item_path(number: int) -> str:
    return f"output[{number}]"


def part_path(item: int, kind: str, number: object) -> str:
    """`kind`: "content" or "summary". `number`: as the event says it; None: the only one."""
    return f"output[{item}].{kind}[{0 if number is None else index(number)}]"
