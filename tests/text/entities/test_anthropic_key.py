from guardrail.text.entities.anthropic_key import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "sk-ant-api03-bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48mRsFGjx2IDe-wz2nybYR9Q-0-Jv8I5GK6ZcwQ6eB6PW8_n621OC-xfzW",
    "sk-ant-api03-bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48mRsFGjx2IDe-wz2nybYR9Q-0-Jv8I5GK6ZcwQ6eB6PW8_n621OC-xfzW",
    "sk-ant-admin01-bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48mRsFGjx2IDe-wz2nybYR9Q-0-Jv8I5GK6ZcwQ6eB6PW8_n621OC-xfzW",
    "sk-ant-api03-bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48mRsFGjx2IDe-wz2nybYR9Q-0-Jv8I5GK6ZcwQ6eB6PW8_n621OC-xfzW",
    "sk-ant-api03-bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48mRsFGjx2IDe-wz2nybYR9Q-0-Jv8I5GK6ZcwQ6eB6PW8_n621OC-xfzW",
    "ｓｋ－ａｎｔ－api03-bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48mRsFGjx2IDe-wz2nybYR9Q-0-Jv8I5GK6ZcwQ6eB6PW8_n621OC-xfzW",
    "sk-ant-oat01-bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48mRsFGjx2IDe-wz2nybYR9Q-0-Jv8I5GK6ZcwQ6eB6PW8_n621OC-xfzW",
    "sk-ant-api03-bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48m",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
