"""Australian business numbers: eleven digits with two check digits (mod 89), grouped 2-3-3-3; plain digits behind a
word that says what they are.
"""

from stdnum.au import abn

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="au_abn",
    label="[AU_ABN]",
    category="personal_data",
    severity="low",
    expressions=(r"[1-9]\d \d{3} \d{3} \d{3}", r"[1-9]\d{10}"),
    left="word",
    right="word",
    accept=checked(abn.is_valid),
    contextual=(False, True),
    context=("abn", "abns", "australian business", "business number", "澳大利亚商业号", "商业号码"),
    hits=(
        "51 824 753 556",
        "ABN: 83 854 442 312.",
        "ABN 81793093270",
        "商业号码是13855348420谢谢",
        "５１ ８２４ ７５３ ５５６",
        "(62 446 958 627)",
        "abn=51824753556;",
        "Australian Business Number: 51824753556",
        "51\u00a0824\u00a0753\u00a0556",
    ),
    misses=(
        "51 824 753 557",
        "51824753556",
        "ABN 51824753557",
        "151 824 753 556",
        "51 824 753 5561",
        "ABN 151824753556",
        "ABN 518247535561",
        "51-824-753-556",
        "ABN A51824753556",
        "order 51824753556",
        "pop. 12 345 678 901",
        "ABN 5182475355",
    ),
)
