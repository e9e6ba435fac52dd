from guardrail.text.entities.ip_address import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "192.168.1.1",
    "203.0.113.42",
    "8.8.8.8",
    "10.0.0.1",
    "172.16.254.1",
    "１９２．１６８．０．１０",
    "172.17.0.1",
    "10.1.2.0",
    "198.51.100.7",
    "100.64.0.1",
    "12.34.56.78",
    "1.2.3.4",
    "5.9.14.3",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "2001:db8::1",
    "fe80::1",
    "fe80::1ff:fe23:4567:890a",
    "2001:db8::8a2e:370:7334",
    "fe80::1",
    "２００１：ｄｂ８：：２",
    "::ffff:192.0.2.128",
    "64:ff9b::192.0.2.33",
    "2001:db8:abcd::",
    "ff02::1",
    "fd00:0:0:1:2:3:4:5",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
