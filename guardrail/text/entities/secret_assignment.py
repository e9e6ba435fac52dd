"""Secrets of any vendor, by their name: the value of `password = "..."`, `api_key: ...`, `TOKEN=...`, `密码是……`.

The value starts right behind a name that says secret, and looks drawn by a machine: 16 characters or more, letters and
digits, and three neighbours in ten of different kinds (capitals, small letters, digits, signs). Of random base64 six
in ten are, of random hexadecimal five, of words, paths and names in code (`mySecretKey2`, `/run/secrets/db`) two. So
96% and more of random values of 32 characters are found, and nine in ten of those of 16. Passwords that a person made
up are not: examples of them are everywhere, and nothing tells them apart.
"""

import base64
import binascii
import re
from itertools import pairwise

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated

_SHORTEST = 16
_MIXED = 0.3  # share of neighbours of different kinds

# Names of models and products are words and numbers joined by dashes: `bert-base-L12-H768`.
_SEPARATOR = re.compile("[-_]")
_LONGEST_PART = 9
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _accept(value: str) -> bool:
    if len(value) < _SHORTEST or "." in value or value[-1] in "([":  # an attribute in code, a call
        return False
    if not (any(map(str.isdigit, value)) and any(map(str.isalpha, value))) or not is_generated(value):
        return False
    if _UUID.fullmatch(value) or sum(_kind(a) != _kind(b) for a, b in pairwise(value)) < _MIXED * (len(value) - 1):
        return False
    if max(map(len, _SEPARATOR.split(value))) < _LONGEST_PART:
        return False
    plain = _decoded(value)
    return plain is None or is_generated(plain)


def _kind(char: str) -> int:
    return 0 if char.isdigit() else 1 if char.isupper() else 2 if char.islower() else 3


def _decoded(value: str) -> str | None:
    """The text that a value is the base64 of: manuals encode `user:word` and the like."""
    try:
        return base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None


_RANDOM = "a7Gq2xVb9LmZ4tRk8WcN"

ENTITY = Entity(
    name="secret_assignment",
    label="[SECRET]",
    category="secret",
    severity="high",
    # The point and the bracket are there to be rejected: `token = make_token_v2(...)`.
    expressions=("[A-Za-z0-9_+/-][A-Za-z0-9_+/=.~!^-]{14,255}[A-Za-z0-9_=!^-][(\\[]?",),
    left="word",
    accept=_accept,
    contextual=True,
    context=(
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "api_key",
        "api-key",
        "api key",
        "access_key",
        "access-key",
        "access key",
        "accesskey",
        "secretkey",
        "secret_key",
        "secret-key",
        "secret key",
        "privatekey",
        "private_key",
        "private-key",
        "encryption_key",
        "encryptionkey",
        "signing_key",
        "signingkey",
        "master_key",
        "masterkey",
        "auth_key",
        "authkey",
        "session_key",
        "client_key",
        "app_key",
        "appkey",
        "appsecret",
        "clientsecret",
        "accesstoken",
        "authtoken",
        "refreshtoken",
        "bearertoken",
        "apitoken",
        "jwtsecret",
        "dbpassword",
        "userpassword",
        "webhooksecret",
        "credential",
        "credentials",
        "contraseña",
        "mot de passe",
        "passwort",
        "kennwort",
        "senha",
        "пароль",
        "密码",
        "口令",
        "密钥",
        "秘钥",
        "令牌",
        "密碼",
        "密鑰",
        "金鑰",
        "パスワード",
    ),
    within=6,
    hits=(
        f'password = "{_RANDOM}"',
        f"api_key: {_RANDOM}",
        f"DB_PASSWORD={_RANDOM}",
        f"STRIPE_API_KEY = '{_RANDOM}',",
        f'"clientSecret": "{_RANDOM}"',
        f"export AUTH_TOKEN={_RANDOM}",
        f"**API key:** `{_RANDOM}`",
        f"密码是{_RANDOM}谢谢",
        f"密钥：{_RANDOM}。",
        f"config['secret'] = '{_RANDOM}'",
        "secret: 9f86d081884c7d659a2feaa0c55ad015",
        f"the password is {_RANDOM}.",
    ),
    misses=(
        'password = "your-password-here"',
        'api_key = "YOUR_API_KEY_GOES_HERE_2024"',
        "api_key = 'xxxxxxxxxxxxxxxxxxxxxxxx'",
        "token = <your-token-1234567890>",
        "password=${DB_PASSWORD_2024_PROD}",
        "api_key = os.environ['API_KEY_V2_PROD']",
        "token = generateToken2048Bits(user)",
        "token = auth.session.v2.accessToken4",
        "secret = 'MySuperSecretKey123'",
        "token: 550e8400-e29b-41d4-a716-446655440000",
        "password: cGFzc3dvcmQxMjM0NTY=",
        "the password: amFuZTpzd29yZGZpc2g=",
        'password = "correct horse battery staple 42"',
        "password = 'P@ssw0rd123456789!'",
        "api_key = '1234567890abcdef1234567890abcdef'",
        f"checksum = {_RANDOM}",
        f"passwords {_RANDOM}",
        "token = tokenizer.decode(ids[0])",
        "secret: /run/secrets/db_password_v2_2024",
        'password: "hunter2"',
        "apiKey: process.env.API_KEY_2024_V2_PROD",
        "token=eyJhbGciOi...",
        "model_token: BERT-base-uncased-L12-H768-A12",
        "access key: F7K2Q-9XW4M-3LT8Z-6RV1C",
        "password hash: 9f86d081884c7d659a2feaa0c55ad015",
        "password: $2b$12$" + _RANDOM,
    ),
)
