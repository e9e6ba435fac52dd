"""What the benchmarks run on: texts cut into tokens, keyword lists that match nothing, a policy.

Everything is made from the bundled texts with a fixed seed, so two runs on two machines see the same bytes. The
keywords begin like words of the texts do, for that is what makes a scanner hold text back. The answers are harmless
ones of the kinds that assistants give: explanations, help with code, stories, recipes, lists, medical advice, travel.
"""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from guardrail.text.entities import ENTITIES

TEXTS: Final = Path(__file__).parent / "texts"
Language = Literal["english", "chinese", "code"]
LANGUAGES: Final[tuple[Language, ...]] = ("english", "chinese", "code")
Traffic = Literal["english", "chinese"]
TRAFFIC: Final[tuple[Traffic, ...]] = ("english", "chinese")
"""Languages of the answers."""

# About what the tokenisers of current models make of these texts: 4 characters of English with the space in
# front, 1 or 2 of Chinese, runs of white space as one.
TOKEN: Final = re.compile(r" ?[A-Za-z]{1,5}|[\u3400-\u9fff]{1,2}|\s+|.", re.DOTALL)

PERSONAL: Final = tuple(name for name, entity in ENTITIES.items() if entity.category == "personal_data")
SECRETS: Final = tuple(name for name, entity in ENTITIES.items() if entity.category == "secret")


@functools.cache
def text(language: Language) -> str:
    return (TEXTS / f"{language}.txt").read_text(encoding="utf-8")


def tokens(whole: str) -> list[str]:
    """Cut as a model's tokeniser would, roughly; the pieces spell the text."""
    return TOKEN.findall(whole)


@functools.cache
def answers(traffic: Traffic) -> tuple[str, ...]:
    """Whole answers; each stands in its file behind a line that says its kind."""
    whole = (TEXTS / f"answers-{traffic}.txt").read_text(encoding="utf-8")
    return tuple(answer.partition("\n")[2].strip() for answer in re.split(r"^=== ", whole, flags=re.MULTILINE)[1:])


@functools.cache
def answer_tokens(traffic: Traffic, number: int) -> tuple[str, ...]:
    """The tokens of one answer; `number` may be any, and counts round and round."""
    every = answers(traffic)
    return tuple(tokens(every[number % len(every)]))


@functools.cache
def mixed_tokens(count: int) -> tuple[str, ...]:
    """`count` tokens of English and Chinese, a paragraph of each in turn."""
    paragraphs = [text(language).split("\n\n") for language in ("english", "chinese")]
    rounds = itertools.cycle(itertools.chain.from_iterable(zip(*paragraphs, strict=False)))
    stream: Iterator[str] = (token for paragraph in rounds for token in tokens(paragraph + "\n\n"))
    return tuple(itertools.islice(stream, count))


@functools.cache
def keywords(count: int) -> tuple[str, ...]:
    """`count` terms, half English and half Chinese, none of which occurs in the bundled texts.

    English: up to four letters of a real word with a made-up ending, two in five as the second word of a
    phrase; one real word in four begins some phrase. Chinese: two to five characters of the Chinese text in random
    order.
    """
    dice = random.Random(2)
    everything = "\n".join(text(language) for language in LANGUAGES).casefold()
    words = sorted(set(re.findall(r"[a-z]{2,}", text("english").casefold())))
    characters = sorted(set(re.findall(r"[\u3400-\u9fff]", text("chinese"))))
    endings = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
    found: dict[str, None] = {}
    while len(found) < count:
        if len(found) % 2:
            term = "".join(dice.choices(characters, k=dice.choices((2, 3, 4, 5), (40, 25, 25, 10))[0]))
        else:
            start = dice.choice(words)
            term = start[: dice.randint(2, 4)] + "".join(dice.choices(endings, k=dice.randint(1, 3)))
            if dice.random() < 0.4:
                term = f"{dice.choice(words[::4])} {term}"
        if term not in everything:
            found[term] = None
    return tuple(found)


def write_config(folder: Path, upstream: str, terms: tuple[str, ...], *, entities: bool = True) -> Path:
    """Write a configuration whose one policy has these terms, a tenth of them halting, and every entity.

    Whoever has no key gets that policy. Returns the path of guardrail.yaml.
    """
    (folder / "policies").mkdir(parents=True)
    (folder / "tenants").mkdir()
    lexicons = folder / "lexicons"
    lexicons.mkdir()
    tenth = len(terms) // 10
    (lexicons / "halt.txt").write_text("\n".join(terms[:tenth]) + "\n", encoding="utf-8")
    (lexicons / "redact.txt").write_text("\n".join(terms[tenth:]) + "\n", encoding="utf-8")
    rules = []
    if entities:
        rules += [f"  - {{entity: {name}, action: redact}}" for name in PERSONAL]
        rules += [f"  - {{entity: {name}, action: halt}}" for name in SECRETS]
    rules += [
        f"  - {{id: bench.{action}, lexicon: ../lexicons/{action}.txt, action: {action}, "
        "category: bench, severity: high}"
        for action in ("halt", "redact")
    ]
    policy = "policy: bench\nrules:\n" + "\n".join(rules) + "\n"
    (folder / "policies" / "bench.yaml").write_text(policy, encoding="utf-8")
    settings = f"""version: 1
listen: {{host: 127.0.0.1, port: 0}}
admin: {{host: 127.0.0.1, port: 0}}
upstreams:
  default: {{url: "{upstream}"}}
limits: {{streams: 5000, streams_per_tenant: 5000}}
anonymous: {{policy: bench, upstream: default}}
policies: policies/
tenants: tenants/
"""
    path = folder / "guardrail.yaml"
    path.write_text(settings, encoding="utf-8")
    return path
