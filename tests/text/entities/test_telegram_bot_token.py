from guardrail.text.entities.telegram_bot_token import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "7162534098:AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy",
    "7162534098:AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy",
    "7162534098:AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy",
    "7162534098:AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy",
    "７１６２５３４０９８：AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy",
    "7162534098:AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy",
    "71625340:AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy",
    "716253409:AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
