"""Sets on disk: what is put in is found, nothing else is; what is not whole is refused; no text is in the file."""

from __future__ import annotations

import hashlib
import itertools
import stat
from pathlib import Path

import msgspec
import pytest

from guardrail.policy.fingerprints import MAGIC, BadFingerprints, Document, Draft, FingerprintFile, new_shape
from guardrail.text.shingles import Shape, UnitReader, shingles

SHAPE = Shape(words=4, characters=6, key=b"0123456789abcdef")
HANDBOOK = "Customers who ask for a refund after the fourth week are offered a voucher instead, whatever they say."
LETTER = "The board will meet on the ninth to decide on the refund after the fourth week, and on nothing else."
NOTE = "退款的申请超过四个星期以后，一律只给代金券，不管顾客怎么说。"


def made(path: Path, **texts: str) -> FingerprintFile:
    draft = Draft(SHAPE)
    for name, text in texts.items():
        draft.add(name, text.encode())
    draft.write(path)
    return FingerprintFile(path)


def found(opened: FingerprintFile, text: str) -> set[str]:
    """The documents that all of the text is in."""
    every = [{opened.name(one) for one in opened.documents(shingle)} for shingle, _ in shingles(text, opened.shape)]
    return set.intersection(*every)


def test_every_shingle_of_a_document_is_found(tmp_path: Path) -> None:
    opened = made(tmp_path / "a.fp", handbook=HANDBOOK, letter=LETTER, note=NOTE)
    assert found(opened, HANDBOOK) == {"handbook"}
    assert found(opened, LETTER) == {"letter"}
    assert found(opened, NOTE) == {"note"}
    assert found(opened, "REFUND after the\nfourth WEEK") == {"handbook", "letter"}
    assert found(opened, "after the fourth board") == set()
    for text in (HANDBOOK, LETTER):
        assert all(opening is not None and opened.opens(opening) for _, opening in shingles(text, SHAPE))
    assert not any(opened.opens(opening or 0) for _, opening in shingles("some other words that are not in", SHAPE))


def test_what_is_not_in_a_large_set_is_not_found(tmp_path: Path) -> None:
    words = [f"{a}{b}" for a, b in itertools.product("abcdefghij", repeat=2)]
    text = " ".join(one + other for one, other in itertools.product(words, words))
    opened = made(tmp_path / "a.fp", long=text)
    values = [shingle for shingle, _ in shingles(text, SHAPE)]
    assert all(list(opened.documents(value)) == [0] for value in values)
    assert not any(opened.documents(value + 1) or opened.documents(value - 1) for value in values)
    assert opened.documents(0) == opened.documents((1 << 64) - 1) == ()
    assert not opened.opens(0)
    assert not opened.opens((1 << 32) - 1)
    assert opened.path.stat().st_size < 17 * len(values)


def test_the_set_says_what_is_in_it(tmp_path: Path) -> None:
    opened = made(tmp_path / "a.fp", handbook=HANDBOOK, note=NOTE)
    sha256 = hashlib.sha256(HANDBOOK.encode()).hexdigest()
    assert opened.listed[0] == Document("handbook", sha256, len(set(shingles(HANDBOOK, SHAPE))))
    assert opened.shape == SHAPE


def test_a_document_is_replaced_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.fp"
    before = made(path, handbook=HANDBOOK, letter=LETTER)
    draft = Draft(before)
    draft.add("handbook", NOTE.encode())
    draft.write(path)
    opened = FingerprintFile(path)
    assert [one.id for one in opened.listed] == ["letter", "handbook"]
    assert found(opened, NOTE) == {"handbook"}
    assert found(opened, "Customers who ask for a refund") == set()
    assert found(opened, "refund after the fourth week") == {"letter"}  # the other one still has it
    assert found(before, HANDBOOK) == {"handbook"}  # what is open stays as it was
    draft = Draft(opened)
    draft.remove("letter")
    draft.write(path)
    opened = FingerprintFile(path)
    assert len(opened.openings) == 0
    assert found(opened, "refund after the fourth week") == set()
    assert found(opened, NOTE) == {"handbook"}
    assert not any(opened.opens(opening or 0) for _, opening in shingles(LETTER, SHAPE))


def test_the_same_documents_in_the_same_order_are_the_same_file(tmp_path: Path) -> None:
    one = made(tmp_path / "a.fp", handbook=HANDBOOK, note=NOTE)
    other = made(tmp_path / "b.fp", handbook=HANDBOOK, note=NOTE)
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.digest == other.digest != made(tmp_path / "c.fp", handbook=HANDBOOK).digest


def test_a_new_set_has_a_key_of_its_own() -> None:
    assert new_shape(12, 20).key != new_shape(12, 20).key


def test_no_unit_of_a_document_is_in_the_file(tmp_path: Path) -> None:
    data = made(tmp_path / "a.fp", d=HANDBOOK + NOTE).path.read_bytes()
    reader = UnitReader()
    units = {unit.strip() for unit, _, _ in [*reader.push(HANDBOOK + NOTE), *reader.finish()]}
    # A word of one or two letters would be in any bytes.
    words = {unit for unit in units if len(unit.encode()) > 2}
    assert len(words) > 20
    assert [word for word in words if word.encode() in data.lower()] == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "found nothing in it"),
        (b" \n", "found nothing in it"),
        (b"%PDF-1.7\n\0\1", "found a zero byte, expected text in UTF-8"),
        (b"caf\xe9 au lait", "found the byte 0xe9 at byte offset 3, expected text in UTF-8"),
        (b"just three words", "found less than 4 words (or 6 characters) of text"),
    ],
)
def test_what_is_no_document(data: bytes, said: str) -> None:
    draft = Draft(SHAPE)
    with pytest.raises(BadFingerprints) as raised:
        draft.add("name", data)
    assert said in str(raised.value)
    assert len(draft) == 0


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    draft = Draft(SHAPE)
    draft.add("a", b"\xef\xbb\xbf" + HANDBOOK.encode())
    draft.write(tmp_path / "a.fp")
    assert found(FingerprintFile(tmp_path / "a.fp"), HANDBOOK) == {"a"}


def whole(tmp_path: Path) -> bytes:
    return made(tmp_path / "whole.fp", handbook=HANDBOOK).path.read_bytes()


def with_header(data: bytes, **changes: object) -> bytes:
    """The set with another header, and the digest that goes with it."""
    size = int.from_bytes(data[48:56], "little")
    header = msgspec.json.encode(msgspec.json.decode(data[56 : 56 + size]) | changes)
    header += b" " * (-len(header) % 8)
    rest = len(header).to_bytes(8, "little") + header + data[56 + size :]
    return MAGIC + hashlib.sha256(rest).digest() + rest


def test_what_is_no_whole_set_is_refused(tmp_path: Path) -> None:
    good = whole(tmp_path)
    cases = {
        b"": "found 0 bytes",
        HANDBOOK.encode(): "found another kind of file",
        good[:-1]: "found a damaged fingerprint set",
        good + b"\0": "found a damaged fingerprint set",
        good[:100] + bytes([good[100] ^ 1]) + good[101:]: "found a damaged fingerprint set",
        with_header(good, folding="another"): "made with other tables of look-alike characters",
        with_header(good, words="four"): "found a fingerprint set of another version",
        with_header(good, further=1): "found a fingerprint set of another version",
        with_header(good, shingles=100_000): "found a fingerprint set that is shorter than it says",
    }
    path = tmp_path / "bad.fp"
    for data, said in cases.items():
        path.write_bytes(data)
        with pytest.raises(BadFingerprints) as raised:
            FingerprintFile(path)
        assert said in str(raised.value)
    path.write_bytes(with_header(good))
    assert found(FingerprintFile(path), HANDBOOK) == {"handbook"}


def test_a_set_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.fp"
    made(path, handbook=HANDBOOK)
    before = path.read_bytes()
    draft = Draft(FingerprintFile(path))
    draft.add("note", NOTE.encode())
    path.unlink()
    path.mkdir()  # a file cannot be put in its place
    with pytest.raises(OSError):
        draft.write(path)
    assert [one.name for one in tmp_path.iterdir()] == ["a.fp"]
    path.rmdir()
    path.write_bytes(before)
    assert found(FingerprintFile(path), HANDBOOK) == {"handbook"}


def test_a_set_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.fp"
    made(path, handbook=HANDBOOK)
    path.chmod(0o600)
    made(path, note=NOTE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
