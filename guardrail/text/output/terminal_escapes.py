"""Escape sequences and control characters, which a terminal obeys instead of showing them.

They move the cursor over what was written, hide text, set the window's title, write to the clipboard (OSC 52), hide an
address behind other words (OSC 8). All are taken out and nothing stands for them, so that coloured text reads as plain
text; tabs and line ends stay. A carriage return stays before a line feed only: elsewhere what follows it would be
written over what precedes it, and both are shown instead.

A control string (OSC, DCS, APC, PM, SOS) goes with its content when it ends within `_LONGEST` characters of the same
line. One that does not would swallow the rest of the text on a terminal; only its first two characters go, and what
follows is shown as the plain text that it then is.
"""

from guardrail.text.output.hidden import CONTROL, CSI, ESC, FINAL, STRING
from guardrail.text.output.rule import OutputRule
from guardrail.text.rules import Label

_LONGEST = 1000
"""The most content of a control string, in characters; as many are held while its end is awaited. Addresses and
titles are shorter; of a longer clipboard text the content stays readable and is copied nowhere."""
_PRINTED = "[^\x00-\x1f\x7f-\x9f]"

RULE = OutputRule(
    name="terminal_escapes",
    severity="medium",
    mask=Label(""),
    expressions=(
        f"{CSI}[0-?]{{0,48}}[ -/]{{0,4}}[@-~]?"
        f"|{STRING}(?:{_PRINTED}{{0,{_LONGEST}}}(?:\x07|{ESC}\\\\|\x9c))?"
        f"|{ESC}(?:[ -/]{{1,4}}[0-~]?|{FINAL})?"
        f"|[{CONTROL}]{{1,64}}",
        "\r",
    ),
    right=("none", "newline"),
    checks=(None, None),
    takes_hosts=False,
    edits=(
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("a\x9b31mb", "ab"),
        ("\x1b[38;2;255;100;0;48:5:12mx", "x"),
        ("\x1b[2J\x1b[Hall gone", "all gone"),
        ("\x1b[?25lno cursor", "no cursor"),
        ("\x1b[", ""),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://elsewhere.example/\x1b\\a bank\x1b]8;;\x1b\\", "a bank"),
        ("\x1b]52;c;cm0gLXJm\x07.", "."),
        ("\x9d52;c;cm0gLXJm\x9c.", "."),
        ("\x1bPq#0;2;0;0;0\x1b\\x", "x"),
        ("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\.", "."),
        ("\x1b]0;never ends\nnext line", "0;never ends\nnext line"),
        ("\x1bcreset, \x1b7saved, \x1b(Bascii, \x1b#8test", "reset, saved, ascii, test"),
        ("\x1bThe answer", "The answer"),
        ("\x1b\x1b[31mx", "x"),
        ("ring\x07, pass\x08\x08\x08\x08word", "ring, password"),
        ("a\x00b\x7fc\x0bd\x0ce\x0ef", "abcdef"),
        ("Safe text\rEvil", "Safe textEvil"),
        ("one\r\r\ntwo\r", "one\r\ntwo"),
        ("中\x1b[1m文\x1b[m", "中文"),
    ),
    misses=(
        "plain text",
        "a\tb\nc\r\nd",
        r"printf '\x1b[31mred\x1b[0m'",
        r"\033[0m and \e[0m and ^[[0m",
        "[31m without its escape",
        "]8;; and [0m",
        "caf\u00e9 \u00a0 \u2028 \u200d",
        "\u241b[31m",
    ),
)
