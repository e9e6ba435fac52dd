from guardrail.text.entities.gcp_api_key import ENTITY
from tests.text.entities.matching import check

KEY = "AIza" + "SyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe"
CLIENT = "GOCSPX-" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v"

FOUND = (KEY, KEY, KEY, KEY, KEY, "ＡＩｚａ" + KEY[4:], CLIENT, CLIENT)


def test_examples() -> None:
    check(ENTITY, FOUND)
