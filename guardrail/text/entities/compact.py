"""Numbers as people write them: whole, or in groups by spaces, dots, dashes or strokes."""

from collections.abc import Callable

from guardrail.text.rules import Accept

_SEPARATORS = str.maketrans("", "", " .-/")


def compact(match: str) -> str:
    """The match without what separates its groups, in upper case."""
    return match.translate(_SEPARATORS).upper()


def checked(is_valid: Callable[[str], bool]) -> Accept:
    """A check of the compact number: ASCII letters and digits that `is_valid` accepts.

    One character over and over is no number, though sums over zeros or nines often come out.
    """

    def accept(match: str) -> bool:
        number = compact(match)
        return number.isascii() and number.isalnum() and len(set(number)) > 1 and is_valid(number)

    return accept
