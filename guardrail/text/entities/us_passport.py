"""US passport numbers behind a word that says so: nine digits, or a letter and eight. There is no check digit."""

from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="us_passport",
    label="[US_PASSPORT]",
    category="personal_data",
    severity="high",
    expressions=(r"[0-9A-Za-z]\d{8}",),
    left="word",
    right="word",
    contextual=True,
    context=(
        "passport",
        "passports",
        "护照",
        "pasaporte",
    ),
    hits=(
        "Passport No: 488392010",
        "my US passport is C03005988.",
        "passport number (A12345678)",
        "护照号码是340007237谢谢",
        "ｐａｓｓｐｏｒｔ ４８８３９２０１０",
        "passport=c03005988;",
        "pasaporte 910239248",
        "passport 4883\u200b92010",
    ),
    misses=(
        "488392010",
        "order 488392010",
        "passport 4883920101",
        "passport 48839201",
        "passport AB4883920",
        "passport A123456789",
        "488392010 is my passport",
        "passported 488392010",
        "passport X488392010",
        "passport 488-392-010",
        "passport valid until 2030-01-01",
        "passport 4883 92010",
    ),
)
