"""Whether log probabilities may pass: they repeat the text, token by token, and name the tokens not chosen.

They pass only when they spell exactly the text that they stand beside, and no rule would remove anything from the
alternatives. The codec removes them (null) otherwise, and whenever it changes or splits that text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TOKEN_KEYS = frozenset({"token", "logprob", "bytes", "top_logprobs"})
_LISTS = {"content": "content", "refusal": "refusal"}
_ESCAPED = re.compile(r"(?:\\x[0-9a-f]{2})+")
"""How OpenAI writes a token that is no whole UTF-8 character."""


def may_pass(logprobs: object, message: dict[str, Any], clean: Callable[[str], bool]) -> bool:
    """`message`: the delta or message beside them. `clean`: no rule would remove anything from this text."""
    if not isinstance(logprobs, dict) or not logprobs.keys() <= _LISTS.keys():
        return False
    alternatives: list[str] = []
    for key, tokens in logprobs.items():
        text = message.get(_LISTS[key])
        spelled = _spell(tokens or [], alternatives)
        if spelled is None or spelled != (text if isinstance(text, str) else "").encode("utf-8", "surrogatepass"):
            return False
    return not alternatives or clean("\n".join(alternatives))


def _spell(tokens: object, alternatives: list[str]) -> bytes | None:
    """The bytes that a list of tokens spells; the text of other candidates is added to `alternatives`."""
    if not isinstance(tokens, list):
        return None
    out = []
    for entry in tokens:
        token = _token(entry)
        if token is None:
            return None
        out.append(token)
        others = entry.get("top_logprobs") or []
        if not isinstance(others, list):
            return None
        for other in others:
            spelled = _token(other)
            if spelled is None or other.get("top_logprobs"):
                return None
            alternatives.append(spelled.decode("utf-8", "replace"))
    return b"".join(out)


def _token(entry: object) -> bytes | None:
    """The bytes of one token, if what its `token` and `bytes` say is the same."""
    if not isinstance(entry, dict) or not entry.keys() <= _TOKEN_KEYS or not _is_number(entry.get("logprob")):
        return None
    token, numbers = entry.get("token"), entry.get("bytes")
    if not isinstance(token, str):
        return None
    written = token.encode("utf-8", "surrogatepass")
    if numbers is None:
        return written
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 256 for n in numbers):
        return None
    spelled = bytes(numbers)
    if spelled == written or (_ESCAPED.fullmatch(token) and bytes.fromhex(token.replace("\\x", "")) == spelled):
        return spelled
    return None


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int | float)
