"""Dutch citizen service numbers (BSN) behind a word that says so: nine digits that pass the eleven test."""

from stdnum.nl import bsn

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="nl_bsn",
    label="[NL_BSN]",
    category="personal_data",
    severity="high",
    expressions=(r"\d{9}", r"\d{3}[ .-]\d{3}[ .-]\d{3}", r"\d{4}[ .-]\d{2}[ .-]\d{3}"),
    left="word",
    right="word",
    accept=checked(bsn.is_valid),
    contextual=True,
    context=(
        "bsn",
        "burgerservicenummer",
        "burger service nummer",
        "sofinummer",
        "sofi-nummer",
        "citizen service number",
        "荷兰公民服务号",
    ),
    hits=(
        "BSN: 111222333",
        "Mijn burgerservicenummer is 777944704.",
        "bsn 199.929.099",
        "sofinummer 6502 39 143",
        "荷兰公民服务号023536962谢谢",
        "ＢＳＮ １１１２２２３３３",
        "citizen service number (650239143)",
        "bsn=777944704;",
    ),
    misses=(
        "111222333",
        "order 111222333",
        "BSN 111222334",
        "BSN 1112223330",
        "BSN 9111222333",
        "BSN A111222333",
        "BSN 000000000",
        "111222333 is mijn BSN",
        "BSNX 111222333",
        "BSN 11122233",
        "BSN 111-22-2333",
        "111.222.333",
        "timestamp 1700000000",
    ),
)
