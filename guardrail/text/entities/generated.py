"""Tells what a machine drew at random from what a person typed to show where a token goes.

Models fill examples with `xxxxxxxx` and `your-token-here`. Neither is a secret, and to halt on one would spoil an
honest answer about how to set up a key.
"""

from itertools import groupby

# A random token of 16 characters, even hexadecimal, has fewer than 6 different ones less often than once in 10^5.
_DIFFERENT = 6
# 5 equal characters in a row: once in 10^4 hexadecimal tokens of 32 characters, rarer in larger alphabets.
_LONGEST_RUN = 5


def is_varied(body: str) -> bool:
    """Whether a token has enough different characters, and no long run of one."""
    return len(set(body)) >= _DIFFERENT and max(len(list(run)) for _, run in groupby(body)) <= _LONGEST_RUN


def is_generated(body: str) -> bool:
    """Varied, and of at least two of: digits, upper case, lower case."""
    kinds = any(map(str.isdigit, body)) + any(map(str.isupper, body)) + any(map(str.islower, body))
    return kinds >= 2 and is_varied(body)
