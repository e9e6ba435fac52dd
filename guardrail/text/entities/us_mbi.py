"""US Medicare beneficiary identifiers: eleven digits and letters without S, L, O, I, B and Z, grouped 4-3-4 by dashes;
without the dashes behind a word that says what they are. There is no check digit.
"""

from guardrail.text.entities.entity import Entity

_LETTER = "[AC-HJKMNP-RT-Y]"
_EITHER = "[0-9AC-HJKMNP-RT-Y]"

ENTITY = Entity(
    name="us_mbi",
    label="[US_MBI]",
    category="personal_data",
    severity="high",
    expressions=(
        rf"[1-9]{_LETTER}{_EITHER}\d-{_LETTER}{_EITHER}\d-{_LETTER}{{2}}\d{{2}}",
        rf"[1-9]{_LETTER}{_EITHER}\d{_LETTER}{_EITHER}\d{_LETTER}{{2}}\d{{2}}",
    ),
    left="word",
    right="word",
    contextual=(False, True),
    context=(
        "mbi",
        "medicare",
        "beneficiary",
    ),
    hits=(
        "1EG4-TE5-MK73",
        "MBI: 1EG4TE5MK73.",
        "Medicare number 2A22-C33-DD44",
        "Medicare beneficiary 9XY7WV6UT55",
        "号码是1EG4-TE5-MK73谢谢",
        "１ＥＧ４－ＴＥ５－ＭＫ７３",
        "(1EG4-TE5-MK73)",
        "mbi=1EG4TE5MK73;",
    ),
    misses=(
        "1EG4TE5MK73",
        "MBI 1EG4TE5MK7",
        "0EG4-TE5-MK73",
        "1SG4-TE5-MK73",
        "1EG4-TE5-MB73",
        "11EG4-TE5-MK73",
        "1EG4-TE5-MK733",
        "1eg4-te5-mk73",
        "1EG4-TE5-MK7A",
        "MBI A1EG4TE5MK73",
        "key 1EG4TE5MK73",
        "order 1EG4-TES-MK73",
    ),
)
