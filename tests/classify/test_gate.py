import math

import onnxruntime as ort
import pytest

from guardrail.classify.gate import Gate
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window
from tests.evaluate.gated import BITS, HIGH, LOW, gate_graph

HARMLESS = "what a lovely day it is"
HALF, ONE = [0.5] * len(CATEGORIES), [1.0] * len(CATEGORIES)
HARASSMENT = CATEGORIES.index("harassment")


@pytest.fixture
def session() -> ort.InferenceSession:
    return ort.InferenceSession(gate_graph("idiot", HARMLESS), providers=["CPUExecutionProvider"])


def test_it_answers_for_what_it_is_sure_of(session: ort.InferenceSession) -> None:
    gate = Gate(session, BITS, HALF, HALF)
    assert gate(Window("", HARMLESS)) == pytest.approx([LOW] * len(CATEGORIES), abs=1e-5)


def test_one_category_that_is_not_sure_leaves_all_to_the_encoder(session: ort.InferenceSession) -> None:
    gate = Gate(session, BITS, HALF, HALF)
    window = Window("", "you idiot")
    assert gate(window) is None
    assert gate.probabilities(window)[HARASSMENT] == pytest.approx(HIGH, abs=1e-5)


def test_a_probability_at_the_limit_is_not_sure(session: ort.InferenceSession) -> None:
    exact = Gate(session, BITS, ONE, ONE).probabilities(Window("", HARMLESS))[0]
    assert Gate(session, BITS, [exact] * len(CATEGORIES), ONE)(Window("", HARMLESS)) is None
    above = math.nextafter(exact, 1)
    assert Gate(session, BITS, [above] * len(CATEGORIES), ONE)(Window("", HARMLESS)) is not None


def test_chinese_has_limits_of_its_own(session: ort.InferenceSession) -> None:
    gate = Gate(session, BITS, HALF, [0.01] * len(CATEGORIES))
    assert gate(Window("", HARMLESS)) is not None
    assert gate(Window("", "今天天气很好。")) is None
