from guardrail.text.entities.twilio_key import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "SK700774255d0cd1ebe456f956401d4e34",
    "SK700774255d0cd1ebe456f956401d4e34",
    "700774255d0cd1ebe456f956401d4e34",
    "700774255d0cd1ebe456f956401d4e34",
    "700774255d0cd1ebe456f956401d4e34",
    "700774255d0cd1ebe456f956401d4e34",
    "SK700774255d0cd1ebe456f956401d4e34",
    "ＳＫ700774255d0cd1ebe456f956401d4e34",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
