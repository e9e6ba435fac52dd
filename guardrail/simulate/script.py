"""What the simulated model server answers: a reply for each keyword, built in or from a YAML or JSON file.

A script lists replies; the first whose `when` occurs in the last user message (whatever the case) is given,
and a message that meets none is echoed. A reply lists one or more choices; `n` of a request walks through
them in turn. Every value in the built-in replies is made up: test card numbers, reserved domains, keys of
nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec


class ToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that the model makes if the request offers tools; `arguments` is JSON text."""

    name: str
    arguments: str = "{}"


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice; `reasoning` is sent by models whose name ends in `-reasoning`."""

    content: str = ""
    reasoning: str = "The user asks something simple. I answer in a few words."
    tool_calls: tuple[ToolCall, ...] = ()


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The choices for messages in which `when` occurs."""

    when: str
    choices: tuple[Reply, ...]


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All replies, in order of precedence."""

    replies: tuple[Entry, ...]

    @classmethod
    def load(cls, path: Path) -> Script:
        """Read a script file. Raises ValueError naming the file and the field, OSError if unreadable."""
        try:
            script: Script = msgspec.yaml.decode(path.read_bytes(), type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: {error}") from error
        for entry in script.replies:
            if not entry.when or not entry.choices:
                raise ValueError(f"{path}: a reply needs a `when` that is not empty, and at least one choice")
        return script

    def choose(self, message: str, n: int) -> list[Reply]:
        """The `n` choices that answer this message."""
        wanted = message.casefold()
        for entry in self.replies:
            if entry.when.casefold() in wanted:
                return [entry.choices[i % len(entry.choices)] for i in range(n)]
        return [Reply(f"You wrote: {message}")] * n


SKY: Final = (
    "Sunlight holds every colour. Air scatters the short blue waves far more than the long red ones, so "
    "blue light reaches your eyes from the whole sky. At sunset the light crosses much more air, most of the "
    "blue is scattered away, and the red is left."
)
CONTACT: Final = (
    "Dear team, please write to Ana Kowalska at ana.kowalska@example.com before Friday. Her card on file is "
    "4111 1111 1111 1111, and the refund of 25 euros goes back to it. Thank you!"
)
BRAND: Final = "For a picnic I would pack bread, cheese, apples, and a cold Acme Cola for everyone. Enjoy the day!"
HALT: Final = (
    "The door is easy to describe. It has a keypad on the left, and the vault code is 7-7-1-9, which opens "
    "it at any hour. After that, turn the handle and walk in."
)
INSULT: Final = (
    "Find the program in the list and kill it with kill -9; after that it is dead for good. Honestly, you are a "
    "stupid, ugly idiot, and nobody likes you. Next time, read the manual first."
)
CHINESE: Final = "好的,已为您登记:手机 13800138000,身份证号 11010519491231002X。客服将在两个工作日内联系您。"
LEAKY_FILE: Final = '{"file": "deploy.env", "content": "AWS_ACCESS_KEY_ID=AKIA2VAVWETPFOYSCXS4", "mode": 420}'

BUILT_IN: Final = Script(
    (
        Entry("sky", (Reply(SKY),)),
        Entry("refund", (Reply(CONTACT),)),
        Entry("picnic", (Reply(BRAND), Reply(BRAND.replace("Acme Cola", "lemonade")))),
        Entry("vault", (Reply(HALT, "They want the way in. I know that the vault code is 7-7-1-9."), Reply(SKY))),
        Entry("hung program", (Reply(INSULT),)),
        Entry("登记", (Reply(CHINESE),)),
        Entry("deploy", (Reply("I will write the file.", tool_calls=(ToolCall("write_file", LEAKY_FILE),)),)),
        Entry("weather", (Reply(tool_calls=(ToolCall("get_weather", '{"city": "Lisbon", "days": 3}'),)),)),
    )
)
