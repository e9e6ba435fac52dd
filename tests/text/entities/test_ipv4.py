from guardrail.text.entities.ipv4 import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "192.168.1.1",
    "203.0.113.42",
    "8.8.8.8",
    "10.0.0.1",
    "172.16.254.1",
    "１９２．１６８．０．１０",
    "127.0.0.1",
    "10.1.2.0",
    "198.51.100.7",
    "100.64.0.1",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
