import random

from guardrail.text.scores import CATEGORIES
from guardrail.text.units import MAX_UNIT, weigh
from models.training.corpus import Row
from models.training.windows import DISGUISES, LONG_REPLY, sample

NOTHING = (0.0,) * len(CATEGORIES)
HARM = (1.0, *NOTHING[1:-1], 1.0)
SENTENCE = "This is a sentence of a reply that goes on for some time. "


def row(text: str, *, harmful: bool = False, name: str = "some_set") -> Row:
    targets = HARM if harmful else NOTHING
    return Row(
        text, frozenset({"hate"} if harmful else ()), targets, (1.0,) * len(CATEGORIES), "response", "en", name, "train"
    )


def test_the_same_seed_gives_the_same_windows() -> None:
    rows = [row(f"{n} {SENTENCE * 5}") for n in range(50)]
    assert sample(rows, 1) == sample(rows, 1)
    assert sample(rows, 1) != sample(rows, 2)


def test_a_window_is_no_longer_than_the_streams() -> None:
    for example in sample([row(SENTENCE * 40, name="benign_wildbench") for _ in range(50)], 3):
        assert weigh(example.window.text) <= 2 * MAX_UNIT  # a disguise may put a sign behind every letter


def test_a_label_counts_less_on_one_window_of_a_long_text() -> None:
    (long,) = sample([row(SENTENCE * 10, harmful=True)], 1)
    (short,) = sample([row(SENTENCE, harmful=True)], 1)
    assert long.weights[0] == LONG_REPLY * short.weights[0]


def test_a_harmful_unit_that_is_cut_off_is_still_most_of_it() -> None:
    text = "All of them are worthless and should be driven out of here"
    lengths = [len(e.window.text) for e in sample([row(text, harmful=True)] * 400, 5)]
    assert min(lengths) >= 0.6 * len(text)
    assert min(lengths) < len(text)


def test_a_text_of_blanks_gives_no_window() -> None:
    assert sample([row("  \n ")], 1) == []


def test_disguises_are_total() -> None:
    rng = random.Random(1)
    for disguise in DISGUISES:
        for text in ("a", "ab", "一", "Some longer text, with 5 signs!", "这是一个比较长的句子"):
            assert isinstance(disguise(text, rng), str)
