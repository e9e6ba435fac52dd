"""The end of one lane that may still matter, with the raw span of each of its characters."""

from __future__ import annotations


class Lane:
    """A window on a lane: the characters that a match may still touch, after one character of context.

    Where every character of the window stands for exactly one raw character and none is missing between them,
    `spans` is None and index i stands for raw offset `at + i`. Otherwise `spans` has (start, end) for each.
    """

    __slots__ = ("at", "base", "spans", "text")

    def __init__(self) -> None:
        self.text = "\n"
        """Begins as the context of the lane's first character: a line feed, beside which every edge holds."""
        self.at = -1
        self.base = -1
        """Counts what `trim` dropped, so that a place in the window can be found again after it."""
        self.spans: list[tuple[int, int]] | None = None

    def __eq__(self, other: object) -> bool:
        """Whether both have the same characters for the same raw text."""
        if not isinstance(other, Lane):
            return NotImplemented
        return self.text == other.text and self.at == other.at and self.spans == other.spans

    __hash__ = None  # type: ignore[assignment]

    def append(self, piece: str, start: int, end: int | None = None) -> None:
        """Add lane characters: of raw [start, end) each, or one raw character each from `start` on."""
        if self.spans is None and end is None and self.at + len(self.text) == start:
            self.text += piece
            return
        if self.spans is None:
            self.spans = [(self.at + i, self.at + i + 1) for i in range(len(self.text))]
        if end is None:
            self.spans += [(start + i, start + i + 1) for i in range(len(piece))]
        else:
            self.spans += [(start, end)] * len(piece)
        self.text += piece

    def pop(self, count: int) -> None:
        """Take the last characters back, to be folded again with what has come."""
        if count:
            self.text = self.text[:-count]
            if self.spans is not None:
                del self.spans[-count:]

    def trim(self, keep: int) -> None:
        """Forget what stands before index `keep`, which becomes the context."""
        if keep <= 0:
            return
        self.text = self.text[keep:]
        self.base += keep
        if self.spans is None:
            self.at += keep
            return
        self.spans = self.spans[keep:]
        first = self.spans[0][0]
        if all(span == (first + i, first + i + 1) for i, span in enumerate(self.spans)):
            self.at = first
            self.spans = None

    def start(self, index: int, received: int) -> int:
        """Raw offset where the character at `index` starts; `received` when there is none."""
        if index >= len(self.text):
            return received
        return self.at + index if self.spans is None else self.spans[index][0]

    def end(self, index: int) -> int:
        """Raw offset where the character before `index` ends."""
        return self.at + index if self.spans is None else self.spans[index - 1][1]
