"""From the trained encoder to a model folder: the first stage, ONNX files, operating points, manifest and report."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from tokenizers import Tokenizer

from guardrail.classify.features import is_chinese, normalise
from guardrail.classify.model import load_model
from guardrail.classify.session import Encoding, Graph, Session
from guardrail.evaluate.figures import measure
from guardrail.evaluate.rows import Row as EvaluatedRow
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window, cut_text
from models.training import report
from models.training.calibrate import (
    ASK_SHARES,
    MOST_PRECISION_LOST,
    MOST_RECALL_LOST,
    POINTS,
    Platt,
    ask_from,
    operating_point,
    platt,
    probabilities,
    shifted,
)
from models.training.card import card
from models.training.corpus import OWN_SET, Row, foreign_answers
from models.training.encoder import Classifier
from models.training.export import export_encoder, export_gate
from models.training.fit import MAX_TOKENS
from models.training.gate import BITS, Baseline, Gate, fit_bags, logits_of
from models.training.progress import Reporter
from models.training.scored import THREADS, Units, score, units_of
from models.training.windows import Example

GATE_PASSES, GATE_RATE = 4, 0.02
BASELINE_PASSES, BASELINE_RATE = 3, 0.3
FOREIGN = 5000
"""Answers of a language that the false halts are counted on once more."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What the training left behind."""

    model: Classifier
    tokenizer: Tokenizer
    row_of: torch.Tensor
    examples: Sequence[Example]
    """A pass over the training rows: the first stage learns from what the encoder says of it."""
    rows: Sequence[Row]
    data: Path
    work: Path
    out: Path
    seed: int


def session_of(graph: Path, tokenizer: Path) -> Session:
    return Session(Graph(graph.read_bytes(), len(CATEGORIES)), Encoding(tokenizer.read_bytes(), MAX_TOKENS))


def logits_by(session: Session) -> Callable[[Sequence[Window]], np.ndarray]:
    """One window at a time: eight-bit activations are scaled by the greatest of a batch, so that a score would depend
    on its neighbours."""

    def by(windows: Sequence[Window]) -> np.ndarray:
        return np.concatenate([session.logits([normalise(w.context + w.text)]) for w in windows])

    return by


def finish(trained: Trained, reporter: Reporter) -> dict[str, Any]:
    """Write the model folder; the report, which is also in it."""
    work, out = trained.work, trained.out
    out.mkdir(parents=True, exist_ok=True)
    fp32, int8, tokenizer = work / "encoder.fp32.onnx", out / "model.onnx", out / "tokenizer.json"
    if not fp32.exists() or not int8.exists():
        export_encoder(trained.model, trained.row_of, fp32, int8)
    trained.tokenizer.save(str(tokenizer), pretty=False)
    eight, full = (logits_by(session_of(graph, tokenizer)) for graph in (int8, fp32))
    gate, baseline = _bags(trained, eight, reporter)
    export_gate(gate, out / "gate.onnx")

    dev = [row for row in trained.rows if row.split == "dev"]
    tune = [row for row in trained.rows if row.split == "tune" and row.answer]
    dev_units, tune_units = units_of(dev), units_of(tune)
    dev_int8 = score(dev_units, eight, work / "dev.int8.npy", reporter.stage("dev, int8"))
    dev_fp32 = score(dev_units, full, work / "dev.fp32.npy", reporter.stage("dev, fp32"))
    tune_int8 = score(tune_units, eight, work / "tune.int8.npy", reporter.stage("tune, int8"))
    dev_gate, tune_gate = _gate(gate, dev_units), _gate(gate, tune_units)

    # Calibration on the units of the dev rows that have few, where a row's label is surely that of its units.
    rows_of = dev_units.per_row()
    few = np.diff(dev_units.begins)[rows_of] <= 2
    targets = np.array([row.targets for row in dev], np.float32)[rows_of]
    weights = np.array([row.known for row in dev], np.float32)[rows_of] * few[:, None]
    calibration = [platt(dev_int8[:, c], targets[:, c], weights[:, c]) for c in range(len(CATEGORIES))]

    dev_chinese, tune_chinese = _chinese(dev_units), _chinese(tune_units)
    dev_langs, tune_langs = (np.array([row.lang for row in rows]) for rows in (dev, tune))
    dev_harmless = np.array([row.answer and row.name != OWN_SET for row in dev])
    labels = np.array([[bool(t) for t in row.targets] for row in dev])

    def highest() -> tuple[np.ndarray, np.ndarray]:
        return (
            dev_units.highest(probabilities(dev_int8, calibration, dev_chinese)),
            tune_units.highest(probabilities(tune_int8, calibration, tune_chinese)),
        )

    def harmless(lang: str, dev_highest: np.ndarray, tune_highest: np.ndarray) -> np.ndarray:
        return np.concatenate([dev_highest[dev_harmless & (dev_langs == lang)], tune_highest[tune_langs == lang]])

    found = highest()
    alone = {
        lang: [
            operating_point(
                [harmless(lang, *found)], found[0][dev_langs == lang], labels[dev_langs == lang], POINTS[name]
            )
            for name in ("precise", "balanced")
        ]
        for lang in ("en", "zh")
    }
    calibration = shifted(calibration, alone["en"], alone["zh"])
    dev_highest, tune_highest = highest()
    both = [harmless(lang, dev_highest, tune_highest) for lang in ("en", "zh")]
    points = {name: operating_point(both, dev_highest, labels, aim) for name, aim in POINTS.items()}
    dev_encoder = probabilities(dev_int8, calibration, dev_chinese)
    tune_encoder = probabilities(tune_int8, calibration, tune_chinese)

    # The first stage asks as seldom as it can without losing more than so much of what the encoder finds.
    units_langs = tune_langs[tune_units.per_row()]
    asking = {
        lang: _asking(lang, dev, dev_units, dev_gate, dev_encoder, tune_gate[units_langs == lang], points, reporter)
        for lang in ("en", "zh")
    }
    limits = {lang: each["limits"] for lang, each in asking.items()}
    cascade = dev_units.highest(_cascade(dev_gate, dev_encoder, dev_chinese, limits))
    tune_cascade = tune_units.highest(_cascade(tune_gate, tune_encoder, tune_chinese, limits))

    linear = 1 / (1 + np.exp(-_gate_logits(baseline, dev_units)))
    stages = {
        "baseline": dev_units.highest(linear),
        "first_stage": dev_units.highest(dev_gate),
        "encoder_fp32": dev_units.highest(probabilities(dev_fp32, calibration, dev_chinese)),
        "encoder_int8": dev_highest,
        "cascade": cascade,
    }
    figures = {
        "rows": {split: sum(row.split == split for row in trained.rows) for split in ("train", "tune", "dev")},
        "average_precision": report.average_precisions(dev, stages),
        "average_precision_written": report.average_precisions(
            [row for row in dev if row.name == OWN_SET],
            {name: h[[row.name == OWN_SET for row in dev]] for name, h in stages.items()},
        ),
        "average_precision_by_set": report.by_set(dev, stages),
        "points": {name: report.at_point(dev, cascade, at) for name, at in points.items()},
        "points_tune": {
            name: {
                lang: round(1000 * float((tune_cascade[tune_langs == lang] >= at).any(1).mean()), 2)
                for lang in ("en", "zh")
            }
            for name, at in points.items()
        },
        "first_stage": {
            lang: {key: each[key] for key in ("asked", "recall_lost", "average_precision_lost")}
            for lang, each in asking.items()
        },
    }
    write_manifest(out, calibration, points, limits)
    figures["foreign_answers"] = _foreign(trained)
    (out / "report.json").write_text(json.dumps(figures, indent=1) + "\n")
    _evaluate(trained, dev, figures, reporter)
    return figures


def _foreign(trained: Trained) -> dict[str, Any]:
    """False halts of the model folder among answers that nothing was trained on or chosen with."""
    model = load_model(trained.out)
    found: dict[str, Any] = {}
    for lang in ("en", "zh"):
        answers = foreign_answers(trained.data, lang, FOREIGN)
        counts: Counter[str] = Counter()
        for text in answers:
            windows = [cut.window for cut in cut_text(text) if cut.window is not None]
            scores = np.array([model.gate(w) or model.score([w])[0] for w in windows])
            for point in POINTS:
                limits = np.array([model.thresholds[c][point] for c in CATEGORIES])
                counts[point] += bool(len(scores) and (scores >= limits).any())
        if answers:
            found[lang] = {"answers": len(answers), "false_halts": {point: counts[point] for point in POINTS}}
    return found


def _cascade(gate: np.ndarray, encoder: np.ndarray, chinese: np.ndarray, limits: dict[str, np.ndarray]) -> np.ndarray:
    asked = (gate >= np.where(chinese[:, None], limits["zh"], limits["en"])).any(1)
    return np.where(asked[:, None], encoder, gate)


def _asking(
    lang: str,
    dev: Sequence[Row],
    units: Units,
    gate: np.ndarray,
    encoder: np.ndarray,
    harmless_gate: np.ndarray,
    points: dict[str, np.ndarray],
    reporter: Reporter,
) -> dict[str, Any]:
    """From when the encoder is asked in a language: the smallest share that loses little enough on the dev split."""
    here = np.array([row.lang == lang for row in dev])
    harmful = np.array([bool(row.labels) for row in dev]) & here
    alone = units.highest(encoder)
    before = report.average_precisions(dev, {"encoder": alone})[lang]
    chosen: dict[str, Any] = {}
    for share in ASK_SHARES:
        limits = np.minimum(ask_from(harmless_gate, share), points["sensitive"])
        highest = units.highest(np.where((gate >= limits).any(1)[:, None], encoder, gate))
        lost = {
            name: 1 - (harmful & (highest >= at).any(1)).sum() / (harmful & (alone >= at).any(1)).sum()
            for name, at in points.items()
        }
        after = report.average_precisions(dev, {"cascade": highest})[lang]
        precision_lost = float(np.mean([e["encoder"] - after[c]["cascade"] for c, e in before.items()]))
        chosen = {
            "limits": limits,
            "asked": round(float((harmless_gate >= limits).any(1).mean()), 4),
            "recall_lost": {name: round(float(v), 4) for name, v in lost.items()},
            "average_precision_lost": round(precision_lost, 4),
        }
        said = {key: value for key, value in chosen.items() if key != "limits"}
        reporter.say(f"first stage, {lang}: {said}")
        if max(lost.values()) <= MOST_RECALL_LOST and precision_lost <= MOST_PRECISION_LOST:
            break
    return chosen


def _evaluate(trained: Trained, dev: Sequence[Row], figures: dict[str, Any], reporter: Reporter) -> None:
    """`guardrail eval` on the dev split, and the card with what it says. The folder is loaded as any user's is."""
    reporter.say("evaluating the model folder on the dev split")
    rows = [EvaluatedRow(row.text, sorted(row.labels), row.role, row.lang, f"{row.name}:", "dev") for row in dev]
    full = frozenset(CATEGORIES) - {"unsafe"}
    scope: dict[str, frozenset[str]] = {}
    for row in dev:
        if not row.labels:
            scope[row.name] = frozenset(c for c, k in zip(CATEGORIES, row.known, strict=True) if k == 1.0) & full
    scope |= {row.name: frozenset() for row in dev if row.name not in scope}
    evaluation = measure(load_model(trained.out), rows, scope, threads=THREADS)
    (trained.out / "evaluation.json").write_text(json.dumps(evaluation, indent=1, ensure_ascii=False) + "\n")
    counts = Counter(row.name for row in trained.rows)
    (trained.out / "README.md").write_text(card(figures, counts, evaluation))


def _bags(
    trained: Trained, eight: Callable[[Sequence[Window]], np.ndarray], reporter: Reporter
) -> tuple[Gate, Baseline]:
    ready = trained.work / "bags.pt"
    gate, baseline = Gate(), Baseline()
    if not ready.exists():
        units = Units([e.window for e in trained.examples], np.arange(len(trained.examples) + 1), np.zeros(0, np.int64))
        said = score(units, eight, trained.work / "taught.npy", reporter.stage("what the encoder says"))
        taught = torch.sigmoid(torch.from_numpy(said))
        fit_bags(
            gate, trained.examples, taught, passes=GATE_PASSES, rate=GATE_RATE, seed=trained.seed,
            progress=reporter.stage("first stage"),
        )  # fmt: skip
        fit_bags(
            baseline, trained.examples, None, passes=BASELINE_PASSES, rate=BASELINE_RATE, seed=trained.seed,
            progress=reporter.stage("baseline"),
        )  # fmt: skip
        torch.save({"gate": gate.state_dict(), "baseline": baseline.state_dict()}, ready)
    state = torch.load(ready, weights_only=True)
    gate.load_state_dict(state["gate"])
    baseline.load_state_dict(state["baseline"])
    return gate.eval(), baseline.eval()


def _chinese(units: Units) -> np.ndarray:
    return np.array([is_chinese(normalise(w.context + w.text)) for w in units.windows])


def _gate_logits(model: Gate | Baseline, units: Units) -> np.ndarray:
    empty = (0.0,) * len(CATEGORIES)
    found: np.ndarray = logits_of(model, [Example(w, empty, empty, "") for w in units.windows]).numpy()
    return found


def _gate(model: Gate, units: Units) -> np.ndarray:
    return 1 / (1 + np.exp(-_gate_logits(model, units).astype(np.float64)))


def write_manifest(
    out: Path, calibration: Sequence[Platt], points: dict[str, np.ndarray], limits: dict[str, np.ndarray]
) -> None:
    """The part of the manifest that programs read; what people read is in the card, which is written by hand."""
    files = {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in ("model.onnx", "tokenizer.json", "gate.onnx")
    }
    manifest = {
        "name": out.name,
        "version": "1",
        "files": files,
        "encoder": {
            "file": "model.onnx",
            "tokenizer": "tokenizer.json",
            "max_tokens": MAX_TOKENS,
            "activation": "sigmoid",
        },
        "gate": {
            "file": "gate.onnx",
            "bits": BITS,
            **{
                key: {name: float(limits[lang][at]) for at, name in enumerate(CATEGORIES)}
                for key, lang in (("ask_from", "en"), ("han_ask_from", "zh"))
            },
        },
        "labels": list(CATEGORIES),
        "calibration": {
            name: {key: getattr(calibration[at], key) for key in ("scale", "bias", "han_bias")}
            for at, name in enumerate(CATEGORIES)
        },
        "thresholds": {
            name: {point: float(values[at]) for point, values in points.items()} for at, name in enumerate(CATEGORIES)
        },
    }
    (out / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False, width=120))
