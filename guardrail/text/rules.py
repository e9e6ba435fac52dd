"""What a rule is, before it is compiled: plain data, no behaviour but rendering a mask.

Offsets everywhere in `guardrail.text` count Unicode code points of the channel's raw text.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")


class Action(enum.StrEnum):
    """What a hit does to the text."""

    ALLOW = "allow"
    """The rule is switched off (for a policy that extends another): no finding, no edit."""
    LOG = "log"
    """Shadow: a finding is reported; delivery is neither changed nor delayed."""
    REDACT = "redact"
    """A mask stands for the hit."""
    REPLACE = "replace"
    """A fixed text stands for the hit."""
    HALT = "halt"
    """The channel ends where the hit starts."""

    @property
    def removes(self) -> bool:
        return self in (Action.REDACT, Action.REPLACE, Action.HALT)


@dataclass(frozen=True, slots=True)
class Label:
    """Mask by a fixed label such as `[EMAIL]`; also what `replace` uses for its text."""

    text: str

    def render(self, matched: str) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class FixedChar:
    """Mask every code point of the hit by one character: `••••`. (Asterisks are mark-up.)"""

    char: str = "•"

    def render(self, matched: str) -> str:
        return self.char * len(matched)


@dataclass(frozen=True, slots=True)
class KeepLast:
    """Mask letters and digits but for the last `keep` of them; separators stay: `•••• •••• •••• 1111`.

    A hit with no more than `keep` letters and digits is masked whole.
    """

    keep: int = 4
    char: str = "•"

    def render(self, matched: str) -> str:
        solid = sum(c.isalnum() for c in matched)
        hide = solid - self.keep if solid > self.keep else solid
        out = []
        for c in matched:
            if c.isalnum() and hide > 0:
                out.append(self.char)
                hide -= 1
            else:
                out.append(c)
        return "".join(out)


@dataclass(frozen=True, slots=True)
class KeyedHash:
    """Mask by a label with a short HMAC-SHA256 of the hit, so that equal values can be told to be equal.

    `key` comes from the environment, never from a file. 8 hex digits: 32 bits, enough to tell values of one
    conversation apart, too few to serve as a fingerprint of a person elsewhere.
    """

    label: str
    key: bytes = field(repr=False)

    def render(self, matched: str) -> str:
        digest = hmac.new(self.key, matched.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"[{self.label}:{digest[:8]}]"


Mask = Label | FixedChar | KeepLast | KeyedHash

WordEdges = Literal["auto", "always", "never"]
"""`auto`: a term's end needs a word edge when the character at that end is of an alphabetic script or a digit;
Han, kana, Hangul, Thai, Lao, Khmer and Myanmar need none. `always`, `never`: whatever the script."""

PatternEdge = Literal["none", "digit", "number", "word"]
"""What may not stand right beside a pattern's match. `digit`: an ASCII digit. `number`: an ASCII digit or a full
stop, as in the fraction of a decimal. `word`: an ASCII letter, digit or underscore. The text's start and end satisfy
every edge."""
RightEdge = PatternEdge | Literal["newline"]
"""The same on the right, where it can also be a line feed."""

Accept = Callable[[str], bool]
"""Says whether a match (its lane text) is real: a checksum, a range. Total: any text gives an answer."""


MAX_NEAR = 256
"""Most raw characters between the two words of a `NearRule`: a stream has to be held as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What keyword and pattern rules have in common."""

    id: str
    category: str
    severity: Severity = "medium"
    action: Action = Action.REDACT
    mask: Mask = Label("[REDACTED]")
    """What stands for a hit of a `redact` or `replace` rule; unused by the other actions."""
    allow: tuple[str, ...] = ()
    """Allow-phrases: a hit that lies inside an occurrence of one is dropped. Matched like keywords of this rule
    (for a pattern rule: case-insensitive, `auto` edges)."""
    hits: tuple[str, ...] = ()
    """Example texts in which this rule must find something."""
    misses: tuple[str, ...] = ()
    """Example texts in which this rule must find nothing."""


@dataclass(frozen=True, slots=True)
class Folds:
    """Which disguises of its terms a keyword rule sees through. See docs/design.md for what each one is exactly."""

    marks: bool = True
    """Combining marks on Latin and Greek letters (b\u0336o\u0336mb, b\u00f3mb)."""
    lookalikes: bool = True
    """Letters of other scripts, and enclosed ones, that look like Latin letters."""
    simplified: bool = True
    """Traditional Chinese characters, read as simplified ones."""
    numbers: bool = True
    """Chinese numerals, read as digits."""
    leet: bool = True
    """Digits and signs for letters (b0mb), in words that keep two letters at least."""
    noise: bool = False
    """Signs, mark-up and blanks between the letters (b.o.m.b, b o m b, bo**mb)."""
    repeats: bool = False
    """Letters written more often than the term has them (boooomb)."""
    exact: bool = False
    """Nothing is folded, not even width, case and invisible characters; the other switches do not apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordRule(Rule):
    """A list of terms, found by the automaton."""

    terms: tuple[str, ...]
    case_sensitive: bool = False
    """The terms are told by case too; of `folds` only `exact` applies then."""
    edges: WordEdges = "auto"
    folds: Folds = Folds()


@dataclass(frozen=True, slots=True, kw_only=True)
class NearRule(Rule):
    """A word of one list near a word of the other, in either order: the hit reaches from the first to the last.

    Allow-phrases are matched like the words.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    within: int | None = None
    """At most so many raw characters lie between the two; None: as many as MAX_NEAR allows."""
    sentence: bool = False
    """No end of a sentence lies between them."""
    edges: WordEdges = "auto"
    folds: Folds = Folds()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRule(Rule):
    """Regular expressions (RE2 syntax, bounded width), each matched leftmost-longest on its own.

    They run over the text after NFKC and the removal of default-ignorables, with case kept; or over the raw text.
    """

    expressions: tuple[str, ...]
    left: PatternEdge | tuple[PatternEdge, ...] = "none"
    """One for all expressions, or one for each."""
    right: RightEdge | tuple[RightEdge, ...] = "none"
    """One for all expressions, or one for each."""
    accept: Accept | tuple[Accept | None, ...] | None = None
    """One for all expressions, or one for each. None: every match is real."""
    contextual: bool | tuple[bool, ...] = False
    """Whether a match counts only behind one of the `context` words; one for all expressions, or one for each."""
    context: tuple[str, ...] = ()
    """Words that make a weak shape telling. Found as keywords are (folded, `auto` edges)."""
    within: int = 48
    """At most so many raw characters lie between the end of a context word and the start of the match."""
    lane: Literal["cased", "raw"] = "cased"
    """What the expressions run over. `raw`: the text as it is; hits are not widened to grapheme clusters."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One hit, in code points of the raw text; `end` is exclusive."""

    start: int
    end: int
    rule: str
    category: str
    severity: Severity
    action: Action
    channel: str = "content"
    document: str = ""
    """For protected text: the document that it is of."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Raw text [start, end) is removed and `text` stands in its place ("" where an earlier mask covers it)."""

    start: int
    end: int
    text: str
