"""Upload tokens of the Python package index: a macaroon in base64url behind `pypi-`, for the index or its test twin."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_varied

_BODY = "CJDAyZDZhYmY4LTg5Y2UtNDkzMy1hYjk4LTlmZjJmZDk3MWI4ZAACKlszLCJlMT" + "ViZDI4MS0wYjM5"

ENTITY = Entity(
    name="pypi_token",
    label="[PYPI_TOKEN]",
    category="secret",
    severity="critical",
    # The first bytes of every token name the index that issued it.
    expressions=("pypi-Ag(?:EIcHlwaS5vcmc|ENdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{50,500}",),
    left="word",
    accept=is_varied,
    hits=(
        "pypi-AgEIcHlwaS5vcmc" + _BODY,
        "TWINE_PASSWORD=pypi-AgEIcHlwaS5vcmc" + _BODY,
        "password = pypi-AgENdGVzdC5weXBpLm9yZw" + _BODY,
        "令牌pypi-AgEIcHlwaS5vcmc" + _BODY + "谢谢",
        "ｐｙｐｉ－AgEIcHlwaS5vcmc" + _BODY,
        "'pypi-AgEIcHlwaS5vcmc" + _BODY + "'",
        "pypi-AgEIcHlwaS5vcmc" + _BODY * 2,
        "(pypi-AgEIcHlwaS5vcmc" + _BODY + ")",
    ),
    misses=(
        "pypi-AgEIcHlwaS5vcmc",
        "pypi-AgEIcHlwaS5vcmc...",
        "pypi-AgEIcHlwaS5vcmc" + _BODY[:49],
        "pypi-your-token-here",
        "PYPI-AgEIcHlwaS5vcmc" + _BODY,
        "xpypi-AgEIcHlwaS5vcmc" + _BODY,
        "pypi-" + _BODY,
        "AgEIcHlwaS5vcmc" + _BODY,
        "pypi-server and pypi-mirror",
    ),
)
