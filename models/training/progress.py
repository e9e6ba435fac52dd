"""Progress of long stages: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_SECONDS = 30.0
Step = Callable[[int, int, str], None]
"""Called with the steps done, all steps, and a note."""


class Reporter:
    """`with Reporter() as reporter: step = reporter.stage("encoder")`"""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )

    def __enter__(self) -> Reporter:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)

    def stage(self, name: str) -> Step:
        bar = self._bar
        if bar is not None:
            task = bar.add_task(name)

            def moved(step: int, steps: int, note: str) -> None:
                bar.update(task, completed=step, total=steps, description=f"{name} {note}".strip())

            return moved
        said = began = time.monotonic()

        def told(step: int, steps: int, note: str) -> None:
            nonlocal said
            now = time.monotonic()
            if now - said >= LINE_SECONDS or step == steps:
                said = now
                self.say(f"{name}: {step} of {steps} steps, {now - began:.0f} s {note}".rstrip())

        return told
