from guardrail.text.entities.azure_key import ENTITY
from tests.text.entities.matching import check

ACCOUNT = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq" + "/K1SZFPTOtr/KBHBeksoGMGw=="
SHARED = "q9V2mZ8rT5kYw1xN7bLc3HdF6gJp0sAe4uRiOtQvXy" + "I="
SIGNATURE = "q9V2mZ8rT5kYw1xN7bLc3HdF%2BgJp0sAe%2FuRiOtQvXy" + "I%3D"

FOUND = (
    f"AccountKey={ACCOUNT}",
    f"AccountKey={ACCOUNT}",
    f"AccountKey={ACCOUNT}",
    f"accountkey={ACCOUNT}",
    f"SharedAccessKey={SHARED}",
    f"SharedAccessKey={SHARED}",
    f"&sig={SIGNATURE}",
    f"?sig={SIGNATURE}",
    f"ＡｃｃｏｕｎｔＫｅｙ＝{ACCOUNT}",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
