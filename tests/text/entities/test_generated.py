import pytest

from guardrail.text.entities.generated import is_generated, is_typed, is_varied


@pytest.mark.parametrize(
    ("body", "varied", "generated"),
    [
        ("q9V2mZ8rT5kYw1xN", True, True),
        ("700774255d0cd1eb", True, True),
        ("0a1b2c3d4e5f6071", True, False),
        ("abc123def456ghi789jkl012", True, False),
        ("AKeyForThe2Examples9x", True, False),
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


@pytest.mark.parametrize(
    "body", ["EXAMPLEKEY", "your_api_key_1", "MyS3cretPassw0rd", "1234567890", "a1b2c3d4e5", "sk-test_9z", "Xxxxx-4f"]
)
def test_typed(body: str) -> None:
    assert is_typed(body)


@pytest.mark.parametrize("body", ["q9V2mZ8rT5kYw1xN", "c388c1271f1ef5d67fc18e49bea55201", "JWqny5YPKp1d6SQuuYDP", ""])
def test_not_typed(body: str) -> None:
    assert not is_typed(body)
