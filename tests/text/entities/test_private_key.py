from guardrail.text.entities.private_key import ENTITY
from guardrail.text.rules import Action
from guardrail.text.scanner import Scanner, compile_rules
from tests.text.entities.matching import check, plain

BEGIN, END = "-----BEGIN ", "-----END "
PRIVATE = "PRIVATE " + "KEY-----"
LINE = "sqDUfy6Zue+a9Ksl4cCGToKjbA/nd4i47NaLX0EB8019cm+YPadjmuVl+WZxt/00"
OPENSSH = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"
SHORT = "AbCdEf0="

FOUND = (
    f"{BEGIN}{PRIVATE}\n{LINE}\n{END}{PRIVATE}",
    f"{BEGIN}RSA {PRIVATE}\n{LINE}\n{LINE}\n{SHORT}\n{END}RSA {PRIVATE}",
    f"{BEGIN}OPENSSH {PRIVATE}\n{LINE}\n{LINE}",
    f"{BEGIN}EC {PRIVATE}\r\n{LINE}\r\n{SHORT}\r\n{END}EC {PRIVATE}",
    f"{BEGIN}{PRIVATE}\\n{LINE}\\n{SHORT}\\n{END}{PRIVATE}",
    f"{BEGIN}PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{LINE}\n=aB1c\n{END}PGP PRIVATE KEY BLOCK-----",
    f"{BEGIN}ENCRYPTED {PRIVATE} {LINE} {END}ENCRYPTED {PRIVATE}",
    f"{BEGIN}{PRIVATE}\n    {LINE}\n    {END}{PRIVATE}",
    f"－－－－－BEGIN {PRIVATE}\n{LINE}",
    f"{BEGIN}OPENSSH {PRIVATE}\n{OPENSSH}\n{LINE}\n{END}OPENSSH {PRIVATE}",
    f"{BEGIN}{PRIVATE}{LINE * 4}{END}{PRIVATE}",
)


def test_examples() -> None:
    check(ENTITY, FOUND)


def test_a_key_of_4096_bits_is_found_whole() -> None:
    key = f"{BEGIN}OPENSSH {PRIVATE}\n" + f"{LINE}wxyz01\n" * 44 + f"{SHORT}\n{END}OPENSSH {PRIVATE}"
    assert plain(ENTITY, f"Here:\n{key}\nDone.") == [key]


def test_a_halt_comes_with_the_first_line() -> None:
    scanner = Scanner(compile_rules([ENTITY.rule(Action.HALT)]))
    scanner.feed(f"Here: {BEGIN}RSA {PRIVATE}\n{LINE}\n")
    assert scanner.halt is not None
    assert scanner.halt.cut == len("Here: ")
