from guardrail.text.entities.aws_access_key import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "AKIA2VAVWETPFOYSCXS4",
    "AKIA2VAVWETPFOYSCXS4",
    "AKIA2VAVWETPFOYSCXS4",
    "ASIAY34FZKBOKMUTVV7A",
    "ＡＫＩＡ2VAVWETPFOYSCXS4",
    "8oSBy+i+lEh1KjUylQXkgBC7+hdZZmpN3yLM2pM4",
    "8oSBy+i+lEh1KjUylQXkgBC7+hdZZmpN3yLM2pM4",
    "8oSBy+i+lEh1KjUylQXkgBC7+hdZZmpN3yLM2pM4",
    "8oSBy+i+lEh1KjUylQXkgBC7+hdZZmpN3yLM2pM4",
    "8oSBy+i+lEh1KjUylQXkgBC7+hdZZmpN3yLM2pM4",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
