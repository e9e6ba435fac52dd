from guardrail.text.entities.discord_token import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "MTE4NzYyNTM0MDk4NzE2MjUz.GqT8hd.hd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVMTs",
    "MTE4NzYyNTM0MDk4NzE2MjUz.GqT8hd.hd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVMTs",
    "MTE4NzYyNTM0MDk4NzE2MjUz.GqT8hd.hd6r26Qi60IHbEOEpw3JsoI27N7",
    "MTE4NzYyNTM0MDk4NzE2MjUz.GqT8hd.hd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVMTs",
    "ＭＴE4NzYyNTM0MDk4NzE2MjUz.GqT8hd.hd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVMTs",
    "MTE4NzYyNTM0MDk4NzE2MjUz.GqT8hd.hd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVMTs",
    "https://discord.com/api/webhooks/1187625340987162534/AZWj7qfmpD3w2xYYGnDEMKVDAJGWB2mJhd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVM",
    "https://discordapp.com/api/webhooks/1187625340987162534/AZWj7qfmpD3w2xYYGnDEMKVDAJGWB2mJhd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVM",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
