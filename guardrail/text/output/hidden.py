"""Characters that a reader does not see: control characters and invisible ones, as parts of expressions.

Here so that the rules agree. A link or tag may be written with such characters between its signs, and become one when
another rule takes them out; so the rules for links and tags read past what the rules for escapes and invisible
characters remove. Everything here is a piece of an expression for the raw lane that Python's `re` takes too.
"""

CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f"
"""Inside a class: C0, DEL and C1 but for tab, line feed, carriage return and ESC."""
ESC = "\x1b"

CSI = f"(?:{ESC}\\[|\x9b)"
"""Opens a control sequence (ECMA-48, 5.4): colours, cursor movement, erasing."""
STRING = f"(?:{ESC}[\\]PX^_]|[\x90\x98\x9d-\x9f])"
"""Opens a control string (ECMA-48, 5.6): OSC, DCS, SOS, PM, APC, in seven and in eight bits."""
FINAL = "[=>78cDEFHMNOVWZ\\\\lmno|}~]"
"""What makes an escape sequence of two characters that terminals know (ECMA-48 and the VT100 series)."""

TAGS = "\U000e0000-\U000e007f"
SUPPLEMENT = "\U000e0100-\U000e01ef"
"""Variation selectors 17 to 256; a Han character may have one behind it."""
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    f"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a{TAGS}{SUPPLEMENT}"
)
"""Inside a class: Default_Ignorable_Code_Point (Unicode 15) that are assigned, and the interlinear annotation signs."""

STRAY = f"(?:{CSI}[0-?]{{0,16}}[ -/]?[@-~]|{ESC}{FINAL}?|[{CONTROL}{INVISIBLE}])"
"""One thing that may be taken out from between two signs."""
MAX_STRAYS = 8
"""So many in a row are read past. More never stand between two signs that belong together in ordinary text, so the
rules take more of them for an attempt to hide."""
