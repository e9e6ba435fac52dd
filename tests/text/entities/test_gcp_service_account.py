from guardrail.text.entities.gcp_service_account import ENTITY
from guardrail.text.rules import Action
from guardrail.text.scanner import Scanner, compile_rules
from tests.text.entities.matching import check

ID = '"private_key_id": "835fecaef8b0b7ca40e2754bf4a486223e73ef72",'
LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
KEY = f"-----BEGIN PRIVATE {'KEY'}-----\\n{LINE}\\n{LINE}\\nAbCdEf0=\\n-----END PRIVATE {'KEY'}-----\\n"
JSON = f'{ID}\n  "private_key": "{KEY}"'

FOUND = (
    JSON,
    JSON,
    JSON,
    JSON.replace(" ", "", 1),
    JSON.replace("\n  ", " "),
    JSON.replace("\n  ", "\n      "),
    JSON,
    "＂" + JSON[1:],
)


def test_examples() -> None:
    check(ENTITY, FOUND)


def test_a_halt_comes_with_the_first_line() -> None:
    scanner = Scanner(compile_rules([ENTITY.rule(Action.HALT)]))
    scanner.feed(f"Here: {JSON[:200]}")
    assert scanner.halt is not None
    assert scanner.halt.cut == len("Here: ")
