"""AWS credentials: access key ids (AKIA, ASIA), and secret access keys where a name says what they are.

A secret access key alone is 40 characters of base64 like many a hash, so it is found only as `name = value`.
"""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated, is_varied

_VALUE = 40  # characters of a secret access key

_NAME = r"(?i:aws[ _.-]?secret[ _.-]?(?:access[ _.-]?)?key|secret[ _.-]?access[ _.-]?key)"


def _accept(match: str) -> bool:
    if match[:4] in ("AKIA", "ASIA"):
        return is_varied(match[4:])
    return is_generated(match[-_VALUE:])


_ID = "AKIA" + "IOSFODNN7EXAMPLE"
_SECRET = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"

ENTITY = Entity(
    name="aws_access_key",
    label="[AWS_KEY]",
    category="secret",
    severity="critical",
    expressions=(
        "(?:AKIA|ASIA)[A-Z0-9]{16}",
        rf"{_NAME}[\"'`* ]{{0,3}}[:=>]{{1,2}}[\"'`* ]{{0,4}}[A-Za-z0-9/+]{{40}}",
    ),
    right="word",
    accept=_accept,
    hits=(
        _ID,
        f"aws_access_key_id = {_ID}",
        f"密钥是{_ID}谢谢",
        "ASIA" + "Y34FZKBOKMUTVV7A.",
        f"ＡＫＩＡ{_ID[4:]}",
        f"aws_secret_access_key = {_SECRET}",
        f'export AWS_SECRET_ACCESS_KEY="{_SECRET}"',
        f"secretAccessKey: '{_SECRET}',",
        f"**AWS Secret Access Key:** `{_SECRET}`",
        f"<SecretAccessKey>{_SECRET}</SecretAccessKey>",
    ),
    misses=(
        "AKIA" + "X" * 16,
        "AKIA" + "IOSFODNN7",
        "AKIA" + "IOSFODNN7EXAMPLE1",
        "akiaiosfodnn7example",
        "aws_secret_access_key = YOUR_SECRET_ACCESS_KEY",
        "aws_secret_access_key = " + "x" * 40,
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        f"{_SECRET}",
        "aws_secret_access_key = os.environ['AWS_SECRET_ACCESS_KEY']",
        "The secret access key is shown only once.",
        "EURASIA is a landmass",
        "550e8400-e29b-41d4-a716-446655440000",
    ),
)
