"""Tells what a machine drew at random from what a person typed to show where a secret goes.

Models fill examples with `xxxxxxxx`, `your-token-here`, `abc123def456` and the samples of manuals. None of these is a
secret, and to halt on one would spoil an honest answer about how to set up a key.
"""

from itertools import groupby

# A random token of 16 characters, even hexadecimal, has fewer than 6 different ones less often than once in 10^5.
_DIFFERENT = 6
# 5 equal characters in a row: once in 10^4 hexadecimal tokens of 32 characters, rarer in larger alphabets.
_LONGEST_RUN = 5
# Of neighbours in a random hexadecimal token 1 in 16 count up; 1 in 3 do once in 10^3 tokens of 16 characters and in
# 10^5 of 24. Typed fillers (`1234567890abcdef`, `abc123def456`, `a1b2c3d4`) do at most steps, or at every second one.
_COUNTING = 1 / 3

# What a person writes into an example, without regard to case. Of random tokens in base64, 1 in 1000 of 40 characters
# holds one of these by chance, and 1 in 125 of 170.
_WORDS = (
    "example", "sample", "placeholder", "changeme", "change_me", "change-me", "replace", "insert", "dummy", "fake",
    "your", "my_", "my-", "mysecret", "mypass", "mytoken", "mykey", "secret", "passw", "pa55w", "p@ssw", "p@55w",
    "p4ssw", "token", "api_key", "api-key", "apikey", "_key", "-key", "key_", "key-", "keyhere", "here", "todo",
    "redacted", "hidden", "masked", "xxxx", "****", "••••", "....", "qwerty", "asdf", "foobar", "lorem", "hunter2",
    "letmein", "admin", "123456", "654321", "abcdef", "fedcba", "abc123", "deadbeef", "testing", "test_", "test-",
    "_test", "-test",
)  # fmt: skip


def is_varied(body: str) -> bool:
    """Whether a token has enough different characters, and no long run of one."""
    return len(set(body)) >= _DIFFERENT and max(len(list(run)) for _, run in groupby(body)) <= _LONGEST_RUN


def is_generated(body: str) -> bool:
    """Varied, of at least two of: digits, upper case, lower case; and not typed by a person."""
    kinds = any(map(str.isdigit, body)) + any(map(str.isupper, body)) + any(map(str.islower, body))
    return kinds >= 2 and is_varied(body) and not is_typed(body)


def is_typed(body: str) -> bool:
    """Whether a person wrote it to show where a secret goes: words of an example, or characters that count up."""
    lower = body.lower()
    return any(word in lower for word in _WORDS) or _counts_up(lower)


def _counts_up(body: str) -> bool:
    codes = [ord(char) for char in body]
    for step in (1, 2):
        pairs = list(zip(codes, codes[step:], strict=False))
        if pairs and sum(b - a == 1 for a, b in pairs) > _COUNTING * len(pairs):
            return True
    return False
