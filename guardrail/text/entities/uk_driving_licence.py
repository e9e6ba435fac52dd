"""Driving licence numbers of Great Britain: five letters of the name, the birth date among six digits, initials and two
check characters. How those are computed is not public, so the date is all that is checked.
"""

from guardrail.text.entities.entity import Entity

_MONTH = "(?:[05][1-9]|[16][0-2])"  # a woman's: plus 50
_DAY = r"(?:0[1-9]|[12]\d|3[01])"

ENTITY = Entity(
    name="uk_driving_licence",
    label="[UK_DRIVING_LICENCE]",
    category="personal_data",
    severity="high",
    expressions=(rf"[A-Z]{{2}}[A-Z9]{{3}} ?\d{_MONTH}{_DAY}\d ?[A-Z9]{{2}}\d[A-Z]{{2}}",),
    left="word",
    right="word",
    hits=(
        "MORGA657054SM9IJ",
        "Licence no. MORGA753116SM9IJ.",
        "MORGA 657054 SM9IJ",
        "驾照号码是JONES711243DA9XX谢谢",
        "ＭＯＲＧＡ６５７０５４ＳＭ９ＩＪ",
        "(FOX99712319AB9CD)",
        "id=MORGA657054SM9IJ;",
        "MORGA\u00a0657054\u00a0SM9IJ",
    ),
    misses=(
        "morga657054sm9ij",
        "MORGA697054SM9IJ",
        "MORGA613304SM9IJ",
        "MORGA613054SM9IJ",
        "MORGA657404SM9IJ",
        "XMORGA657054SM9IJ",
        "MORGA657054SM9IJX",
        "MORGA657054SM9I",
        "MORGA65705SM9IJ",
        "MORGA-657054-SM9IJ",
        "12345657054SM9IJ",
        "MORGA657004SM9IJ",
        "A1B2C657054SM9IJ",
        "MORGA657054SMXIJ",
    ),
)
