"""AWS credentials: access key ids (AKIA, ASIA), and secret access keys behind a name that says what they are.

A secret access key alone is 40 characters of base64 like many a hash. The keys that Amazon's manuals print end in
EXAMPLE or EXAMPLEKEY, and are no secret.
"""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated, is_typed, is_varied

_SECRET_LENGTH = 40


def _accept_id(match: str) -> bool:
    return is_varied(match[4:]) and not is_typed(match[4:])


def _accept_secret(match: str) -> bool:
    return len(match) == _SECRET_LENGTH and is_generated(match)


_ID = "AKIA" + "2VAVWETPFOYSCXS4"
_SECRET = "8oSBy+i+lEh1KjUylQXkgBC7" + "+hdZZmpN3yLM2pM4"
_MANUAL = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"

ENTITY = Entity(
    name="aws_access_key",
    label="[AWS_KEY]",
    category="secret",
    severity="critical",
    # The further character is there to be rejected: a longer string.
    expressions=("(?:AKIA|ASIA)[A-Z0-9]{16}", "[A-Za-z0-9/+]{40}[/+=]?"),
    left=("none", "word"),
    right="word",
    accept=(_accept_id, _accept_secret),
    contextual=(False, True),
    context=(
        "secret_access_key",
        "secret access key",
        "secretaccesskey",
        "secret-access-key",
        "aws_secret_key",
        "aws secret key",
        "aws_secret",
        "aws secret",
        "awssecretkey",
        "awssecretaccesskey",
        "secret key",
        "secret_key",
    ),
    within=24,
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
        _ID[:-1],
        _ID + "1",
        _ID.lower(),
        "AKIA" + "IOSFODNN7EXAMPLE",
        "AKIA" + "I44QH8DHBEXAMPLE",
        "AKIA" + "1234567890ABCDEF",
        f"aws_secret_access_key = {_MANUAL}",
        "aws_secret_access_key = YOUR_SECRET_ACCESS_KEY",
        "aws_secret_access_key = " + "x" * 40,
        f"aws_secret_access_key = {_SECRET}=",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        _SECRET,
        "aws_secret_access_key = os.environ['AWS_SECRET_ACCESS_KEY']",
        "The secret access key is shown only once.",
        "EURASIA is a landmass",
        "550e8400-e29b-41d4-a716-446655440000",
    ),
)
