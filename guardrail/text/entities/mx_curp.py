"""Mexican population registry codes (CURP): 18 letters and digits with name, birth date, sex, state, check digit."""

from stdnum.mx import curp

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="mx_curp",
    label="[MX_CURP]",
    category="personal_data",
    severity="high",
    expressions=(r"[A-Z]{4}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[HM][A-Z]{5}[0-9A-Z]\d",),
    left="word",
    right="word",
    accept=checked(curp.is_valid),
    hits=(
        "BOXW310820HNERXN09",
        "CURP: GOMC900514MDFNRR00.",
        "号码是BOXW310820HNERXN09谢谢",
        "ＢＯＸＷ３１０８２０ＨＮＥＲＸＮ０９",
        "(GOMC900514MDFNRR00)",
        "curp=BOXW310820HNERXN09;",
        "BOXW3108\u200b20HNERXN09",
        "BOXW310820HNERXN09",
    ),
    misses=(
        "BOXW310820HNERXN08",
        "boxw310820hnerxn09",
        "BOXW311320HNERXN09",
        "BOXW310832HNERXN09",
        "BOXW310820XNERXN09",
        "ABOXW310820HNERXN09",
        "BOXW310820HNERXN091",
        "BOXW310820HZZRXN09",
        "BOXW310820HNERXN0",
        "BOXW-310820-HNERXN09",
        "BOXW310820HNERXN19",
        "commit B0XW310820HNERXN09",
    ),
)
