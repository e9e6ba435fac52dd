"""Pushed versions over the policies of files: where each lies on disk, and its compilation.

A version is compiled by itself: what it extends comes from its own bundle, never from a file of the same name. Where a
version is live it stands in the place of the policy of its name for every tenant; what files say of tenants, upstreams
and everything else stays as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from guardrail.classify.detector import DetectorEntry
from guardrail.errors import ConfigProblem
from guardrail.policy.bundle import Bundle, read_unpacked, unpacked
from guardrail.policy.compile import Compiler
from guardrail.policy.lists import Lists
from guardrail.policy.load import load_policies
from guardrail.policy.policy import Policy
from guardrail.policy.versions import Head, Share


@dataclass(frozen=True, slots=True)
class Placed:
    """A version that lies on disk, checked whole."""

    name: str
    number: int
    digest: str
    """Of its bundle."""
    folder: Path
    models: frozenset[str]
    """Digests of the models that it may use."""


@dataclass(frozen=True, slots=True)
class Overlaid:
    """What is pushed of one name."""

    live: Placed | None = None
    """None: the policy of the files."""
    canary: tuple[Share, Placed] | None = None
    shadow: tuple[Share, Placed] | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """All that is pushed and in effect."""

    serial: int = 0
    """Of the head; 0: nothing was ever pushed."""
    lines: Mapping[str, Overlaid] = field(default_factory=dict)


NOTHING = Overlay()
"""Files only."""


def lay_out(head: Head, folder: Path, models: Path, bundles: Mapping[str, Bundle]) -> Overlay:
    """The overlay of a head. `bundles`, by digest, are laid into `folder`; others must lie there. Raises BadBundle,
    OSError."""
    lines = {}
    for name, line in head.policies.items():
        placed: dict[int, Placed] = {}
        for number in line.used:
            version = line.find(number)
            assert version is not None  # the head was checked
            bundle = bundles.get(version.bundle) or read_unpacked(folder, version.bundle)
            allowed = frozenset(bundle.manifest.models.values())
            placed[number] = Placed(name, number, version.bundle, unpacked(bundle, folder, models), allowed)
        lines[name] = Overlaid(
            placed.get(line.live),
            None if line.canary is None else (line.canary, placed[line.canary.version]),
            None if line.shadow is None else (line.shadow, placed[line.shadow.version]),
        )
    return Overlay(head.serial, lines)


class Pushed:
    """Compiles the versions of an overlay; `problems` and `files` grow as they are asked for."""

    def __init__(
        self, overlay: Overlay, environ: Mapping[str, str], *, reuse: Iterable[Policy] = (), lists: Lists
    ) -> None:
        self._overlay = overlay
        self._environ = environ
        self._reuse = list(reuse)
        self._lists = lists
        self._compilers: dict[Path, Compiler] = {}
        self._found: set[ConfigProblem] = set()

    @property
    def problems(self) -> set[ConfigProblem]:
        return self._found.union(*(compiler.problems for compiler in self._compilers.values()))

    @property
    def files(self) -> set[Path]:
        """Lists that were read."""
        return set().union(*(compiler.files for compiler in self._compilers.values()))

    def names(self) -> list[str]:
        """Names of which something is in effect."""
        return list(self._overlay.lines)

    def live(self, name: str, locale: str | None = None) -> Policy | None:
        """The version that is live; None where none is, or where it has problems."""
        line = self._overlay.lines.get(name)
        return None if line is None or line.live is None else self._policy(line.live, locale)

    def is_live(self, name: str) -> bool:
        """Whether a version stands in the place of the files' policy."""
        line = self._overlay.lines.get(name)
        return line is not None and line.live is not None

    def canary(self, name: str, locale: str | None = None) -> tuple[Share, Policy] | None:
        """What a share of the requests gets instead."""
        line = self._overlay.lines.get(name)
        return None if line is None else self._share(line.canary, locale)

    def shadow(self, name: str, locale: str | None = None) -> tuple[Share, Policy] | None:
        """What is judged beside."""
        line = self._overlay.lines.get(name)
        return None if line is None else self._share(line.shadow, locale)

    def spoken(self, name: str, locale: str | None) -> str:
        """The language of the notices of the version that is live."""
        placed = self._overlay.lines[name].live
        assert placed is not None
        return self._compiler(placed).spoken(name, locale)

    def _share(self, given: tuple[Share, Placed] | None, locale: str | None) -> tuple[Share, Policy] | None:
        policy = None if given is None else self._policy(given[1], locale)
        return None if given is None or policy is None else (given[0], policy)

    def _policy(self, placed: Placed, locale: str | None) -> Policy | None:
        policy = self._compiler(placed).policy(placed.name, locale)
        if policy is None:
            if not self._compiler(placed).problems:
                self._complain(placed, "has no policy of its name")
            return None
        for part in policy.parts:
            scorer = part.scorer
            if scorer is not None and not isinstance(scorer, DetectorEntry) and scorer.digest not in placed.models:
                self._complain(placed, f"was pushed with another model than {scorer.name}@{scorer.digest[:12]} here")
                return None
        return dataclasses.replace(policy, version=placed.number)

    def _complain(self, placed: Placed, message: str) -> None:
        path = placed.folder / "policies" / f"{placed.name}.yaml"
        self._found.add(ConfigProblem(str(path), 0, 0, f"{placed.name}@{placed.number} {message}"))

    def _compiler(self, placed: Placed) -> Compiler:
        if placed.folder not in self._compilers:
            config = load_policies(placed.folder / "policies")
            self._found.update(config.problems)
            self._compilers[placed.folder] = Compiler(config, self._environ, reuse=self._reuse, lists=self._lists)
        return self._compilers[placed.folder]
