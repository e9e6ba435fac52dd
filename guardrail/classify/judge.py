"""Scoring without a classifier of one's own event loop: windows in, verdicts out, in one call.

What the command line and the synchronous library use. A model runs in the caller's thread; a detector over HTTP is
asked from a thread with an event loop of its own, for the time of the call. Failures are verdicts, as everywhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from guardrail.classify.detector import DetectorEntry
from guardrail.policy.policy import Policy
from guardrail.text.editor import Editor
from guardrail.text.scores import Failure, Verdict
from guardrail.text.units import Window

if TYPE_CHECKING:
    from guardrail.classify.classifier import Classifier
    from guardrail.classify.model import Model

Judge = Callable[[Sequence[Window]], list[Verdict]]

BATCH = 8
"""Windows scored in one go; more gain nothing on one core."""
AT_ONCE = 64
"""Windows that one text has in a queue at a time: it may have more than the queue takes."""


def judge_of(policy: Policy, environ: Mapping[str, str] | None = None) -> Judge:
    """What scores for a policy; one without a classifier asks for nothing. `environ`: where the key of a detector comes
    from."""
    settings, scorer = policy.classifier, policy.scorer
    if settings is None or scorer is None:
        return lambda windows: [Verdict(None, Failure.BROKEN) for _ in windows]
    if isinstance(scorer, DetectorEntry):
        entry, deadline = scorer, settings.deadline
        key = key_of(entry, os.environ if environ is None else environ)
        return lambda windows: _asked(entry, key, windows, deadline)
    model = scorer
    return lambda windows: _scored(model, windows)


def settle(editor: Editor, judge: Judge) -> str:
    """Have what is due of an editor's text scored; what may be delivered by it."""
    if editor.scanner.scoring is None:
        return ""
    out = []
    while due := editor.take_due():
        for (number, _), verdict in zip(due, judge([window for _, window in due]), strict=True):
            out.append(editor.score(number, verdict))
    return "".join(out)


async def verdicts_of(classifier: Classifier, windows: Sequence[Window], deadline: float) -> tuple[list[Verdict], int]:
    """The verdicts of windows, each within `deadline` seconds from when its turn came; and how many of them the first
    stage could not tell."""
    loop = asyncio.get_running_loop()
    found: dict[int, Verdict] = {}
    later = []
    for index, window in enumerate(windows):
        quick = classifier.quick(window)
        if quick is None:
            later.append(index)
        else:
            found[index] = quick
    for at in range(0, len(later), AT_ONCE):
        futures: list[asyncio.Future[Verdict]] = []
        for index in later[at : at + AT_ONCE]:
            future: asyncio.Future[Verdict] = loop.create_future()
            classifier.submit(windows[index], _resolve(future), deadline)
            futures.append(future)
        for index, verdict in zip(later[at : at + AT_ONCE], await asyncio.gather(*futures), strict=True):
            found[index] = verdict
    return [found[index] for index in range(len(windows))], len(later)


def key_of(entry: DetectorEntry, environ: Mapping[str, str]) -> str | None:
    """The key that a detector is sent."""
    return environ.get(entry.api_key_env) or None if entry.api_key_env else None


def _resolve(future: asyncio.Future[Verdict]) -> Callable[[Verdict], None]:
    def done(verdict: Verdict) -> None:
        if not future.done():
            future.set_result(verdict)

    return done


def _scored(model: Model, windows: Sequence[Window]) -> list[Verdict]:
    from guardrail.classify.intake import verdict_of

    found: dict[int, Verdict] = {}
    asked = []
    for index, window in enumerate(windows):
        try:
            quick = model.gate(window)
        except Exception:
            quick = ()
        if quick is None:
            asked.append(index)
        else:
            found[index] = verdict_of(quick, model.labels)
    step = BATCH if model.batches else 1
    for at in range(0, len(asked), step):
        batch = asked[at : at + step]
        for index, scores in zip(batch, _tried(model, [windows[index] for index in batch]), strict=True):
            found[index] = Verdict(None, Failure.BROKEN) if scores is None else verdict_of(scores, model.labels)
    return [found[index] for index in range(len(windows))]


def _tried(model: Model, windows: list[Window]) -> list[tuple[float, ...] | None]:
    """The scores of each window; None for one on which the model fails."""
    try:
        return list(model.score(windows))
    except Exception:
        if len(windows) == 1:
            return [None]
    return [scores for window in windows for scores in _tried(model, [window])]


def _asked(entry: DetectorEntry, key: str | None, windows: Sequence[Window], deadline: float) -> list[Verdict]:
    from guardrail.classify.remote import RemoteClassifier

    async def ask() -> list[Verdict]:
        classifier = RemoteClassifier(entry, key)
        try:
            found, _ = await verdicts_of(classifier, windows, deadline)
            return found
        finally:
            await classifier.close()

    with ThreadPoolExecutor(1) as thread:  # the caller's own may have a loop that runs
        return thread.submit(asyncio.run, ask()).result()
