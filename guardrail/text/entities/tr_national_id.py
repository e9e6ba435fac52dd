"""Turkish identity numbers (T.C. kimlik) behind a word that says so: eleven digits with two check digits."""

from stdnum.tr import tckimlik

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="tr_national_id",
    label="[TR_NATIONAL_ID]",
    category="personal_data",
    severity="high",
    expressions=(r"[1-9]\d{10}",),
    left="word",
    right="word",
    accept=checked(tckimlik.is_valid),
    contextual=True,
    context=(
        "kimlik",
        "tckn",
        "tc no",
        "t.c. no",
        "turkish id",
        "turkish identity",
        "national id",
        "土耳其身份",
    ),
    hits=(
        "TC Kimlik No: 17291716060",
        "kimlik numaram 71031834254.",
        "TCKN 44156659910",
        "土耳其身份号码21177483496谢谢",
        "ｋｉｍｌｉｋ １７２９１７１６０６０",
        "Turkish ID (84790186700)",
        "tckn=17291716060;",
        "T.C. no 71031834254",
    ),
    misses=(
        "17291716060",
        "order 17291716060",
        "TCKN 17291716050",
        "TCKN 07291716060",
        "TCKN 172917160601",
        "TCKN 917291716060",
        "TCKN A17291716060",
        "TCKN 1729171606",
        "17291716060 TCKN",
        "TCKNX 17291716060",
        "phone 17291716060",
        "TCKN 172 917 160 60",
    ),
)
