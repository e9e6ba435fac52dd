"""Keys of Google Cloud service accounts: in the JSON file of one, the private key and the identifier before it.

`private_key` finds the key alone; this says whose it is, and takes the identifier along.
"""

import re

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_typed, is_varied

_BASE64 = r"[A-Za-z0-9+/=\\]"  # with the backslash of `\n`
_ID = r"\"private_key_id\"\s{0,4}:\s{0,4}\"[0-9a-f]{40}\"\s{0,4},\s{0,16}\"private_key\"\s{0,4}:\s{0,4}\""
_BEGIN = rf"{_ID}-----BEGIN PRIVATE KEY-----\\n{_BASE64}{{66}}"
_REST = rf"{_BASE64}{{0,1000}}{_BASE64}{{0,1000}}{_BASE64}{{0,1000}}"

_KEY_ID = re.compile("[0-9a-f]{40}")


def _accept(match: str) -> bool:
    key_id = _KEY_ID.search(match)
    body = match.rpartition("KEY-----\\n")[2] if "-----END" not in match else match.split("KEY-----\\n")[1]
    return key_id is not None and is_varied(key_id[0]) and not is_typed(key_id[0]) and is_varied(body)


_EXAMPLE_ID = "835fecaef8b0b7ca40e2754bf4a486223e73ef72"
_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
_ELIDED = "-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n"
_KEY = f"-----BEGIN PRIVATE {'KEY'}-----\\n{_LINE}\\n{_LINE}\\nAbCdEf0=\\n-----END PRIVATE {'KEY'}-----\\n"
_JSON = f'"private_key_id": "{_EXAMPLE_ID}",\n  "private_key": "{_KEY}"'

ENTITY = Entity(
    name="gcp_service_account",
    label="[GCP_SERVICE_ACCOUNT]",
    category="secret",
    severity="critical",
    opening=(_BEGIN,),
    expressions=(rf"{_BEGIN}{_REST}(?:-----END PRIVATE KEY-----(?:\\n)?\"?)?",),
    accept=_accept,
    hits=(
        _JSON,
        f'{{"type": "service_account", "project_id": "p", {_JSON}, "client_email": "a@p.iam.gserviceaccount.com"}}',
        f"密钥文件：{{{_JSON}}}",
        _JSON.replace(" ", "", 1),
        _JSON.replace("\n  ", " "),
        _JSON.replace("\n", "\n    "),
        f"{_JSON},\n",
        _JSON.replace('"private', "＂private", 1),
    ),
    misses=(
        f'"private_key_id": "{_EXAMPLE_ID}"',
        '"private_key_id": "your-key-id", "private_key": "your-key"',
        f'"private_key_id": "{_EXAMPLE_ID}", "private_key": "{_ELIDED}"',
        f'"private_key_id": "{_EXAMPLE_ID}", "private_key": "-----BEGIN PRIVATE KEY-----\\nMIIEvQ..."',
        f'"private_key_id": "{"0" * 40}", "private_key": "{_KEY}"',
        f'"private_key": "{_KEY}"',
        '"type": "service_account"',
        _EXAMPLE_ID,
        '"client_email": "a@p.iam.gserviceaccount.com"',
    ),
)
