"""The lexicons and fingerprint sets of one configuration, each read once, and the forms of terms that a rule asks for.

What is wrong with a list is told once for each rule that uses it; the caller keeps problems as a set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import UNSET

from guardrail.errors import ConfigProblem
from guardrail.policy.document import tidy
from guardrail.policy.fingerprints import BadFingerprints, FingerprintFile
from guardrail.policy.lexicon import Lexicon
from guardrail.policy.lists import Lists
from guardrail.policy.resolve import Given, ResolvedRule


class Shelf:
    """`complain` is told every problem; `files` grows as lists are asked for. `lists` remembers from before."""

    def __init__(self, complain: Callable[..., None], lists: Lists) -> None:
        self._complain = complain
        self._lists = lists
        self._lexicons: dict[Path, tuple[Lexicon, list[ConfigProblem]]] = {}
        self._sets: dict[Path, FingerprintFile | str] = {}
        self.files: set[Path] = set()

    def of(self, resolved: ResolvedRule) -> Iterator[Lexicon]:
        """The lexicons of a rule, also of one for words near each other; of those that are there."""
        named: list[tuple[Given, str, tuple[str | int, ...]]] = []
        if (given := resolved.fields.get("lexicon")) is not None:
            if isinstance(given.value, str):
                named.append((given, given.value, ()))
            else:
                named += [(given, name, (index,)) for index, name in enumerate(given.value)]
        if (near := resolved.fields.get("near")) is not None:
            sides = [(name, getattr(near.value, name)) for name in ("first_lexicon", "second_lexicon")]
            named += [(near, name, (side,)) for side, name in sides if name is not UNSET]
        for at, name, below in named:
            lexicon = self.lexicon(at, name, *below)
            if lexicon is not None:
                yield lexicon

    def lexicon(self, given: Given, name: str, *below: str | int) -> Lexicon | None:
        """The lexicon that is named at a place of a policy; None where there is none."""
        path = tidy(given.document.path.parent / name)
        self.files.add(path)
        if not path.is_file():
            self._complain(given.problem(f"found no file {name!r} here, expected a lexicon", *below))
            return None
        if path not in self._lexicons:
            self._lexicons[path] = self._lists.read(path)
        lexicon, problems = self._lexicons[path]
        self.files.update(lexicon.files)
        self._complain(*problems)
        return lexicon

    def fingerprints(self, given: Given) -> FingerprintFile | None:
        """The fingerprint set that is named at a place of a policy; None where there is none that can be used."""
        path = tidy(given.document.path.parent / given.value)
        self.files.add(path)
        if path not in self._sets:
            try:
                self._sets[path] = FingerprintFile(path)
            except FileNotFoundError:
                self._sets[path] = f"found no file {given.value!r} here, expected a fingerprint set or system_prompt"
            except OSError as error:
                self._sets[path] = f"{given.value!r} cannot be read: {error.strerror}"
            except BadFingerprints as error:
                self._sets[path] = f"{given.value!r}: {error}"
        found = self._sets[path]
        if isinstance(found, str):
            self._complain(given.problem(found))
            return None
        return found

    def forms(self, resolved: ResolvedRule, terms: Iterable[str]) -> dict[str, None]:
        """The terms, and what else the rule is to find for them."""
        forms = dict.fromkeys(terms)
        if ways := resolved.get("expand"):
            try:
                from guardrail.policy.expansion import expand

                forms |= dict.fromkeys(form for term in forms for form in expand(term, ways))
            except ImportError as error:
                self._complain(resolved.fields["expand"].problem(f"found an expansion that cannot be made: {error}"))
        return forms
