"""What characters stand for, as data: look-alikes, simplified Chinese, digits, and the letters of alphabets.

All but the alphabets are generated (`python -m tests.text.tables.making`), so that folding depends neither on a
package at run time nor on the Unicode version of the Python that runs.
"""

from guardrail.text.tables.alphabets import ALPHABETS
from guardrail.text.tables.lookalikes import LOOKALIKES
from guardrail.text.tables.numerals import HAN_NUMERALS, NUMERALS
from guardrail.text.tables.simplified import SIMPLIFIED

__all__ = ["ALPHABETS", "HAN_NUMERALS", "LOOKALIKES", "NUMERALS", "SIMPLIFIED"]
