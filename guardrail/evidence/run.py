"""All duties of a preset, tried: what holds, what does not, what could not be tried, what is the operator's.

Promises: each check runs once, however many duties name it; a duty holds only when every check of it does; a duty that
was tried in part is not said to hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from guardrail.evidence.bench import Bench, bench
from guardrail.evidence.checks import Outcome, State, checks, tried
from guardrail.governance.presets import DutyEntry, PresetFile


class Verdict(StrEnum):
    """What is said of a duty."""

    HOLDS = "holds"
    FAILS = "fails"
    UNTRIED = "untried"
    OPERATOR = "operator"


class Tried(Struct, frozen=True):
    """One check of a duty."""

    check: Annotated[str, Meta(description="Its name.")]
    shows: Annotated[str, Meta(description="What it shows.")]
    state: Annotated[Literal["holds", "fails", "untried"], Meta(description="How it came out.")]
    said: Annotated[str, Meta(description="What was seen; of a failure: what would serve.")]


class DutyResult(Struct, frozen=True):
    """One duty."""

    id: Annotated[str, Meta(description="Its name.")]
    articles: Annotated[tuple[str, ...], Meta(description="Laws and articles.")]
    asks: Annotated[str, Meta(description="What it asks.")]
    settings: Annotated[tuple[str, ...], Meta(description="What serves it.")]
    verdict: Annotated[
        Literal["holds", "fails", "untried", "operator"],
        Meta(
            description="`holds`: all of its checks do. `fails`: one does not. `untried`: not all could be tried, or "
            "there is nothing that could be. `operator`: guardrail has no part in it."
        ),
    ]
    checks: Annotated[list[Tried], Meta(description="What was tried.")]
    operator: Annotated[str, Meta(description="What is left to the operator.")]


class Evidence(Struct, frozen=True):
    """The report."""

    version: Annotated[Literal[1], Meta(description="Version of this format.")]
    generator: Annotated[str, Meta(description="The software that made it.")]
    made_at: Annotated[str, Meta(description="When it was made, UTC.")]
    preset: Annotated[str, Meta(description="Name of the preset.")]
    title: Annotated[str, Meta(description="The laws it is about.")]
    as_of: Annotated[str, Meta(description="When their texts were read.")]
    notice: Annotated[str, Meta(description="What must be known before relying on it.")]
    named: Annotated[bool, Meta(description="Whether the configuration names the preset.")]
    policy: Annotated[str, Meta(description="The policy that was tried: name and digest.")]
    configuration: Annotated[str, Meta(description="SHA-256 of the configuration that was tried, hex.")]
    changes: Annotated[tuple[str, ...], Meta(description="What the trial had in the place of the operator's own.")]
    duties: Annotated[list[DutyResult], Meta(description="The duties.")]
    not_covered: Annotated[tuple[str, ...], Meta(description="Duties of the same laws that the preset does not serve.")]

    @property
    def holds(self) -> bool:
        """Whether no duty fails."""
        return self.count(Verdict.FAILS) == 0

    def count(self, verdict: Verdict) -> int:
        """Duties of which this is said."""
        return sum(duty.verdict == verdict.value for duty in self.duties)


async def gather(
    config: Path | None, preset: PresetFile, named: str, *, tenant: str | None = None, only: Iterable[str] = ()
) -> Evidence:
    """Try the duties of a preset under a configuration. Raises ConfigError, ChildError.

    `named`: the preset as `guardrail.yaml` would name it. `only`: ids of the duties to try; none: all.
    """
    wanted = frozenset(only)
    duties = [duty for duty in preset.duties if not wanted or duty.id in wanted]
    async with bench(config, preset, named, tenant=tenant) as asked:
        outcomes: dict[str, Outcome] = {}
        for duty in duties:
            for name in duty.checks:
                if name not in outcomes:
                    outcomes[name] = await tried(name, asked)
        return _evidence(preset, duties, outcomes, asked)


def _evidence(preset: PresetFile, duties: list[DutyEntry], outcomes: dict[str, Outcome], asked: Bench) -> Evidence:
    return Evidence(
        version=1,
        generator=f"guardrail {version('guardrail')}",
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        preset=preset.preset,
        title=preset.title,
        as_of=preset.as_of,
        notice=preset.notice,
        named=preset.preset in asked.snapshot.presets,
        policy=asked.tenant.policy.tag,
        configuration=asked.snapshot.digest,
        changes=asked.setting.changes,
        duties=[result_of(duty, outcomes) for duty in duties],
        not_covered=preset.not_covered,
    )


def result_of(duty: DutyEntry, outcomes: dict[str, Outcome]) -> DutyResult:
    """What is said of a duty whose checks came out so. Pure."""
    known = checks()
    tries = [
        Tried(name, known[name].shows if name in known else "", outcomes[name].state.value, outcomes[name].said)
        for name in duty.checks
    ]
    states = {outcomes[name].state for name in duty.checks}
    if not duty.settings:
        verdict = Verdict.OPERATOR
    elif State.FAILS in states:
        verdict = Verdict.FAILS
    elif states == {State.HOLDS}:
        verdict = Verdict.HOLDS
    else:
        verdict = Verdict.UNTRIED
    return DutyResult(duty.id, duty.articles, duty.asks, duty.settings, verdict.value, tries, duty.operator)
