from guardrail.text.entities.jwt import ENTITY
from guardrail.text.rules import Action
from guardrail.text.scanner import Scanner, compile_rules
from tests.text.entities.matching import check

HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
CLAIMS = "eyJpc3MiOiJzaG9wIiwidWlkIjo3MzUwMSwiZXhwIjoxNzY3MjI1NjAwfQ"
SIGNATURE = "3YUu1OrRACkTPU1acfsgFNpCp1k7y5XquTHa6C68VMI"
TOKEN = f"{HEADER}.{CLAIMS}.{SIGNATURE}"

FOUND = (
    TOKEN,
    TOKEN,
    TOKEN,
    TOKEN,
    TOKEN,
    "ｅｙＪ" + TOKEN[3:],
    TOKEN,
    f"{HEADER}.{CLAIMS}.{SIGNATURE * 8}",
    f"{HEADER}.{CLAIMS}",
    TOKEN,
)


def test_examples() -> None:
    check(ENTITY, FOUND)


def test_a_halt_does_not_wait_for_the_signature() -> None:
    scanner = Scanner(compile_rules([ENTITY.rule(Action.HALT)]))
    scanner.feed(f"Token: {HEADER}.{CLAIMS[:20]}")
    assert scanner.halt is not None
    assert scanner.halt.cut == len("Token: ")
