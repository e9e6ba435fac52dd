"""Marks on text that is exported: for programs a block with what made it, for people a line; and reading them again.

The block has the fields `AIGC` of GB 45438-2025 and IPTC's digital source type, where the format has room for it: the
front matter of Markdown, `<meta>` of HTML, a key of JSON, the last line of plain text. Promises: `read` of what `mark`
gave returns the block and the very text that was marked, and tells whether it is still that text. Pure.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal

import yaml

from guardrail.errors import GuardrailError
from guardrail.governance.label_terms import LABEL_KEYS, SOURCE_TYPE, aigc
from guardrail.wire.strict_json import on_one_line

Format = Literal["markdown", "json", "html", "txt"]

SOURCE_KEY = "digitalSourceType"

_FRONT = re.compile(
    r"\A\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n(?:\r?\n)?|\Z)", re.DOTALL | re.MULTILINE
)
_YAML = re.compile(rf"^AIGC:\r?\n((?:  \w+: .*\n)+){SOURCE_KEY}: .*\n", re.MULTILINE)
_META = re.compile(
    rf'<meta name="AIGC" content="([^"]*)">\n<meta name="{SOURCE_KEY}" content="[^"]*">\n',
)
_LAST_LINE = re.compile(r'\n\n(\{"AIGC":.*\})\n\Z')
_TAG = re.compile(
    r"""<!--.*?-->|<(head|html|body|!doctype)(?![\w-])(?:"[^"]*"|'[^']*'|[^>"'])*>\n?""", re.IGNORECASE | re.DOTALL
)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


class MarkError(GuardrailError):
    """The text cannot be marked, or has no mark that can be read."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What a marked text says of itself."""

    block: Mapping[str, str]
    """`AIGC`."""
    text: str
    """Without the block; for JSON, written again."""

    @property
    def intact(self) -> bool:
        """Whether it is the text that was marked: its digest is the one in the block."""
        return bool(self.block.get("ReservedCode1")) and self.block["ReservedCode1"] == digest_of(self.text)


def digest_of(text: str) -> str:
    """`sha256:` and the hex digest of its UTF-8."""
    return "sha256:" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def mark(text: str, form: Format, provider: str, number: str, *, label: str = "", at_end: bool = False) -> str:
    """The text with a label for people (`label`; "": none) in front or at its end, and the block. `number`: of the
    content. Raises MarkError for a text that has a block already, or is not of the format."""
    if form == "json":
        return _mark_json(text, provider, number, label)
    if _found(text, form) is not None:
        raise MarkError("The text is marked already.")
    if label:
        text = _with_label(text, form, label, at_end=at_end)
    block = aigc(provider, number, digest=digest_of(text))
    if form == "markdown":
        return _mark_markdown(text, block)
    said = json.dumps(block, ensure_ascii=False, separators=(",", ":"))
    if form == "html":
        metas = (
            f'<meta name="AIGC" content="{html.escape(said)}">\n<meta name="{SOURCE_KEY}" content="{SOURCE_TYPE}">\n'
        )
        at = _behind(text, "head")
        return text[:at] + metas + text[at:]
    last = json.dumps({"AIGC": block, SOURCE_KEY: SOURCE_TYPE}, ensure_ascii=False, separators=(",", ":"))
    return f"{text}\n\n{last}\n"


def read(text: str, form: Format) -> Marked:
    """Raises MarkError for a text without a mark that can be read."""
    found = _read_json(text) if form == "json" else _found(text, form)
    if found is None:
        raise MarkError("The text has no mark.")
    if set(found.block) != set(LABEL_KEYS) or found.block["Label"] not in ("1", "2", "3"):
        raise MarkError("The mark has not the fields of the block AIGC.")
    return found


def _with_label(text: str, form: Format, label: str, *, at_end: bool) -> str:
    if form != "html":
        # Behind the front matter, which has to be first.
        front = _front(text) if form == "markdown" else None
        at = front.end() if front else len(text) - len(text.removeprefix("\ufeff"))
        gap = "" if text[:at].endswith(("\n", "\ufeff")) or not at else "\n\n"
        return f"{text.rstrip()}\n\n{label}\n" if at_end else f"{text[:at]}{gap}{label}\n\n{text[at:]}"
    said = f"<p>{html.escape(label)}</p>\n"
    if at_end:
        ends = list(_BODY_END.finditer(text))
        at = ends[-1].start() if ends else len(text)
    else:
        at = _behind(text, "body")
    return text[:at] + said + text[at:]


def _behind(page: str, tag: str) -> int:
    """Where something stands right behind this tag of a page; where it has none, behind what must stand in front."""
    at = len(page) - len(page.removeprefix("\ufeff"))
    for found in _TAG.finditer(page):
        name = (found[1] or "").lower()
        if name == tag:
            return found.end()
        if name in ("!doctype", "html"):
            at = found.end()
    if tag == "body" and (head := re.search(r"</head\s*>\n?", page, re.IGNORECASE)):
        return head.end()
    return at


def _front(text: str) -> re.Match[str] | None:
    """The front matter of Markdown: a mapping between two lines of dashes. Rules around prose are none."""
    found = _FRONT.match(text)
    if found is None:
        return None
    try:
        value = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(value, dict) else None


def _mark_markdown(text: str, block: Mapping[str, str]) -> str:
    lines = "".join(f"  {key}: {on_one_line(json.dumps(value, ensure_ascii=False))}\n" for key, value in block.items())
    own = f"AIGC:\n{lines}{SOURCE_KEY}: {SOURCE_TYPE}\n"
    front = _front(text)
    if front is None:
        return f"---\n{own}---\n\n{text}"
    if re.search(rf"^(?:AIGC|{SOURCE_KEY})[ \t]*:", front[1], re.MULTILINE):
        raise MarkError("The text has a mark of another kind in its front matter.")
    at = front.end(1)
    return text[:at] + (own.replace("\n", "\r\n") if front[1].endswith("\r\n") else own) + text[at:]


def _found(text: str, form: Format) -> Marked | None:
    """The mark of a text that is no JSON; None without one. Raises MarkError for one that cannot be read."""
    if form == "markdown":
        front = _FRONT.match(text)
        own = _YAML.search(front[1]) if front else None
        if front is None or own is None:
            return None
        start, end = (front.start(1) + place for place in own.span())
        block = _strings(
            {
                key.strip(): _decoded(said)
                for key, _, said in (line.partition(": ") for line in own[1].rstrip("\n").split("\n"))
            }
        )
        alone = front[0] == f"---\n{own[0]}---\n\n"
        return Marked(block, text[front.end() :] if alone else text[:start] + text[end:])
    if form == "html":
        metas = _META.search(text)
        if metas is None:
            return None
        block = _strings(_decoded(html.unescape(metas[1])))
        return Marked(block, text[: metas.start()] + text[metas.end() :])
    last = _LAST_LINE.search(text)
    if last is None:
        return None
    value = _decoded(last[1])
    return Marked(_strings(value.get("AIGC") if isinstance(value, dict) else None), text[: last.start()])


def _mark_json(text: str, provider: str, number: str, label: str) -> str:
    value = _decoded(text)
    if not isinstance(value, dict):
        raise MarkError("Only a JSON object has room for a mark.")
    if "AIGC" in value or SOURCE_KEY in value:
        raise MarkError("The text is marked already.")
    if label and "label" in value:
        raise MarkError("The object has a key 'label' already, so that there is no room for people's.")
    said = {**value, "label": label} if label else value
    block = aigc(provider, number, digest=digest_of(_written(said)))
    return _written({**said, "AIGC": block, SOURCE_KEY: SOURCE_TYPE}) + "\n"


def _read_json(text: str) -> Marked | None:
    value = _decoded(text)
    if not isinstance(value, dict) or "AIGC" not in value:
        return None
    block = _strings(value.pop("AIGC"))
    value.pop(SOURCE_KEY, None)
    return Marked(block, _written(value))


def _written(value: object) -> str:
    said = json.dumps(value, ensure_ascii=False, indent=2)
    return re.sub(r"[\ud800-\udfff]", lambda lone: f"\\u{ord(lone[0]):04x}", said)  # UTF-8 has no other way for it


def _decoded(text: str) -> Any:
    """The value. Raises MarkError for what is no JSON, and for what would not be the same when it is written again."""
    try:
        return json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=_once,
            parse_float=_exact,
            parse_int=_whole,
            parse_constant=_constant,
        )
    except (ValueError, RecursionError) as error:
        raise MarkError("What should be JSON is none.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise MarkError("The JSON has an object with the same key twice.")
    return value


def _exact(said: str) -> float:
    number = float(said)
    if not Decimal(repr(number)).is_finite() or Decimal(repr(number)) != Decimal(said):
        raise MarkError(f"The JSON has a number that cannot be kept as it is: {said[:40]}")
    return number


def _whole(said: str) -> int:
    try:
        return int(said)
    except ValueError:
        raise MarkError(f"The JSON has a number that cannot be kept as it is: {said[:40]}…") from None


def _constant(said: str) -> float:
    raise MarkError(f"The JSON has {said}, which is no JSON.")


def _strings(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(found, str) for found in value.values()):
        raise MarkError("The mark has not the fields of the block AIGC.")
    return dict(value)
