"""Finnish personal identity codes: a birth date, a sign for the century, an individual number and a check character."""

from stdnum.fi import hetu

from guardrail.text.entities.entity import Entity


def _accept(match: str) -> bool:
    return match.isascii() and hetu.is_valid(match)


ENTITY = Entity(
    name="fi_personal_identity_code",
    label="[FI_PERSONAL_IDENTITY_CODE]",
    category="personal_data",
    severity="high",
    expressions=(r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]",),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "131052-308T",
        "Henkilötunnus: 030741-1234.",
        "hetu 080289A7531",
        "号码是080524A811J谢谢",
        "１３１０５２－３０８Ｔ",
        "(251186+010H)",
        "id=131052-308T;",
        "131052–308T",
    ),
    misses=(
        "131052-308U",
        "321052-308T",
        "131352-308T",
        "310252-308T",
        "1131052-308T",
        "131052-308TA",
        "131052 308T",
        "131052-3081",
        "131052-308t",
        "A131052-308T",
        "131052308T",
        "part 010101-001A",
        "2023-10-15",
    ),
)
