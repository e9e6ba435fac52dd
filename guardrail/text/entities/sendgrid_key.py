"""API keys of SendGrid: `SG.`, an identifier of 22 characters, and a secret of 43."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return all(is_generated(part) for part in match.split(".")[1:])


_ID, _SECRET = "2Trkjc06dpDro9yRXpBcKH", "mfD9w8GQCwQIa4yQJ4jrFDqaE6nxF1E1cVi5QIgOGKD"

ENTITY = Entity(
    name="sendgrid_key",
    label="[SENDGRID_KEY]",
    category="secret",
    severity="critical",
    expressions=(r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        f"SG.{_ID}.{_SECRET}",
        f"SENDGRID_API_KEY=SG.{_ID}.{_SECRET}",
        f"sgMail.setApiKey('SG.{_ID}.{_SECRET}')",
        f"密钥SG.{_ID}.{_SECRET}谢谢",
        f"ＳＧ．{_ID}．{_SECRET}",
        f"Bearer SG.{_ID}.{_SECRET}.",
        f'"SG.{_ID}.{_SECRET}"',
        f"(SG.{_ID}.{_SECRET})",
    ),
    misses=(
        f"SG.{_ID}.{_SECRET[:-1]}",
        f"SG.{_ID}.{_SECRET}a",
        f"SG.{'x' * 22}.{'x' * 43}",
        "SG.your_sendgrid_api_key",
        f"sg.{_ID}.{_SECRET}",
        f"MSG.{_ID}.{_SECRET}",
        f"SG-{_ID}-{_SECRET}",
        f"{_ID}.{_SECRET}",
        "SG.com is a site of Singapore",
    ),
)
