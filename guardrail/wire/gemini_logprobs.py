"""Whether Gemini's log probabilities may pass: they repeat the text, token by token, and name the tokens not chosen.

They are removed whenever they say anything else than the text beside them, and when that text is changed or split.
"""

from __future__ import annotations

from collections.abc import Callable

_KEYS = frozenset({"chosenCandidates", "topCandidates", "logProbabilitySum"})
_TOKEN_KEYS = frozenset({"token", "tokenId", "logProbability"})


def may_pass(logprobs: object, text: str, clean: Callable[[str], bool]) -> bool:
    """Whether they spell exactly the text that they stand beside, and no rule would remove anything from the
    alternatives that they name. `clean`: says of a text that no rule would."""
    if not isinstance(logprobs, dict) or not logprobs.keys() <= _KEYS:
        return False
    chosen = _tokens(logprobs.get("chosenCandidates"))
    lists = logprobs.get("topCandidates") or []
    if chosen is None or "".join(chosen) != text or not isinstance(lists, list):
        return False
    others: list[str] = []
    for entry in lists:
        if not isinstance(entry, dict) or not entry.keys() <= {"candidates"}:
            return False
        tokens = _tokens(entry.get("candidates"))
        if tokens is None:
            return False
        others += tokens
    if _may_be_text(logprobs.get("logProbabilitySum")):
        return False
    return not others or clean("\n".join(others))


def _tokens(entries: object) -> list[str] | None:
    """The tokens of a list; None when it says anything else."""
    if entries is None:
        return []
    if not isinstance(entries, list):
        return None
    tokens: list[str] = []
    for entry in entries:
        if not isinstance(entry, dict) or not entry.keys() <= _TOKEN_KEYS:
            return None
        token = entry.get("token", "")
        if not isinstance(token, str) or any(_may_be_text(entry.get(key)) for key in ("tokenId", "logProbability")):
            return None
        tokens.append(token)
    return tokens


def _may_be_text(value: object) -> bool:
    return isinstance(value, str | list | dict)
