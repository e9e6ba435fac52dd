from guardrail.text.entities.crypto import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "1CVcX9NRcvLn9R9DkeGrckrBRSsdkqhHsa",
    "1CVcX9NRcvLn9R9DkeGrckrBRSsdkqhHsa",
    "3DBdSgrsApfAEaqesjwT3PD7ZyAMKxhMp4",
    "bc1q0cf2u525w57lv6lgzvsedk8cxvdx3y5q28kyvs",
    "BC1Q0CF2U525W57LV6LGZVSEDK8CXVDX3Y5Q28KYVS",
    "bc1p0cf2u525w57lv6lgzvsedk8cxvdx3y5qn3238akkdvjz897fchlqkh6v82",
    "ｂｃ１ｑ0cf2u525w57lv6lgzvsedk8cxvdx3y5q28kyvs",
    "LWiZnMgFhaaqQDqNvnG9tmuwdfEuwXZPe5",
    "MKPmkaGq7wWb367Yycvns2TWtfkoKxdA77",
    "ltc1q0cf2u525w57lv6lgzvsedk8cxvdx3y5qwmvq5q",
    "DGdi4QK4vLF4gRKpVEGRAX1nJabw9Cyizk",
    "TMTpXCk9meTjJbCrLuva8uYKLEcwxXanQt",
    "rUVcX94RcvL89R9DkeGickiBRS1dkq6H12",
    "0x7e12ae5154753df66be8132196d8f8331a689280",
    "0x7E12AE5154753DF66BE8132196D8F8331A689280",
    "48qkRGWQnJUauWHkcFuzouJjugU6ScuyUsGoY1iQpf1VsFKsCZEyoS5KWw7YhYpYxbbSbPaHBBcfU6ksvquvYPhGprtbxaT",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
