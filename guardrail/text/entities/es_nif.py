"""Spanish tax numbers of persons (NIF): the eight digits of an identity card, or K, L or M and seven digits, with the
check letter.
"""

from stdnum.es import nif

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

_LETTER = "[A-HJ-NP-TV-Z]"

ENTITY = Entity(
    name="es_nif",
    label="[ES_NIF]",
    category="personal_data",
    severity="high",
    expressions=(
        rf"\d{{8}}-?{_LETTER}",
        rf"\d{{2}}\.\d{{3}}\.\d{{3}}-?{_LETTER}",
        rf"[KLM]\d{{7}}{_LETTER}",
        rf"(?i:(?:\d{{2}}\.?\d{{3}}\.?\d{{3}}|[KLM]-?\d{{7}})[ -]?{_LETTER})",
    ),
    left="word",
    right="word",
    accept=checked(nif.is_valid),
    contextual=(False, False, False, True),
    context=(
        "nif",
        "dni",
        "n.i.f.",
        "d.n.i.",
        "documento nacional de identidad",
        "documento de identidad",
        "identificación fiscal",
        "identificacion fiscal",
        "spanish id",
        "spanish tax",
        "national id",
        "西班牙身份证",
        "税号",
    ),
    hits=(
        "12345678Z",
        "DNI: 12345678-Z.",
        "12.345.678-Z",
        "mi dni es 12345678z",
        "NIF 78878384 E",
        "税号是83726167A谢谢",
        "１２３４５６７８Ｚ",
        "(51361341H)",
        "documento de identidad 25.242.731 r",
        "id=67232686Y;",
    ),
    misses=(
        "12345678A",
        "12345678z",
        "12345678 Z",
        "112345678Z",
        "12345678ZA",
        "DNI 12345678A",
        "1234567Z",
        "A12345678Z",
        "20231015T120000",
        "ISBN 84-376-0494-X",
        "00000000I",
        "size 12.345.678",
        "commit 12345678ze",
        "550e8400-e29b-41d4-a716-446655440000",
        "dnipro 12345678z",
    ),
)
