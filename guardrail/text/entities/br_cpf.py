"""Brazilian taxpayer numbers of persons (CPF): eleven digits with two check digits, grouped 3.3.3-2; plain digits
behind a word that says what they are.
"""

from stdnum.br import cpf

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="br_cpf",
    label="[BR_CPF]",
    category="personal_data",
    severity="high",
    expressions=(r"\d{3}\.\d{3}\.\d{3}-\d{2}", r"\d{3}[ .]?\d{3}[ .]?\d{3}[ -]?\d{2}"),
    left="word",
    right="word",
    accept=checked(cpf.is_valid),
    contextual=(False, True),
    context=(
        "cpf",
        "cadastro de pessoas físicas",
        "cadastro de pessoas fisicas",
        "brazilian tax",
        "brazilian id",
        "税号",
    ),
    hits=(
        "390.533.447-05",
        "CPF: 20694313475.",
        "meu cpf é 338.883.480-64",
        "税号是05300260231谢谢",
        "３９０．５３３．４４７－０５",
        "(606.672.842-30)",
        "cpf=39053344705;",
        "CPF 390 533 447 05",
    ),
    misses=(
        "390.533.447-06",
        "39053344705",
        "CPF 39053344706",
        "1390.533.447-05",
        "390.533.447-051",
        "CPF A39053344705",
        "111.111.111-11",
        "390-533-447-05",
        "order 39053344705",
        "phone 39053344705",
        "CPF 3905334470",
        "39053344705 CPF",
        "v390.533.447-05",
    ),
)
