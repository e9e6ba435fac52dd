"""DEA numbers of US prescribers behind a word that says so: two letters and seven digits with a check digit."""

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity


def _is_valid(number: str) -> bool:
    digits = [int(char) for char in number[2:] if char.isdigit()]
    if len(digits) != 7:
        return False
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


ENTITY = Entity(
    name="medical_license",
    label="[MEDICAL_LICENSE]",
    category="personal_data",
    severity="high",
    # The first letter is a kind of registrant, the second the holder's initial or 9 for a business.
    expressions=(r"(?i:[A-HJ-MPRSTUX][A-Z9])\d{7}",),
    left="word",
    right="word",
    accept=checked(_is_valid),
    contextual=True,
    context=(
        "dea",
        "medical license",
        "medical licence",
        "prescriber",
        "practitioner",
    ),
    hits=(
        "DEA number AB1957363",
        "Medical license: BS3906952.",
        "prescriber mj0613376",
        "DEA号码是FM4514419谢谢",
        "ＤＥＡ ＸＲ８００６８６０",
        "dea=AB1957363;",
        "DEA# (B91957363)",
        "medical licence BS3906952",
    ),
    misses=(
        "AB1957363",
        "part AB1957363",
        "DEA AB1957364",
        "DEA NB1957363",
        "DEA AB19573630",
        "DEA XAB1957363",
        "DEA AB195736",
        "DEA A1957363",
        "DEA AB1957363C",
        "dear AB1957363",
        "AB1957363 is her DEA number",
        "idea AB1957363",
    ),
)
