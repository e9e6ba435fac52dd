"""German tax identification numbers (Steuer-IdNr.) behind a word that says so: eleven digits, plain or 2-3-3-3."""

from stdnum.de import idnr

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="de_tax_id",
    label="[DE_TAX_ID]",
    category="personal_data",
    severity="high",
    expressions=(r"[1-9]\d[ /]?\d{3}[ /]?\d{3}[ /]?\d{3}",),
    left="word",
    right="word",
    accept=checked(idnr.is_valid),
    contextual=True,
    context=(
        "steuer-id",
        "steuer id",
        "steuerid",
        "steuer-idnr",
        "steuer-identifikationsnummer",
        "steueridentifikationsnummer",
        "identifikationsnummer",
        "idnr",
        "id-nr",
        "steuernummer",
        "tax id",
        "tax identification",
        "tax number",
        "tin",
        "税号",
        "税务识别号",
    ),
    hits=(
        "Steuer-ID: 36574261809",
        "Meine Steueridentifikationsnummer lautet 31 952 716 017.",
        "IdNr. 46518629071",
        "German tax ID (30243638959)",
        "税号是81604358893谢谢",
        "Ｓｔｅｕｅｒ－ＩＤ ３６５７４２６１８０９",
        "Steuer-IdNr=36/574/261/809",
        "tin 31952716017;",
    ),
    misses=(
        "36574261809",
        "31 952 716 017",
        "Steuer-ID 36574261808",
        "Steuer-ID 06574261809",
        "Steuer-ID 136574261809",
        "Steuer-ID 365742618090",
        "Steuer-ID A36574261809",
        "Steuer-ID 11111111111",
        "Bestellung 36574261809",
        "phone 36574261809",
        "36574261809 ist die Steuer-ID",
        "Steuer-ID 3657426180",
        "tinted 36574261809",
        "0.36574261809",
    ),
)
