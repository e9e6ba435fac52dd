"""The conduct ladder: strikes that decay, and the steps that they lead to. Pure.

What a person's requests were stopped for adds points; points halve with every half-life; at thresholds a step is taken:
warn, restrict, suspend, terminate. Each step begins a measure, which has a case (`guardrail.governance.cases`).

Promises: one request adds one strike for each category at most, and none a second time, so that a strike may be
written twice; points do not depend on the order of strikes; no step is taken while one as grave is in force, so that
each is taken once. Never holds text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp2
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from guardrail.governance.sections import PolicyName
from guardrail.text.rules import SEVERITIES, Finding, Severity
from guardrail.text.scores import UNAVAILABLE

Step = Literal["warn", "restrict", "suspend", "terminate"]
STEPS: tuple[Step, ...] = ("warn", "restrict", "suspend", "terminate")
"""From the mildest to the gravest."""

Side = Literal["prompt", "answer"]

DAY = 86400.0
MOST_STRIKES = 32
"""Strikes that are kept one by one: a document stays under 8 KiB. The points of older ones are kept as a sum."""
NOTHING = 0.01
"""Points below which a strike is forgotten."""
_AFTERWARDS = 30 * DAY
"""A document is kept so long after its last measure: whoever asks then is told what was."""
FOREVER = 100 * 365 * DAY
"""Seconds that a document with a measure without end is kept."""

NO_FAULT = dict.fromkeys(("self_harm", "personal_data", "secret", "output_handling"), 0.0)
"""Categories that are nobody's misconduct, unless the terms say so: who is in a crisis is helped; data of people,
secrets and unsafe mark-up are what a model should not say, and what somebody may paste by mistake."""

Points = Annotated[float, Meta(ge=0, le=1000)]
Duration = Annotated[float, Meta(gt=0, le=3650 * DAY)]


class Weights(Struct, frozen=True, forbid_unknown_fields=True):
    """Points of one strike, by the severity of the rule."""

    low: Annotated[Points | UnsetType, Meta(description="Points of a low one; by default 0.")] = UNSET
    medium: Annotated[Points | UnsetType, Meta(description="Points of a medium one; by default 1.")] = UNSET
    high: Annotated[Points | UnsetType, Meta(description="Points of a high one; by default 2.")] = UNSET
    critical: Annotated[Points | UnsetType, Meta(description="Points of a critical one; by default 4.")] = UNSET


class Warn(Struct, frozen=True, forbid_unknown_fields=True):
    """The first step: the next answer begins with a notice."""

    at: Annotated[Points | UnsetType, Meta(description="From how many points on; by default 3. 0: never.")] = UNSET
    duration: Annotated[
        Duration | UnsetType, Meta(description="Seconds in which nobody is warned again; by default 7 days.")
    ] = UNSET


class Restrict(Struct, frozen=True, forbid_unknown_fields=True):
    """The second step: a stricter policy, and slower answers. Not taken unless it is given."""

    at: Annotated[Points | UnsetType, Meta(description="From how many points on; by default 6. 0: never.")] = UNSET
    policy: Annotated[
        PolicyName | UnsetType, Meta(description="The policy instead of the tenant's; by default the tenant's stays.")
    ] = UNSET
    delay: Annotated[
        Annotated[float, Meta(ge=0, le=60)] | UnsetType,
        Meta(description="Seconds that each request waits; by default 2."),
    ] = UNSET
    duration: Annotated[Duration | UnsetType, Meta(description="Seconds until it ends; by default 7 days.")] = UNSET


class Suspend(Struct, frozen=True, forbid_unknown_fields=True):
    """The third step: requests are refused for a time."""

    at: Annotated[Points | UnsetType, Meta(description="From how many points on; by default 10. 0: never.")] = UNSET
    duration: Annotated[Duration | UnsetType, Meta(description="Seconds until it ends; by default a day.")] = UNSET


class Terminate(Struct, frozen=True, forbid_unknown_fields=True):
    """The last step: requests are refused until a person decides otherwise. Not taken unless it is given."""

    at: Annotated[Points | UnsetType, Meta(description="From how many points on; by default 20. 0: never.")] = UNSET


class Redress(Struct, frozen=True, forbid_unknown_fields=True):
    """How somebody may object to a measure."""

    days: Annotated[
        Annotated[int, Meta(ge=1, le=3650)] | UnsetType,
        Meta(description="Days in which a case may be appealed; by default 184: six months."),
    ] = UNSET
    contact: Annotated[
        Annotated[str, Meta(min_length=1, max_length=500)] | UnsetType,
        Meta(description="Where people may turn beside the complaints endpoint: an address, a form, a telephone."),
    ] = UNSET


class ConductTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """Strikes of end users, and the steps that they lead to."""

    half_life: Annotated[
        Duration | UnsetType, Meta(description="Seconds in which points become half as many; by default 30 days.")
    ] = UNSET
    weights: Annotated[Weights | UnsetType, Meta(description="Points of a strike, by severity.")] = UNSET
    categories: Annotated[
        dict[str, Points] | UnsetType,
        Meta(
            description="Factors to the points, by category; by default 1, but 0 for `self_harm`, `personal_data`, "
            "`secret` and `output_handling`."
        ),
    ] = UNSET
    of: Annotated[
        Literal["prompts", "answers", "both"] | UnsetType,
        Meta(description="Whose text counts: what people wrote, what the model answered, or `both` (the default)."),
    ] = UNSET
    actions: Annotated[
        Annotated[tuple[Literal["log", "redact", "replace", "halt"], ...], Meta(min_length=1)] | UnsetType,
        Meta(description="Findings of which actions count; by default `[halt]`: halted answers and refused prompts."),
    ] = UNSET
    exempt: Annotated[
        tuple[str, ...] | UnsetType, Meta(description="Ids of rules whose findings never count; by default none.")
    ] = UNSET
    warn: Annotated[Warn | UnsetType, Meta(description="When people are warned.")] = UNSET
    restrict: Annotated[Restrict | UnsetType, Meta(description="When their requests get a stricter policy.")] = UNSET
    suspend: Annotated[Suspend | UnsetType, Meta(description="When they are refused for a time.")] = UNSET
    terminate: Annotated[Terminate | UnsetType, Meta(description="When they are refused for good.")] = UNSET
    ground: Annotated[
        Annotated[str, Meta(min_length=1, max_length=500)] | UnsetType,
        Meta(description="The clause that a measure rests on, as a statement of reasons names it."),
    ] = UNSET
    redress: Annotated[Redress | UnsetType, Meta(description="How somebody may object.")] = UNSET


@dataclass(frozen=True, slots=True)
class Rung:
    """One step that may be taken."""

    step: Step
    at: float
    """Points."""
    duration: float | None
    """Seconds; None: without end."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The terms, with every default filled in."""

    half_life: float
    weights: Mapping[Severity, float]
    categories: Mapping[str, float]
    sides: frozenset[Side]
    actions: frozenset[str]
    exempt: frozenset[str]
    rungs: tuple[Rung, ...]
    """Those that may be taken, from the mildest."""
    policy: str
    """Of `restrict`; "": the tenant's own."""
    delay: float
    ground: str
    """"": the statement names the terms of use in general."""
    redress_days: int
    contact: str

    def duration(self, step: Step) -> float | None:
        """Of a measure; also of a step that is not taken by itself."""
        usual: dict[Step, float | None] = {"warn": 7 * DAY, "restrict": 7 * DAY, "suspend": DAY, "terminate": None}
        return next((rung.duration for rung in self.rungs if rung.step == step), usual[step])


def _or(value: float | UnsetType, default: float) -> float:
    return default if value is UNSET else float(value)


def ladder_of(terms: ConductTerms) -> Ladder:
    """The ladder that the terms describe. All defaults stand here."""
    weights = Weights() if terms.weights is UNSET else terms.weights
    warn = Warn() if terms.warn is UNSET else terms.warn
    restrict = Restrict(at=0) if terms.restrict is UNSET else terms.restrict
    suspend = Suspend() if terms.suspend is UNSET else terms.suspend
    terminate = Terminate(at=0) if terms.terminate is UNSET else terms.terminate
    redress = Redress() if terms.redress is UNSET else terms.redress
    of = "both" if terms.of is UNSET else terms.of
    sides: dict[str, frozenset[Side]] = {
        "prompts": frozenset(("prompt",)),
        "answers": frozenset(("answer",)),
        "both": frozenset(("prompt", "answer")),
    }
    rungs = (
        Rung("warn", _or(warn.at, 3), _or(warn.duration, 7 * DAY)),
        Rung("restrict", _or(restrict.at, 6), _or(restrict.duration, 7 * DAY)),
        Rung("suspend", _or(suspend.at, 10), _or(suspend.duration, DAY)),
        Rung("terminate", _or(terminate.at, 20), None),
    )
    return Ladder(
        half_life=_or(terms.half_life, 30 * DAY),
        weights={
            severity: _or(getattr(weights, severity), usual)
            for severity, usual in zip(SEVERITIES, (0, 1, 2, 4), strict=True)
        },
        categories=NO_FAULT | ({} if terms.categories is UNSET else terms.categories),
        sides=sides[of],
        actions=frozenset(("halt",) if terms.actions is UNSET else terms.actions),
        exempt=frozenset(() if terms.exempt is UNSET else terms.exempt),
        rungs=tuple(rung for rung in rungs if rung.at > 0),
        policy="" if restrict.policy is UNSET else restrict.policy,
        delay=_or(restrict.delay, 2),
        ground="" if terms.ground is UNSET else terms.ground,
        redress_days=184 if redress.days is UNSET else redress.days,
        contact="" if redress.contact is UNSET else redress.contact,
    )


class Strike(Struct, frozen=True):
    """What one request was stopped for, in one category."""

    request: str
    """The request's id."""
    at: float
    """Unix seconds."""
    points: float
    """When it was made."""
    category: str
    severity: str
    rule: str
    action: str
    side: Side
    policy: str
    """`name@digest` of the policy that the request was under, cut to 12 hex digits."""
    case: str = ""
    """Of the step that it led to; "" until then."""


class Measure(Struct, frozen=True):
    """A step that was taken."""

    step: Step
    case: str
    begun: float
    until: float | None
    """None: without end."""
    threshold: float = 0.0
    """Points at which it is taken; 0: it was imposed by a person, and rests on no points."""
    told: bool = False
    """Whether an answer has begun with a notice of it."""

    def holds(self, now: float) -> bool:
        return self.until is None or self.until > now


class Conduct(Struct, frozen=True):
    """What is known of one person: the document `conduct`."""

    tenant: str = ""
    half_life: float = 30 * DAY
    strikes: tuple[Strike, ...] = ()
    earlier: float = 0.0
    """Points of strikes that are not listed any more, at the time `earlier_at`."""
    earlier_at: float = 0.0
    measures: tuple[Measure, ...] = ()
    lifted: tuple[str, ...] = ()
    """Cases whose strikes were taken back."""


def decayed(points: float, age: float, half_life: float) -> float:
    """What is left of points after `age` seconds; of those yet to come (another clock), all."""
    return points * exp2(-max(age, 0.0) / half_life)


def points_of(conduct: Conduct, now: float) -> float:
    """Points at the time `now`."""
    listed = sum(decayed(strike.points, now - strike.at, conduct.half_life) for strike in conduct.strikes)
    return listed + decayed(conduct.earlier, now - conduct.earlier_at, conduct.half_life)


def in_force(conduct: Conduct, now: float) -> Measure | None:
    """The gravest measure that holds now; of two as grave the one that ends last."""
    holding = [measure for measure in conduct.measures if measure.holds(now)]
    return max(holding, key=lambda m: (STEPS.index(m.step), m.until is None, m.until or 0.0), default=None)


def strikes_of(
    findings: Iterable[tuple[Side, Finding]], ladder: Ladder, request: str, now: float, policy: str
) -> tuple[Strike, ...]:
    """The strikes of one request: of each category, the finding that weighs most."""
    most: dict[str, Strike] = {}
    for side, found in findings:
        action = found.action.value
        if side not in ladder.sides or action not in ladder.actions or found.rule in ladder.exempt:
            continue
        if found.rule == UNAVAILABLE.id:  # an answer that ended as it could not be scored: a failure of ours
            continue
        severity: Severity = found.severity
        points = ladder.weights[severity] * ladder.categories.get(found.category, 1.0)
        if points > 0 and (found.category not in most or points > most[found.category].points):
            most[found.category] = Strike(
                request, now, points, found.category, severity, found.rule, action, side, policy
            )
    return tuple(most[category] for category in sorted(most))


def struck(
    conduct: Conduct, strikes: Iterable[Strike], ladder: Ladder, now: float, case: str
) -> tuple[Conduct, Measure | None]:
    """The person's conduct with these strikes, and the measure that begins with them, if one does.

    Strikes that are in it already change nothing. `case`: the id of its case."""
    known = {(strike.request, strike.category) for strike in conduct.strikes}
    new = [strike for strike in strikes if (strike.request, strike.category) not in known]
    if not new:
        return conduct, None
    conduct = msgspec.structs.replace(
        conduct,
        half_life=ladder.half_life,
        strikes=tuple(sorted((*conduct.strikes, *new), key=lambda strike: (strike.at, strike.request))),
        measures=tuple(measure for measure in conduct.measures if measure.holds(now)),
    )
    holding = in_force(conduct, now)
    grade = -1 if holding is None else STEPS.index(holding.step)
    total = points_of(conduct, now)
    due = [rung for rung in ladder.rungs if rung.at <= total and STEPS.index(rung.step) > grade]
    if not due:
        return _kept_small(conduct, now), None
    rung = max(due, key=lambda rung: STEPS.index(rung.step))
    until = None if rung.duration is None else now + rung.duration
    measure = Measure(rung.step, case, now, until, rung.at)
    conduct = msgspec.structs.replace(
        conduct,
        strikes=tuple(
            strike if strike.case else msgspec.structs.replace(strike, case=case) for strike in conduct.strikes
        ),
        measures=(*conduct.measures, measure),
    )
    return _kept_small(conduct, now), measure


def _kept_small(conduct: Conduct, now: float) -> Conduct:
    """Without strikes that are worth nothing any more, and with the oldest of too many as a sum."""
    strikes = [s for s in conduct.strikes if decayed(s.points, now - s.at, conduct.half_life) >= NOTHING]
    folded, strikes = strikes[:-MOST_STRIKES], strikes[-MOST_STRIKES:]
    if not folded:
        return msgspec.structs.replace(conduct, strikes=tuple(strikes))
    at = max(folded[-1].at, conduct.earlier_at)
    earlier = decayed(conduct.earlier, at - conduct.earlier_at, conduct.half_life)
    earlier += sum(decayed(strike.points, at - strike.at, conduct.half_life) for strike in folded)
    return msgspec.structs.replace(conduct, strikes=tuple(strikes), earlier=earlier, earlier_at=at)


def lifted(conduct: Conduct, case: str, strikes: Iterable[Strike], now: float) -> tuple[Conduct, tuple[Measure, ...]]:
    """The conduct without the strikes of a case and without its measure; and the measures that end with that, those of
    other cases among them, as far as nothing holds them any more. `strikes`: those of the case, as the case has them.
    A second time, nothing more is taken away."""
    if case in conduct.lifted:
        return conduct, ()
    listed = {(strike.request, strike.category) for strike in conduct.strikes}
    earlier = conduct.earlier
    for strike in strikes:
        if (strike.request, strike.category) not in listed and strike.at <= conduct.earlier_at:
            earlier -= decayed(strike.points, conduct.earlier_at - strike.at, conduct.half_life)
    own = {(strike.request, strike.category) for strike in strikes}
    left = msgspec.structs.replace(
        conduct,
        strikes=tuple(
            strike for strike in conduct.strikes if strike.case != case and (strike.request, strike.category) not in own
        ),
        earlier=max(earlier, 0.0) if earlier > NOTHING else 0.0,
        lifted=(*conduct.lifted, case)[-MOST_STRIKES:],
    )

    def rests(measure: Measure) -> bool:
        """Whether the points that it was taken for are still enough; those of now may stand in for them."""
        lost = _points_then(conduct, measure) >= measure.threshold > _points_then(left, measure)
        return not lost or points_of(left, now) >= measure.threshold

    ended = tuple(measure for measure in left.measures if measure.case == case or not rests(measure))
    kept = tuple(measure for measure in left.measures if measure not in ended)
    return msgspec.structs.replace(left, measures=kept), ended


def _points_then(conduct: Conduct, measure: Measure) -> float:
    """Points when the measure began, as far as their strikes are still known."""
    before = tuple(strike for strike in conduct.strikes if strike.at <= measure.begun)
    return points_of(msgspec.structs.replace(conduct, strikes=before), measure.begun)


def imposed(conduct: Conduct, measure: Measure) -> Conduct:
    """The conduct with a measure that a person decided on; it stands in place of the one of its case."""
    others = tuple(each for each in conduct.measures if each.case != measure.case)
    return msgspec.structs.replace(conduct, measures=(*others, measure))


def told(conduct: Conduct, case: str) -> Conduct:
    """The conduct once an answer has told of the measure of a case."""
    measures = tuple(
        msgspec.structs.replace(measure, told=True) if measure.case == case else measure for measure in conduct.measures
    )
    return msgspec.structs.replace(conduct, measures=measures)


def keep_of(conduct: Conduct, now: float) -> float:
    """Seconds to keep the document: until its points are worth nothing, and some weeks after its last measure."""
    if any(measure.until is None for measure in conduct.measures):
        return FOREVER
    ends = [measure.until - now for measure in conduct.measures if measure.until is not None]
    total = points_of(conduct, now)
    faded = 0.0
    while total > NOTHING:
        total /= 2
        faded += conduct.half_life
    return max([faded, *ends], default=0.0) + _AFTERWARDS
