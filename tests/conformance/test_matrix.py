"""docs/clients.md says what the conformance tests assert."""

from tests.conformance.cases import CASES
from tests.conformance.clients import CLIENTS
from tests.conformance.matrix import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.conformance.matrix"


def test_the_page_names_every_client_and_case() -> None:
    text = page()
    assert [client.name for client in CLIENTS if f"| {client.name} |" not in text] == []
    assert [case.title for case in CASES if case.title not in text] == []


def test_every_client_has_a_cell_for_every_case() -> None:
    for client in CLIENTS:
        rows = [line for line in page().splitlines() if line.startswith(f"| {client.name} |")]
        first, *groups = rows
        assert first.count("|") == 4
        assert sum(row.count("|") - 2 for row in groups) == len(CASES)
