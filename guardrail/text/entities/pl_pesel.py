"""Polish personal numbers (PESEL) behind a word that says so: eleven digits with a birth date and a check digit."""

from stdnum.pl import pesel

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="pl_pesel",
    label="[PL_PESEL]",
    category="personal_data",
    severity="high",
    expressions=(r"\d{2}(?:[02468][1-9]|[13579][0-2])(?:0[1-9]|[12]\d|3[01])\d{5}",),
    left="word",
    right="word",
    accept=checked(pesel.is_valid),
    contextual=True,
    context=(
        "pesel",
        "pesel-u",
        "peselu",
        "numer ewidencyjny",
        "polish id",
        "polish identification",
        "national id",
        "波兰身份",
    ),
    hits=(
        "PESEL: 44051401359",
        "Jej PESEL to 91050393141.",
        "numer PESEL (70011641374)",
        "波兰身份号码是52050370471谢谢",
        "ＰＥＳＥＬ ４４０５１４０１３５９",
        "pesel=07230581718;",
        "Polish ID number 01212623904",
        "PESEL 12345678901 i 44051401359",
    ),
    misses=(
        "44051401359",
        "PESEL 44051401358",
        "PESEL 44131401359",
        "PESEL 144051401359",
        "PESEL 440514013590",
        "PESEL A44051401359",
        "order 44051401359",
        "phone +48 44051401359",
        "PESEL 4405140135",
        "44051401359 to PESEL",
        "PESELE 44051401359",
        "0.44051401359",
        "PESEL 00000000000",
    ),
)
