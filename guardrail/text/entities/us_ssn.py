"""US social security numbers, written NNN-NN-NNNN or NNN NN NNNN; never nine bare digits."""

from stdnum.us import ssn

from guardrail.text.entities.entity import Entity


def _accept(match: str) -> bool:
    # Areas 000, 666 and 9xx, group 00, serial 0000 and numbers printed in advertisements were never issued.
    return match.isascii() and ssn.is_valid(match.replace(" ", "-"))


ENTITY = Entity(
    name="us_ssn",
    label="[US_SSN]",
    category="personal_data",
    severity="high",
    expressions=(r"[0-8]\d{2}-\d{2}-\d{4}", r"[0-8]\d{2} \d{2} \d{4}"),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "536-90-4399",
        "SSN: 123-45-6789.",
        "SSN 123 45 6789 on file",
        "社保号是536-90-4399谢谢",
        "５３６－９０－４３９９",
        "(001-01-0001)",
        "ssn=899-99-9999",
        "123\u00a045\u00a06789",
        "536-90-4399,123",
    ),
    misses=(
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-6789",
        "123-45-0000",
        "078-05-1120",
        "123456789",
        "123-456-7890",
        "1123-45-6789",
        "123-45-67890",
        "part A123-45-6789",
        "123-45 6789",
        "2023-10-15",
    ),
)
