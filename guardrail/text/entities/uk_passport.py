"""British passport numbers behind a word that says so: nine digits. There is no check digit."""

from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="uk_passport",
    label="[UK_PASSPORT]",
    category="personal_data",
    severity="high",
    expressions=(r"\d{9}",),
    left="word",
    right="word",
    contextual=True,
    context=(
        "passport",
        "passports",
        "护照",
    ),
    hits=(
        "Passport No: 533380006",
        "my British passport is 925665416.",
        "passport number (107185703)",
        "护照号码是533380006谢谢",
        "ｐａｓｓｐｏｒｔ ５３３３８０００６",
        "passport=925665416;",
        "UK passports: 107185703",
        "passport 5333\u200b80006",
    ),
    misses=(
        "533380006",
        "order 533380006",
        "passport 5333800061",
        "passport 53338000",
        "passport A53338000",
        "passport A533380006",
        "533380006 is my passport",
        "passported 533380006",
        "passport 533 380 006",
        "passport valid until 2030-01-01",
        "passport 533380006A",
        "0.533380006",
    ),
)
