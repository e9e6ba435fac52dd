"""The model card: what people must know of the model, with the figures of the run that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guardrail.text.scores import CATEGORIES
from models.training.corpus import FAIRNESS_SET, OWN_SET, SHARE_ALIKE

SETS = {
    "benign_arena_hard": ("lm-sys/arena-hard-auto, lmarena/arena-hard-auto", "Apache-2.0"),
    "benign_counselchat_en": ("nbertagnolli/counsel-chat", "MIT"),
    "benign_cpsycoun_zh": ("CAS-SIAT-XinHai/CPsyCoun", "CC-BY-4.0"),
    "benign_cyber_prompts": ("meta-llama/PurpleLlama, CyberSecEval", "MIT"),
    "benign_gaokao_zh": ("OpenLMLab/GAOKAO-Bench", "Apache-2.0"),
    "benign_llamafactory_demo": ("hiyouga/LLaMA-Factory", "Apache-2.0"),
    "benign_oasst_zh": ("OpenAssistant, by way of xinykou/safety_realignment", "Apache-2.0"),
    "benign_smilechat_zh": ("qiuhuachuan/smile", "CC0-1.0"),
    "benign_wiki_en": ("WikiText-103, by way of Hongcheng-Gao/RobTest-Demo", "CC-BY-SA-3.0"),
    "benign_wiki_zh": ("ymcui/cmrc2018", "CC-BY-SA-4.0"),
    "benign_wildbench": ("allenai/WildBench", "Apache-2.0"),
    "catqa_prompts": ("declare-lab/red-instruct", "Apache-2.0"),
    "cold_train_dev": ("thu-coai/COLDataset", "Apache-2.0"),
    "convabuse": ("amandacurry/convabuse", "CC-BY-4.0"),
    "davidson_offensive": ("t-davidson/hate-speech-and-offensive-language", "MIT"),
    "decodingtrust_perspective": ("AI-secure/DecodingTrust", "CC-BY-SA-4.0"),
    "derta_malicious": ("RobustNLP/DeRTa", "MIT"),
    "diasafety": ("thu-coai/DiaSafety", "Apache-2.0"),
    "edos_sexism": ("rewire-online/edos", "CC0-1.0"),
    "gptfuzz_train": ("sherdencooper/GPTFuzz", "MIT"),
    "hatemoji_build": ("HannahKirk/Hatemoji", "CC-BY-4.0"),
    "implicit_hate_subset": ("microsoft/SafeNLP", "MIT"),
    "jade_alignment_zh": ("whitzard-ai/jade-db", "MIT"),
    "jade_prompts_zh": ("whitzard-ai/jade-db", "MIT"),
    "jailbreak_artifacts": ("JailbreakBench/artifacts, tml-epfl/llm-adaptive-attacks, tml-epfl/llm-past-tense", "MIT"),
    "jigsaw_binary": ("Jigsaw toxic comments, by way of two public copies", "CC0-1.0, comments CC-BY-SA-3.0"),
    "paradetox": ("s-nlp/paradetox", "CC0-1.0"),
    "star1_safe_replies": ("UCSC-VLAA/STAR-1", "Apache-2.0"),
    "stormfront": ("Vicomtech/hate-speech-dataset", "CC-BY-SA-3.0-ES"),
    "surge_profanity_terms": ("surge-ai/profanity", "MIT"),
    "surge_toxicity": ("surge-ai/toxicity", "MIT"),
    "swsr_sexism_zh": ("aggiejiang/SWSR", "MIT"),
    "toxigen_human": ("microsoft/SafeNLP", "MIT"),
    OWN_SET: ("models/training/data/*.tsv of this repository", "Apache-2.0"),
    FAIRNESS_SET: ("models/training/data/fairness-*.yaml of this repository", "Apache-2.0"),
}
"""Where each set is from, and its licence."""

STAGES = ("baseline", "first_stage", "encoder_fp32", "encoder_int8", "cascade")
LANGUAGES = {"en": "English", "zh": "Chinese"}

_HEAD = """# guard-small

A small classifier of harm in English and Chinese text, made to read what a language model says while it says it. It
scores one unit (a sentence or so) with a little of what stands before it, for eight categories: {categories}
(`unsafe` stands for any harm).

Two stages: hashed n-grams say of most units that they are harmless, a six-layer encoder (all-MiniLM-L6-v2, fine-tuned,
its vocabulary extended with Chinese, weights in eight bits) scores the rest. Why it is built so is told in
`docs/decisions/009-two-stage-classifier.md`, how to use it in `docs/classifier.md`.

**For:** a first line of automatic review of model output, with a policy that says what follows, records that can be
looked at, and people who do. **Not for:** deciding about people; law enforcement; languages other than these two;
pictures or sound; political opinion, which it has no category for. Content about minors is not in its training data:
it knows nothing of it and must not be relied on for it.

Licence: Apache-2.0, made with works under other licences, see below and `NOTICE`.

Made by `make train DATA=FOLDER` (seed 20261124) on the sets below; about two hours on two CPU cores. `report.json` has
every figure of the run that made it, `evaluation.json` what `guardrail eval` says of the dev split.
"""


def card(figures: Mapping[str, Any], rows: Mapping[str, int], evaluation: Mapping[str, Any] | None) -> str:
    """Markdown. `rows`: how many each set has; `evaluation`: the JSON report of `guardrail eval` on the dev split."""
    parts = [
        _HEAD.format(categories=", ".join(f"`{c}`" for c in CATEGORIES)),
        *_precision(figures),
        *_points(figures),
        *(_evaluated(evaluation) if evaluation else ()),
        *_data(rows),
        _LIMITS,
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _precision(figures: Mapping[str, Any]) -> list[str]:
    parts = [
        "## How well it ranks\n",
        "Area under the precision-recall curve (average precision) on the dev split, which is 5 % of the public sets "
        "by prompt and one in twelve pairs of the texts written for this project. A row scores the highest of its "
        "units. Rows whose set says nothing of a category are left out, so that the share of positives is far above "
        "that of real traffic. The baseline is linear, over the same n-grams, trained in the same run.",
    ]
    for lang, name in LANGUAGES.items():
        found = figures["average_precision"].get(lang, {})
        rows = [
            (c, e["positive"], e["rows"], *(e[stage] for stage in STAGES)) for c in CATEGORIES if (e := found.get(c))
        ]
        parts += [f"{name}:\n", _table(("category", "positive", "rows", *(s.replace("_", " ") for s in STAGES)), rows)]
    written = figures["average_precision_written"]
    rows = [
        (
            c,
            *(
                written[lang][c].get(stage) if c in written.get(lang, {}) else None
                for lang in LANGUAGES
                for stage in ("baseline", "cascade")
            ),
        )
        for c in CATEGORIES
    ]
    parts += [
        "The texts written for this project alone, where every harmful one has a harmless twin with the same words:\n",
        _table(("category", "en baseline", "en cascade", "zh baseline", "zh cascade"), rows),
    ]
    return [f"{part}\n" for part in parts]


def _points(figures: Mapping[str, Any]) -> list[str]:
    rows = []
    for point, by_lang in figures["points"].items():
        for lang, found in by_lang.items():
            recall = found["recall"]
            rows.append(
                (
                    point,
                    LANGUAGES[lang],
                    f"{found['false_halts']} of {found['answers']}",
                    found["per_thousand"],
                    figures["points_tune"][point][lang],
                    recall["unsafe"]["any"] if "unsafe" in recall else None,
                    found["recall_of_harmful_replies"],
                )
            )
    head = (
        "point",
        "language",
        "false halts, dev",
        "per 1,000",
        "per 1,000, tune",
        "recall, any harm",
        "recall, replies",
    )
    per = [
        (c, *(figures["points"]["precise"][lang]["recall"].get(c, {}).get("own") for lang in LANGUAGES))
        for c in CATEGORIES
    ]
    asked = figures["first_stage"]
    return [
        "## At its thresholds\n",
        "The manifest has three operating points: `precise` is to halt at most 1 in 1,000 harmless answers falsely, "
        "`balanced` 10, `sensitive` 50, in each language. They were chosen on the tune split (harmless answers kept "
        "from the training) and the dev split together, so that the rates below are those aimed at.\n",
        _table(head, rows) + "\n",
        *_foreign(figures.get("foreign_answers", {})),
        "Recall of each category by itself at `precise` (`unsafe`: any row with a harm):\n",
        _table(("category", "en", "zh"), per) + "\n",
        *(
            f"The first stage asks the encoder about {found['asked']:.1%} of the units of harmless {LANGUAGES[lang]} "
            "answers, and loses "
            + ", ".join(f"{lost:.1%} at `{point}`" for point, lost in found["recall_lost"].items())
            + " of what the encoder alone finds.\n"
            for lang, found in asked.items()
        ),
    ]


def _foreign(found: Mapping[str, Any]) -> list[str]:
    if not found:
        return []
    rows = [
        (
            LANGUAGES[lang],
            entry["answers"],
            *(f"{1000 * n / entry['answers']:.1f}" for n in entry["false_halts"].values()),
        )
        for lang, entry in found.items()
    ]
    return [
        "False halts per 1,000 harmless answers of other models, on which nothing was trained or chosen:\n",
        _table(("language", "answers", "precise", "balanced", "sensitive"), rows) + "\n",
    ]


def _evaluated(evaluation: Mapping[str, Any]) -> list[str]:
    cascade = evaluation["stages"]["cascade"]
    stops = [
        (name, budget, f"{found['halted']} of {found['answers']}", by_budget["median_of_halted"], by_budget["median"])
        for lang, name in LANGUAGES.items()
        if (found := cascade["early_stop"].get(lang))
        for budget, by_budget in found["budgets"].items()
    ]
    flips = []
    for axis in next(iter(cascade["fairness"].values()))["harmless"]["precise"]["axes"]:
        rates = [
            cascade["fairness"][lang][kind]["precise"]["axes"][axis]["rate"]
            for lang in LANGUAGES
            for kind in ("harmless", "harmful")
        ]
        flips.append((axis, *(f"{rate:.1%}" for rate in rates)))
    head = ("language", "lag budget", "halted", "median share of those halted", "median share of all")
    return [
        "## Early stop and fairness\n",
        "Share of a harmful answer that has been released when it is halted at `precise`, by lag budget in characters "
        "(an answer that is not halted counts as released whole):\n",
        _table(head, stops) + "\n",
        "Share of counterfactual sentences (others than those of the training) whose decision at `precise` changes "
        "with the group that they name:\n",
        _table(("axis", "en, harmless", "en, harmful", "zh, harmless", "zh, harmful"), flips) + "\n",
    ]


def _data(rows: Mapping[str, int]) -> list[str]:
    table = [
        (name, where, licence + (" (share-alike)" if name in SHARE_ALIKE else ""), rows.get(name, 0))
        for name, (where, licence) in SETS.items()
    ]
    return [
        "## Data and licences\n",
        "Share-alike terms hold for "
        + ", ".join(f"`{name}` ({licence})" for name, licence in SHARE_ALIKE.items())
        + ", and for the dictionary CC-CEDICT (CC-BY-SA-4.0), from which Chinese tokens got their first meaning. Sets "
        "for non-commercial use are not in it.\n",
        _table(("set", "from", "licence", "rows"), table) + "\n",
    ]


_LIMITS = """## Limits

- Labels are other people's judgements: tweets and forum posts of ten years ago, crowd workers, machine scores. Speech
  of minorities is over-represented among what was called offensive. The counterfactual sentences in the training push
  against that; the flip rates above say how far.
- A public set vouches for one phenomenon. Where two categories are alike (insult and hate, threat and harassment), it
  may name the other one.
- Thin: violence, self-harm and sexual content in long model replies; harmful Chinese replies of real models. Much of
  what it knows there was written for this project.
- A unit is scored with about thirty words before it. Harm that lies in the question, in the whole of a long text, or in
  facts about the world, is not seen.
- Made-up spellings, other languages, code words and pictures made of letters get past it. Rules for exact terms belong
  beside it.
"""
