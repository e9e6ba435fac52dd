"""OpenAI API keys: project, service-account and admin keys, and the older `sk-` with 48 letters and digits."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    body = match[3:].removeprefix("admin-")
    return any(map(str.isdigit, body)) and is_generated(body)


_HALF = "JWqny5YPKp1d6SQuuYDP"
_OLD = "EddSiG8l7rx97rnZS4kR" + "T3Blbk" + "FJ" + _HALF

ENTITY = Entity(
    name="openai_key",
    label="[OPENAI_KEY]",
    category="secret",
    severity="critical",
    expressions=("sk-[A-Za-z0-9]{48}", "sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{32,200}"),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "sk-" + _OLD,
        "OPENAI_API_KEY=sk-" + _OLD,
        "sk-proj-" + _OLD,
        "sk-svcacct-" + _HALF + "_" + _HALF + "-" + _OLD,
        "sk-admin-" + _OLD + ".",
        "密钥是sk-" + _OLD + "谢谢",
        "ｓｋ－" + _OLD,
        f'client = OpenAI(api_key="sk-proj-{_HALF}-{_OLD}")',
    ),
    misses=(
        "sk-" + "x" * 48,
        "sk-...your key...",
        "sk-" + "1234567890abcdef" * 3,
        "sk-" + "abc123def456ghi789jkl012mno345pqr678stu901vwx234",
        "sk-proj-abcdefghijklmnopqrstuvwxyz1234567890ABCDEF",
        "sk-proj-your-project-key-goes-here-please-replace",
        "sk-" + _OLD[:-1],
        "sk-" + _OLD + "a",
        "task-" + _OLD,
        "SK-" + _OLD,
        "sk-learn and scikit-learn",
        "risk-assessment-of-the-whole-project-2024",
        "pk-" + _OLD,
        "sk_" + _OLD,
    ),
)
