import pytest

from guardrail.text.entities.generated import is_generated, is_varied


@pytest.mark.parametrize(
    ("body", "varied", "generated"),
    [
        ("q9V2mZ8rT5kYw1xN", True, True),
        ("0a1b2c3d4e5f6071", True, True),
        ("QWERTYUIOPASDFGH", True, False),
        ("your-token-goes-here", True, False),
        ("1234567890123456", True, False),
        ("xxxxxxxxxxxxxxxx", False, False),
        ("XXXXXXXXXXXXXXXX0000", False, False),
        ("abcdef000000ghij1X", False, False),
        ("aB1aB1aB1aB1aB1a", False, False),
    ],
)
def test_random_or_typed(body: str, varied: bool, generated: bool) -> None:
    assert is_varied(body) is varied
    assert is_generated(body) is generated
