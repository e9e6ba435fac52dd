"""Azure credentials: in connection strings and shared access signatures (`AccountKey=`, `SharedAccessKey=`, `sig=`),
and the client secrets of applications behind a word for them.
"""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated

# The key of the storage emulator, the same on every machine.
_EMULATOR = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq" + "/K1SZFPTOtr/KBHBeksoGMGw=="


def _accept(match: str) -> bool:
    value = match.partition("=")[2]
    return value != _EMULATOR and is_generated(value)


_ACCOUNT = "a57YGCwaw3Cfjfq/drC2Y8olAIjPwj9NcDVSeMZuNxRXX/WAfkqB4osNjJokuoCoem" + "+N4FhRuuJz+BtbcrigR/=="
_SHARED = "q9V2mZ8rT5kYw1xN7bLc3HdF6gJp0sAe4uRiOtQvXy" + "I="
_CLIENT = "iRW8Q~pA7LFuQXRThPgmjZmCk0brGOJ2sqojkaz"
_SIGNATURE = "q9V2mZ8rT5kYw1xN7bLc3HdF%2BgJp0sAe%2FuRiOtQvXy" + "I%3D"

ENTITY = Entity(
    name="azure_key",
    label="[AZURE_KEY]",
    category="secret",
    severity="critical",
    expressions=(
        "(?i:AccountKey)=[A-Za-z0-9+/]{86}==",
        "(?i:SharedAccessKey)=[A-Za-z0-9+/]{43}=",
        "[?&;]sig=(?:[A-Za-z0-9+/]|%2[BbFf]){43}(?:=|%3[Dd])",
        r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{30,33}[A-Za-z0-9_~-]",
    ),
    left=("word", "word", "none", "word"),
    right=("none", "none", "none", "word"),
    accept=(_accept, _accept, _accept, is_generated),
    contextual=(False, False, False, True),
    context=("client_secret", "client secret", "clientsecret", "secret", "azure", "entra", "密钥", "密码"),
    hits=(
        f"AccountKey={_ACCOUNT}",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={_ACCOUNT};EndpointSuffix=core.windows.net",
        f"连接字符串AccountKey={_ACCOUNT}谢谢",
        f"accountkey={_ACCOUNT}",
        f"Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={_SHARED}",
        f"SharedAccessKey={_SHARED}.",
        f"https://a.blob.core.windows.net/c/b?sv=2022-11-02&sig={_SIGNATURE}",
        f"?sig={_SIGNATURE}&se=2030-01-01",
        f"ＡｃｃｏｕｎｔＫｅｙ＝{_ACCOUNT}",
        f"AZURE_CLIENT_SECRET={_CLIENT}",
        f'"clientSecret": "{_CLIENT}"',
    ),
    misses=(
        "AccountKey=<your-account-key>",
        "AccountKey=" + "A" * 86 + "==",
        f"AccountKey={_ACCOUNT[:-2]}",
        "SharedAccessKeyName=RootManageSharedAccessKey",
        "SharedAccessKey=YOUR_KEY",
        "SharedAccessKey=" + "x" * 43 + "=",
        "?sig=abc123%3D",
        f"design={_SIGNATURE}",
        "the AccountKey is in the portal",
        _ACCOUNT,
        f"AccountKey={_EMULATOR}",
        f"tenant {_CLIENT}",
        "client_secret=abc8Q~your-client-secret-goes-here-today",
    ),
)
