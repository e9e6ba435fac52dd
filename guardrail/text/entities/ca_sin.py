"""Canadian social insurance numbers behind a word that says so: nine digits, plain or 3-3-3, with a Luhn digit."""

from stdnum.ca import sin

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="ca_sin",
    label="[CA_SIN]",
    category="personal_data",
    severity="high",
    expressions=(r"[1-79]\d{2}[ -]?\d{3}[ -]?\d{3}",),
    left="word",
    right="word",
    accept=checked(sin.is_valid),
    contextual=True,
    context=("social insurance", "sin", "assurance sociale", "nas", "社会保险号", "工卡号"),
    hits=(
        "SIN: 130 692 544",
        "My social insurance number is 616370334.",
        "SIN 260-779-996 on file",
        "社会保险号是700891831谢谢",
        "ＳＩＮ １３０ ６９２ ５４４",
        "numéro d'assurance sociale (178371852)",
        "sin=130692544;",
        "NAS : 130\u00a0692\u00a0544",
    ),
    misses=(
        "130 692 544",
        "130692544",
        "SIN 130 692 545",
        "SIN 046 454 286",
        "SIN 830692544",
        "SIN 1130692544",
        "SIN 1306925440",
        "SIN A130692544",
        "order 130692544",
        "130692544 is her SIN",
        "population 130 692 544",
        "sine 130692544",
        "SIN 130-69-2544",
        "SIN 111 111 111",
    ),
)
