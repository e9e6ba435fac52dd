"""French social security numbers (NIR): sex, year and month of birth, department, commune, order, and a check by 97."""

from stdnum.fr import nir

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

_HEAD = r"[12]\d{2}(?:0[1-9]|1[0-2])(?:\d{2}|2[AB])"

ENTITY = Entity(
    name="fr_nir",
    label="[FR_NIR]",
    category="personal_data",
    severity="high",
    expressions=(
        rf"{_HEAD}\d{{8}}",
        r"[12] \d{2} (?:0[1-9]|1[0-2]) (?:\d{2}|2[AB]) \d{3} \d{3} \d{2}",
        rf"{_HEAD}\d{{6}} \d{{2}}",
    ),
    left="word",
    right="word",
    accept=checked(nir.is_valid),
    hits=(
        "185057800608491",
        "NIR : 1 85 05 78 006 084 91.",
        "2690549588157 80",
        "n° de sécu 269054958815780",
        "号码是1 85 05 78 006 084 91谢谢",
        "１８５０５７８００６０８４９１",
        "(190062A12345695)",
        "nir=294052B00100789;",
    ),
    misses=(
        "185057800608492",
        "1 85 05 78 006 084 92",
        "385057800608491",
        "185137800608491",
        "1185057800608491",
        "1850578006084911",
        "185057800608491A",
        "1850578006084",
        "IMEI 352099001761481",
        "order 123456789012345",
        "1-85-05-78-006-084-91",
        "100012345678901",
        "190062C12345695",
    ),
)
