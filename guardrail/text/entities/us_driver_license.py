"""US driver's licence numbers right behind a word that says so: the commonest shapes of the states.

There is no check digit, and the shapes are as plain as seven digits: light, not complete.
"""

from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="us_driver_license",
    label="[US_DRIVER_LICENSE]",
    category="personal_data",
    severity="high",
    # California and others; Florida, Illinois, Michigan and others; New Jersey; Idaho, Rhode Island and others.
    expressions=(
        r"[A-Za-z](?:\d{7,8}|\d{11,14})",
        r"[A-Za-z]\d{3}-\d{3,4}-\d{2,4}(?:-\d{3}-\d)?",
        r"[A-Za-z]{2}\d{6,7}[A-Za-z]?",
        r"\d{7,10}",
    ),
    left="word",
    right="word",
    contextual=True,
    context=(
        "driver's license",
        "drivers license",
        "driver license",
        "driver's licence",
        "drivers licence",
        "driving licence",
        "driving license",
        "license id",
        "dl",
        "dln",
        "licencia de conducir",
        "驾照",
        "驾驶证",
        "驾驶执照",
    ),
    within=24,
    hits=(
        "Driver's license: A1234567",
        "DL# D12345678.",
        "drivers license number 99999999",
        "Florida driver license G544-061-73-925-0",
        "驾照号码是B7654321谢谢",
        "ＤＬ Ｋ１２３４５６７",
        "driver’s license (S99988801)",
        "DL=WA123456B;",
        "driver's license M123456789012",
    ),
    misses=(
        "A1234567",
        "order A1234567",
        "DL 123456",
        "DL A123456",
        "DL 12345678901",
        "DL AB12345678",
        "driver's license since 2015-10-15",
        "A1234567 is my driver's license",
        "DLX A1234567",
        "software license A1234567",
        "driver's license, so call me at the office on A1234567",
        "DL ABC123456",
        "the license driver A1234567",
    ),
)
