"""Australian company numbers behind a word that says so: nine digits, plain or 3-3-3, with a check digit."""

from stdnum.au import acn

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="au_acn",
    label="[AU_ACN]",
    category="personal_data",
    severity="low",
    expressions=(r"\d{3} ?\d{3} ?\d{3}",),
    left="word",
    right="word",
    accept=checked(acn.is_valid),
    contextual=True,
    context=("acn", "acns", "australian company", "company number", "company no", "arbn", "澳大利亚公司号", "公司号码"),
    hits=(
        "ACN 004 085 616",
        "A.C.N., Australian company number 381032220.",
        "acn=810466865;",
        "公司号码是268779808谢谢",
        "ＡＣＮ ００４ ０８５ ６１６",
        "ACN (098866294)",
        "company number: 004085616",
        "ACN 004\u00a0085\u00a0616",
    ),
    misses=(
        "004 085 616",
        "004085616",
        "ACN 004 085 617",
        "ACN 0040856160",
        "ACN 1004085616",
        "ACN A004085616",
        "order 004085616",
        "ACN 000 000 000",
        "004085616 is the ACN",
        "acne 004085616",
        "ACN 00408561",
        "turnover 004 085 616",
    ),
)
