"""Australian tax file numbers behind a word that says so: eight or nine digits, plain or 3-3-3, with a check by 11."""

from stdnum.au import tfn

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="au_tfn",
    label="[AU_TFN]",
    category="personal_data",
    severity="high",
    expressions=(r"\d{3}[ -]?\d{3}[ -]?\d{2,3}",),
    left="word",
    right="word",
    accept=checked(tfn.is_valid),
    contextual=True,
    context=("tfn", "tfns", "tax file number", "tax file no", "australian tax", "税号", "税务档案号"),
    hits=(
        "TFN: 123 456 782",
        "My tax file number is 436650238.",
        "tfn=756-236-403;",
        "税号是875576272谢谢",
        "ＴＦＮ １２３ ４５６ ７８２",
        "TFN (62428050)",
        "Australian tax number 471 719 354",
        "TFN 123\u00a0456\u00a0782",
    ),
    misses=(
        "123 456 782",
        "436650238",
        "TFN 123 456 783",
        "TFN 1436650238",
        "TFN 4366502380",
        "TFN A436650238",
        "TFN 000 000 000",
        "436650238 is the TFN",
        "order 436650238",
        "TFN 43665023",
        "tax on 123 456 782",
        "TFNX 436650238",
        "TFN 436650238b",
    ),
)
