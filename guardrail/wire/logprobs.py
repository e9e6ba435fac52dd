"""Whether log probabilities may pass: they repeat the text, token by token, and name the tokens not chosen.

They pass only when they spell exactly the text that they stand beside, and no rule would remove anything from the
alternatives. The codec removes them (null) otherwise, and whenever it changes or splits that text.

Three forms: the lists of Chat Completions, the columns of legacy Completions, and what vLLM tells of the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TOKEN_KEYS = frozenset({"token", "logprob", "bytes", "top_logprobs", "id"})
"""`id`: llama.cpp's number of the token."""
_LISTS = {"content": "content", "refusal": "refusal"}
_COLUMNS = frozenset({"tokens", "token_logprobs", "top_logprobs", "text_offset"})
_THOUGHT = ("reasoning_content", "reasoning", "content")
_ESCAPED = re.compile(r"(?:\\x[0-9a-f]{2})+")
"""How OpenAI writes a token that is no whole UTF-8 character."""


def may_pass(logprobs: object, message: dict[str, Any], clean: Callable[[str], bool]) -> bool:
    """`message`: the delta or message beside them; of legacy Completions, its text as `content`. `clean`: no rule would
    remove anything from this text."""
    if not isinstance(logprobs, dict):
        return False
    alternatives: list[str] = []
    if logprobs.keys() <= _LISTS.keys():
        spelled = {_LISTS[key]: _spell(tokens or [], alternatives) for key, tokens in logprobs.items()}
    elif logprobs.keys() <= _COLUMNS:
        spelled = {"content": _spell_columns(logprobs, alternatives)}
    else:
        return False
    if any(said is None or said not in _beside(message, key) for key, said in spelled.items()):
        return False
    return not alternatives or clean("\n".join(alternatives))


def prompt_may_pass(logprobs: object, clean: Callable[[str], bool]) -> bool:
    """vLLM's `prompt_logprobs`: for each token of the prompt, {token id: {"logprob", "rank", "decoded_token"}}, the
    prompt's own token first. They pass when no rule would remove anything from what the tokens spell."""
    if logprobs is None:
        return True
    if not isinstance(logprobs, list):
        return False
    prompt: list[str] = []
    tokens: list[str] = []
    for candidates in logprobs:
        if not isinstance(candidates, dict | None):
            return False
        spelled: list[str] = []
        for number, entry in (candidates or {}).items():
            if not (number.isascii() and number.isdigit() and isinstance(entry, dict)):
                return False
            token = entry.get("decoded_token")
            if not entry.keys() <= {"logprob", "rank", "decoded_token"} or not isinstance(token, str | None):
                return False
            if not _is_number(entry.get("logprob")) or not _is_number(entry.get("rank")):
                return False
            spelled.append(token or "")
        prompt += spelled[:1]
        tokens += spelled
    return clean("".join(prompt)) and clean("\n".join(tokens))


def _beside(message: dict[str, Any], key: str) -> set[bytes]:
    """What the tokens of a list may spell: its text; where a server takes the tokens of thinking along, both."""
    texts = [text if isinstance(text, str) else "" for text in map(message.get, _THOUGHT)]
    text = message.get(key)
    said = [text if isinstance(text, str) else ""]
    if key == "content":
        said += ["".join(texts), "".join(texts[:2])]
    return {text.encode("utf-8", "surrogatepass") for text in said}


def _spell_columns(logprobs: dict[str, Any], alternatives: list[str]) -> bytes | None:
    """The same for legacy Completions, which tell tokens, numbers and alternatives in a list each."""
    tokens = logprobs.get("tokens")
    numbers = [*_listed(logprobs.get("token_logprobs")), *_listed(logprobs.get("text_offset"))]
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        return None
    if not all(map(_is_number, numbers)):
        return None
    for others in _listed(logprobs.get("top_logprobs")):
        if not isinstance(others, dict | None) or not all(map(_is_number, (others or {}).values())):
            return None
        alternatives += others or {}
    return b"".join(map(_spelled, tokens))


def _listed(value: object) -> list[Any]:
    """What is no list is told by an entry that is none either."""
    return value if isinstance(value, list) else [] if value is None else [""]


def _spelled(token: str) -> bytes:
    """The bytes of a token of legacy Completions, which writes those that are no whole character as `bytes:\\x..`."""
    escaped = token.removeprefix("bytes:")
    if escaped != token and _ESCAPED.fullmatch(escaped):
        return bytes.fromhex(escaped.replace("\\x", ""))
    return token.encode("utf-8", "surrogatepass")


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
    if not _is_number(entry.get("id")):
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
