from guardrail.text.entities.gitlab_token import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "glpat-QEYHMCZsMSrennQuk3i2",
    "glpat-QEYHMCZsMSrennQuk3i2",
    "gldt-QEYHMCZsMSrennQuk3i2",
    "glrt-QEYHMCZsMSrennQuk3i2",
    "glpat-QEYHMCZsMSrennQuk3i2",
    "ｇｌｐａｔ－QEYHMCZsMSrennQuk3i2",
    "glptt-QEYHMCZsMSrennQuk3i2QEYHMCZsMSrennQuk3i2",
    "glpat-QEYHMCZsMSrennQuk3i2pR7kVx0.01.0z1q7w3h4",
    "glpat-QEYHMCZsMS_rennQuk3i2",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
