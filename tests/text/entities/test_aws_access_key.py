from guardrail.text.entities.aws_access_key import ENTITY
from tests.text.entities.matching import check

ID = "AKIA" + "IOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"

FOUND = (
    ID,
    ID,
    ID,
    "ASIA" + "Y34FZKBOKMUTVV7A",
    "ＡＫＩＡ" + ID[4:],
    f"aws_secret_access_key = {SECRET}",
    f'AWS_SECRET_ACCESS_KEY="{SECRET}',
    f"secretAccessKey: '{SECRET}",
    f"AWS Secret Access Key:** `{SECRET}",
    f"SecretAccessKey>{SECRET}",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
