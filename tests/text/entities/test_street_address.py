from guardrail.text.entities.street_address import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "742 Evergreen Terrace, Springfield, OR 97477",
    "12B Baker Street, London NW1 6XE",
    "1600 N. Oak Tree Blvd., Apt 4",
    "55 5th Avenue #12",
    "北京市海淀区中关村大街27号",
    "上海市浦东新区世纪大道100号3栋2单元501室",
    "广东省深圳市南山区科技路８号",
    "12 rue de la Paix, 75002 Paris",
    "Calle Mayor 12, 28013 Madrid",
    "Musterstraße 12, 12345 Berlin",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
