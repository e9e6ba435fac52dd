"""US individual taxpayer identification numbers behind a word that says so: 9NN-NN-NNNN, with spaces, or nine digits.

They have no check digit: the fourth and fifth digit tell them from other numbers that begin with 9.
"""

from stdnum.us import itin

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="us_itin",
    label="[US_ITIN]",
    category="personal_data",
    severity="high",
    expressions=(r"9\d{2}[ -]?[5-9]\d[ -]?\d{4}",),
    left="word",
    right="word",
    accept=checked(itin.is_valid),
    contextual=True,
    context=(
        "itin",
        "itins",
        "individual taxpayer",
        "taxpayer id",
        "taxpayer identification",
        "tax id",
        "tax identification",
        "tin",
        "w-7",
        "ssn",
        "social security",
        "税号",
        "纳税人识别号",
        "纳税人号码",
    ),
    hits=(
        "ITIN 912-70-1234",
        "Her ITIN: 987 88 4321.",
        "taxpayer id 900901234",
        "税号是912-70-1234谢谢",
        "ＩＴＩＮ：９１２－７０－１２３４",
        "individual taxpayer identification number (999-99-1234)",
        "itin=912\u00a070\u00a01234",
        "W-7 form, 912-7\u200b0-1234",
    ),
    misses=(
        "912-70-1234",
        "part 912-70-1234",
        "ITIN 812-70-1234",
        "ITIN 912-69-1234",
        "ITIN 912-93-1234",
        "ITIN 912-89-1234",
        "ITIN 1912-70-1234",
        "ITIN 912-70-12345",
        "ITIN A912-70-1234",
        "912-70-1234 is an ITIN",
        "ITIN 912-701-234",
        "fitting 912-70-1234",
    ),
)
