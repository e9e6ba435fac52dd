"""A stream under a policy with a classifier, whose verdicts come when the test says."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.rules import Action, Label, Rule
from guardrail.text.ruleset import with_scores
from guardrail.text.scanner import compile_rules
from guardrail.text.scores import CATEGORIES, ScoreRule, ScoreSettings, Verdict
from guardrail.text.units import Window
from guardrail.wire.answer import Fault
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.protocol import OpenStream
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.stream_verdicts import Ask
from guardrail.wire.whole_text import Unscored, Verdicts
from tests.scoring import Model
from tests.wire.chat import Run

GOOD = Verdict((0.0,) * 8)
BAD = Verdict((1.0, *[0.0] * 7))


def evil(window: Window) -> Verdict:
    """The model of script tests: what says "evil" is hate."""
    return BAD if "evil" in window.text else GOOD


def level(action: Action = Action.HALT) -> ScoreRule:
    return ScoreRule(
        id="classifier.hate.high", category="hate", severity="high", action=action, mask=Label("[S]"), label=0, at=0.5
    )


def scored(chosen: ScoreSettings, *rules: Rule, **settings: Any) -> Policy:
    return Policy("test", "d" * 64, with_scores(compile_rules(rules), chosen), **settings)


def hate(*rules: Rule, action: Action = Action.HALT, lag: int = 0, context: Any = "answer", **settings: Any) -> Policy:
    chosen = ScoreSettings(model="fake@1", labels=CATEGORIES, rules=(level(action),), lag_budget=lag, context=context)
    return scored(chosen, *rules, **settings)


class Shell:
    """Does what the proxy does, with verdicts at any time."""

    def __init__(
        self, policy: Policy, model: Model, request: ModelRequest | None = None, *, stream: OpenStream = ChatStream
    ) -> None:
        self.stream = stream(policy, request or ModelRequest(), case_id="g-1", limits=WireLimits())
        self.writes: list[bytes] = []
        self.open: list[Ask] = []
        self._model = model

    def write(self, out: bytes) -> bytes:
        self.writes.append(out)
        self.open += self.stream.take_due()
        return out

    def feed(self, data: bytes) -> bytes:
        return self.write(self.stream.feed(data))

    def finish(self) -> bytes:
        return self.write(self.stream.finish())

    def fail(self) -> bytes:
        return self.write(self.stream.fail(Fault("shutdown", "Going down.")))

    def answer(self, position: int = 0) -> bytes:
        ask = self.open.pop(position)
        return self.write(self.stream.score(ask, self._model(ask.window)))

    @property
    def out(self) -> bytes:
        return b"".join(self.writes)

    @property
    def run(self) -> Run:
        return Run(self.out, self.writes, self.stream.record, self.stream.abort, self.stream.done)


def guard_scored(
    policy: Policy,
    model: Model,
    reads: bytes | Iterable[bytes],
    *,
    late: int = 0,
    seed: int = 0,
    request: ModelRequest | None = None,
    reads_on: bool = False,
    stream: OpenStream = ChatStream,
) -> Run:
    """Guard a stream; up to `late` verdicts are out at any time, and come in any order. `reads_on`: the shell goes on
    reading while the stream is stalled."""
    shell = Shell(policy, model, request, stream=stream)
    dice = random.Random(seed)
    for data in [reads] if isinstance(reads, bytes) else reads:
        try:
            shell.feed(data)
        except WireError:
            shell.fail()
        while shell.open and (len(shell.open) > late or (shell.stream.stalled and not reads_on)):
            shell.answer(dice.randrange(len(shell.open)))
        if shell.stream.done:
            break
    shell.finish()
    while shell.open:
        shell.answer(dice.randrange(len(shell.open)))
    return shell.run


def guard_body_scored(policy: Policy, model: Model, body: bytes, request: ModelRequest) -> tuple[bytes, StreamRecord]:
    """Guard a body, scoring what it asks for."""
    verdicts = Verdicts()
    for _ in range(2):
        try:
            return guard_body(policy, request, body, "g-1", verdicts)
        except Unscored:
            verdicts.known |= {window: model(window) for window in verdicts.missing}
            verdicts.missing.clear()
    raise AssertionError("asked for more than once")
