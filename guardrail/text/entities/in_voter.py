"""Voter card numbers of India (EPIC) behind a word that says so: three letters and seven digits with a Luhn check
digit.
"""

from stdnum.in_ import epic

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="in_voter",
    label="[IN_VOTER]",
    category="personal_data",
    severity="medium",
    expressions=(r"(?i:[A-Z]{3})\d{7}",),
    left="word",
    right="word",
    accept=checked(epic.is_valid),
    contextual=True,
    context=(
        "voter",
        "voters",
        "epic no",
        "epic number",
        "epic card",
        "elector",
        "electors",
        "electoral photo identity",
        "मतदाता",
        "选民证",
    ),
    hits=(
        "Voter ID: WKH1186253",
        "voter card abc8676074",
        "EPIC No. ABC5444534.",
        "选民证号码是ABC8758047谢谢",
        "मतदाता पहचान पत्र ABC6745970",
        "ｖｏｔｅｒ ＷＫＨ１１８６２５３",
        "electors photo identity card (WKH1186253)",
        "voter_id=ABC8676074;",
    ),
    misses=(
        "WKH1186253",
        "part WKH1186253",
        "voter WKH1186254",
        "voter XWKH1186253",
        "voter WKH11862531",
        "voter WKH118625",
        "voter WKH1186253A",
        "voter WK11186253",
        "an epic WKH1186253",
        "WKH1186253 is a voter",
        "voter ABC0000001",
        "order ABC8676074",
    ),
)
