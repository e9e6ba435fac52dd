"""Swiss social security numbers (AHV, AVS): 756, nine digits and a check digit, grouped 3-4-4-2 by dots; plain digits,
which barcodes have too, behind a word that says what they are.
"""

from stdnum.ch import ssn

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="ch_ahv",
    label="[CH_AHV]",
    category="personal_data",
    severity="high",
    expressions=(r"756\.\d{4}\.\d{4}\.\d{2}", r"756 ?\d{4} ?\d{4} ?\d{2}"),
    left="word",
    right="word",
    accept=checked(ssn.is_valid),
    contextual=(False, True),
    context=(
        "ahv",
        "ahv-nummer",
        "ahv-nr",
        "ahvn13",
        "avs",
        "swiss social security",
        "sozialversicherungsnummer",
        "瑞士社保号",
    ),
    hits=(
        "756.9217.0769.85",
        "AHV-Nummer: 7561394411771.",
        "numéro AVS 756 4942 0555 26",
        "瑞士社保号7567848531941谢谢",
        "７５６．９２１７．０７６９．８５",
        "(756.1284.3088.60)",
        "ahv=7561284308860;",
        "号码是756.9217.0769.85。",
    ),
    misses=(
        "756.9217.0769.86",
        "7569217076985",
        "AHV 7569217076986",
        "757.9217.0769.85",
        "1756.9217.0769.85",
        "756.9217.0769.851",
        "AHV A7569217076985",
        "756.921.7076.985",
        "EAN 7569217076985",
        "order 7569217076985",
        "AHV 756921707698",
        "756.9217.0769.8",
    ),
)
