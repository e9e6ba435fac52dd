"""`python -m benchmarks [PART] [--quick] [--json FILE]`.

Parts: speed, holdback, memory, reload, engine, protocols, detection, state, audit and shadow, which `all` runs; hostile
(a quarter of an hour), protected, classifier, false-alarms, prompts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import (
    audit,
    classifier,
    detection,
    engine,
    false_alarms,
    governed,
    holdback,
    hostile,
    memory,
    prompts,
    protected,
    protocols,
    reload,
    shadow,
    speed,
    state,
)
from benchmarks.processes import pin_to_one_cpu
from guardrail.classify.folders import SHIPPED, model_folder
from guardrail.errors import ModelError

PARTS = ("engine", "protocols", "detection", "holdback", "memory", "reload", "state", "audit", "shadow", "speed")
LABELLED = ("false-alarms", "prompts")
"""Parts that need texts from elsewhere."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "part", nargs="?", choices=(*PARTS, "all", "hostile", "protected", "classifier", *LABELLED), default="all"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds and streams: a look, not a figure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there as well")
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="for false-alarms and prompts: labelled texts, not part of this"
    )
    parser.add_argument("--policy", action="append", metavar="NAME", help="for these two: instead of the shipped ones")
    parser.add_argument("--model", default=SHIPPED, metavar="MODEL", help="for classifier: instead of the shipped one")
    options = parser.parse_args()
    if options.part in LABELLED and options.data is None:
        parser.error(
            f"{options.part} needs --data FOLDER: <set>/<set>.jsonl.gz, with rows of text, labels, role and split"
        )
    # So that a kill unwinds as well, and stops what was started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    wide = None if sys.stdout.isatty() else 120
    console = Console(width=wide)
    cpu = pin_to_one_cpu()
    console.print(
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"CPU {cpu} of {os.cpu_count()}, load {os.getloadavg()[0]:.1f}"
    )
    rounds = 2 if options.quick else 7
    found: dict[str, object] = {}
    for part in PARTS if options.part == "all" else (options.part,):
        if part == "false-alarms":
            try:
                alarms = false_alarms.measure(options.data, options.policy or false_alarms.POLICIES)
            except false_alarms.NoData as error:
                parser.error(str(error))
            false_alarms.show(alarms, console)
            found[part] = false_alarms.as_json(alarms)
        elif part == "prompts":
            try:
                shares = prompts.measure(options.data, options.policy or prompts.POLICIES)
            except false_alarms.NoData as error:
                parser.error(str(error))
            prompts.show(shares, console)
            found[part] = prompts.as_json(shares)
        elif part == "classifier":
            try:
                folder = model_folder(options.model, Path())
                units, seconds = (50_000, 5.0) if options.quick else (classifier.UNITS, classifier.SECONDS)
                scored = classifier.measure_classifier(folder, rounds, seconds=seconds, units=units)
            except ModelError as error:
                parser.error(str(error))
            classifier.show(scored, console)
            found[part] = classifier.as_json(scored)
        elif part == "protected":
            sets = protected.measure_protected(
                rounds, protected.SHINGLES // 20 if options.quick else protected.SHINGLES
            )
            protected.show(sets, console)
            found[part] = protected.as_json(sets)
        elif part == "engine":
            costs = engine.measure_engine(rounds, (10_000,) if options.quick else (10_000, 100_000))
            engine.show(costs, console)
            found[part] = engine.as_json(costs)
        elif part == "protocols":
            codecs = protocols.measure_protocols(rounds)
            protocols.show(codecs, console)
            found[part] = protocols.as_json(codecs)
        elif part == "detection":
            policies = detection.measure_detection(rounds)
            detection.show(policies, console)
            found[part] = detection.as_json(policies)
        elif part == "hostile":
            lengths = hostile.LENGTHS[:-2] if options.quick else hostile.LENGTHS
            texts = hostile.measure_hostile(lengths)
            hostile.show(texts, lengths, console)
            found[part] = hostile.as_json(texts)
        elif part == "holdback":
            held = holdback.measure_holdback((10_000,) if options.quick else (10_000, 100_000))
            holdback.show(held, console)
            found[part] = holdback.as_json(held)
        elif part == "memory":
            sizes = memory.measure_memory(200 if options.quick else 1000)
            memory.show(sizes, console)
            found[part] = memory.as_json(sizes)
        elif part == "reload":
            changes = reload.measure_reload((10_000,) if options.quick else (10_000, 100_000))
            reload.show(changes, console)
            found[part] = reload.as_json(changes)
        elif part == "shadow":
            beside = shadow.measure_shadow(rounds)
            shadow.show(beside, console)
            found[part] = shadow.as_json(beside)
        elif part == "audit":
            logs = audit.measure_audit(rounds, 2000 if options.quick else 20_000)
            audit.show(logs, console)
            found[part] = audit.as_json(logs)
        elif part == "state":
            batches = state.measure_state(rounds, 200 if options.quick else 1000)
            state.show(batches, console)
            round_trips = governed.measure_governed(200 if options.quick else 2000)
            governed.show(round_trips, console)
            found[part] = {"batches": state.as_json(batches), "governed": governed.as_json(round_trips)}
        else:
            speeds = speed.measure_speed(rounds)
            speed.show(speeds, console)
            found[part] = speed.as_json(speeds)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
