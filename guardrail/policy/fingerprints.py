"""Fingerprint sets on disk: the hashes of protected documents, mapped into memory and looked up where they lie.

A set is one file: magic, SHA-256 of the rest, a header in JSON (padded with spaces to 8 bytes), then arrays of
little-endian numbers, each sorted by the hashes that it belongs to:

    shingles            64 bits     the hash of a shingle; once for each document that has it
    openings            32 bits     half the hash of a shingle without its last unit; the same
    shingle buckets     32 bits     where in `shingles` the hashes begin that start with each number of leading bits
    opening buckets     32 bits     the same of `openings`
    shingle documents   16 bits     the document of each shingle
    opening documents   16 bits     the document of each opening: only so that a document can be removed

That is 16 bytes a shingle, 10 for text whose units are characters, and the pages are shared by all processes that
map the file. Every shingle of a document is in it: a sample of them, as winnowing takes, would be smaller, but a
passage is removed from its n-th word on, and only the hash of the very shingle that ends there can tell that word.

Promises: a file that is not whole, or not made by this version, is refused when it is opened, never read as if it had
less in it. A file that is open must be replaced (a new one renamed over it, as `write` does), never written into.
Holds no text: only keyed hashes, the names of the documents and the SHA-256 of their files.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import shutil
import struct
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from guardrail.errors import GuardrailError
from guardrail.text.shingles import Shape, folding, shingles

MAGIC = b"guardrail.fp.01\n"
MIN_UNITS, MAX_UNITS = 4, 100
"""Of a shingle. Shorter ones are phrases that everybody writes, and can be guessed from their hashes."""
MAX_DOCUMENTS = 1 << 16
"""What 16 bits can tell apart. A policy can have several sets."""
_KEY_BYTES = 16
_PER_BUCKET_BITS = 4
"""About 16 hashes a bucket: the search within one is a few steps, and the buckets add 2% to the file."""


class BadFingerprints(GuardrailError):
    """A set that cannot be used, or a document that cannot be put into one; the message says why."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One document of a set."""

    id: str
    sha256: str
    """Of its file (hex)."""
    shingles: int
    """How many different ones it has."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: int
    characters: int
    key: str
    folding: str
    shingles: int
    openings: int
    documents: tuple[Document, ...]


class FingerprintFile:
    """A set, open for lookups (see `guardrail.text.protected.Fingerprints`)."""

    def __init__(self, path: Path) -> None:
        """Reads the file once, to check its digest. Raises BadFingerprints and OSError."""
        self.path = path
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _PREFIX.size:
                raise BadFingerprints(f"found {size} bytes, expected a fingerprint set")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        view = memoryview(mapped)
        magic, digest, header_size = _PREFIX.unpack_from(view)
        if magic != MAGIC:
            raise BadFingerprints("found another kind of file, expected a fingerprint set")
        if hashlib.sha256(view[len(MAGIC) + 32 :]).digest() != digest:
            raise BadFingerprints("found a damaged fingerprint set: its content does not have the digest that it names")
        if sys.byteorder != "little":
            raise BadFingerprints("found a machine that is not little-endian, on which sets cannot be read")
        try:
            header = msgspec.json.decode(view[_PREFIX.size : _PREFIX.size + header_size], type=_Header)
            self.shape = Shape(header.words, header.characters, bytes.fromhex(header.key))
        except (msgspec.DecodeError, ValueError):
            raise BadFingerprints("found a fingerprint set of another version, expected one of this") from None
        if header.folding != folding():
            raise BadFingerprints(
                "found a fingerprint set made with other tables of look-alike characters, with which it finds nothing; "
                "expected one made again from its documents"
            )
        self.digest: str = digest.hex()
        self.listed = header.documents
        """The documents, by number."""
        parts: list[memoryview[int]] = []
        at = _PREFIX.size + header_size
        for code, count in _sections(header.shingles, header.openings):
            empty = array(code)
            end = at + count * empty.itemsize
            if end > size:
                raise BadFingerprints("found a fingerprint set that is shorter than it says, expected all of it")
            parts.append(view[at:end].cast(code) if count else memoryview(empty))
            at = end + -end % 8
        self.shingles, self.openings = parts[0], parts[1]
        self._shingle_buckets, self._opening_buckets = parts[2], parts[3]
        self.shingle_documents, self.opening_documents = parts[4], parts[5]
        self._shingle_shift = 64 - _bucket_bits(header.shingles)
        self._opening_shift = 32 - _bucket_bits(header.openings)

    def documents(self, shingle: int) -> Sequence[int]:
        """The documents with this shingle, in ascending order."""
        bucket = shingle >> self._shingle_shift
        hashes, end = self.shingles, self._shingle_buckets[bucket + 1]
        at = bisect_left(hashes, shingle, self._shingle_buckets[bucket], end)
        if at == end or hashes[at] != shingle:
            return ()
        last = at
        while last < end and hashes[last] == shingle:
            last += 1
        return self.shingle_documents[at:last].tolist()

    def opens(self, opening: int) -> bool:
        """Whether a shingle of the set may begin so."""
        opening &= 0xFFFFFFFF
        bucket = opening >> self._opening_shift
        end = self._opening_buckets[bucket + 1]
        at = bisect_left(self.openings, opening, self._opening_buckets[bucket], end)
        return at < end and self.openings[at] == opening

    def name(self, document: int) -> str:
        return self.listed[document].id


_PREFIX = struct.Struct(f"<{len(MAGIC)}s32sQ")


def _sections(shingles: int, openings: int) -> tuple[tuple[Literal["Q", "I", "H"], int], ...]:
    """Type code and length of each array."""
    buckets = [(1 << _bucket_bits(count)) + 1 for count in (shingles, openings)]
    return ("Q", shingles), ("I", openings), ("I", buckets[0]), ("I", buckets[1]), ("H", shingles), ("H", openings)


def _bucket_bits(count: int) -> int:
    return max(count.bit_length() - _PER_BUCKET_BITS, 1)


class _Hashes:
    """Hashes of `bits` bits with their documents, sorted as late as possible and 1/256 at a time: as Python's numbers
    they would take ten times the memory."""

    def __init__(self, code: Literal["Q", "I"], bits: int) -> None:
        self._code = code
        self._shift = bits - 8
        self._hashes = [array(code) for _ in range(256)]
        self._documents = [array("H") for _ in range(256)]

    def add(self, value: int, document: int) -> None:
        part = value >> self._shift
        self._hashes[part].append(value)
        self._documents[part].append(document)

    def take(self, hashes: memoryview[int], documents: memoryview[int]) -> None:
        """Take over those of a set."""
        start = 0
        for part in range(256):
            end = bisect_left(hashes, (part + 1) << self._shift, start)
            self._hashes[part].frombytes(hashes[start:end].tobytes())
            self._documents[part].frombytes(documents[start:end].tobytes())
            start = end

    def sort(self, numbers: Mapping[int, int]) -> tuple[array[int], array[int]]:
        """Every pair once, in order, of the documents in `numbers`, which says what they are called from now on.
        Nothing is left here."""
        hashes, documents = array(self._code), array("H")
        for part in range(256):
            pairs = {
                value << 16 | numbers[document]
                for value, document in zip(self._hashes[part], self._documents[part], strict=True)
                if document in numbers
            }
            for pair in sorted(pairs):
                hashes.append(pair >> 16)
                documents.append(pair & 0xFFFF)
            self._hashes[part], self._documents[part] = array(self._code), array("H")
        return hashes, documents


class Draft:
    """A set in the making: a new one, or a change of one that is open."""

    def __init__(self, base: FingerprintFile | Shape) -> None:
        self._shingles, self._openings = _Hashes("Q", 64), _Hashes("I", 32)
        self._documents: dict[str, tuple[int, str]] = {}
        self._used = 0
        if isinstance(base, Shape):
            self.shape = base
            return
        self.shape = base.shape
        self._shingles.take(base.shingles, base.shingle_documents)
        self._openings.take(base.openings, base.opening_documents)
        for document in base.listed:
            self._documents[document.id] = (self._used, document.sha256)
            self._used += 1

    def __contains__(self, name: object) -> bool:
        return name in self._documents

    def __len__(self) -> int:
        return len(self._documents)

    def add(self, name: str, data: bytes) -> None:
        """Put the text of a file in, in the place of the document that had this name. Raises BadFingerprints, with
        nothing changed, for what is no text or too short."""
        text = read_text(data)
        if self._used == MAX_DOCUMENTS:
            raise BadFingerprints(f"found more than {MAX_DOCUMENTS} documents, expected no more in one set")
        number, size = self._used, 0
        for shingle, opening in shingles(text, self.shape):
            self._shingles.add(shingle, number)
            if opening is not None:
                self._openings.add(opening & 0xFFFFFFFF, number)
            size += 1
        if not size:
            words, characters = self.shape.words, self.shape.characters
            raise BadFingerprints(f"found less than {words} words (or {characters} characters) of text, expected more")
        self._used += 1
        self._documents.pop(name, None)
        self._documents[name] = (number, hashlib.sha256(data).hexdigest())

    def remove(self, name: str) -> None:
        del self._documents[name]

    def write(self, path: Path) -> tuple[Document, ...]:
        """Put the set in the place of the file at `path`, at once or not at all; then the draft is used up. Raises
        OSError."""
        numbers = {number: index for index, (number, _) in enumerate(self._documents.values())}
        hashes, documents = self._shingles.sort(numbers)
        openings, opening_documents = self._openings.sort(numbers)
        sizes = Counter(documents)
        listed = tuple(
            Document(name, sha256, sizes[index]) for index, (name, (_, sha256)) in enumerate(self._documents.items())
        )
        header = msgspec.json.encode(
            _Header(
                words=self.shape.words,
                characters=self.shape.characters,
                key=(self.shape.key or b"").hex(),
                folding=folding(),
                shingles=len(hashes),
                openings=len(openings),
                documents=listed,
            )
        )
        header += b" " * (-len(header) % 8)
        sections = (hashes, openings, _buckets(hashes, 64), _buckets(openings, 32), documents, opening_documents)
        _replace(path, header, sections)
        return listed


def new_shape(words: int, characters: int) -> Shape:
    """The shape of a new set, with a key of its own, so that the hashes of two sets cannot be compared."""
    return Shape(words, characters, secrets.token_bytes(_KEY_BYTES))


def read_text(data: bytes) -> str:
    """The text of a document. Raises BadFingerprints."""
    if not data.strip():
        raise BadFingerprints("found nothing in it, expected text")
    if b"\0" in data:
        raise BadFingerprints("found a zero byte, expected text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"found the byte 0x{data[error.start]:02x} at byte offset {error.start}, expected text in UTF-8"
        raise BadFingerprints(message) from None


def _buckets(hashes: array[int], bits: int) -> array[int]:
    shift = bits - _bucket_bits(len(hashes))
    starts, start = array("I"), 0
    for bucket in range((1 << (bits - shift)) + 1):
        start = bisect_left(hashes, bucket << shift, start)
        starts.append(start)
    return starts


def _replace(path: Path, header: bytes, sections: Sequence[array[int]]) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("x+b") as file:
            size = struct.pack("<Q", len(header))
            digest = hashlib.sha256(size + header)
            file.write(bytes(len(MAGIC) + 32) + size + header)
            for section in sections:
                data = section.tobytes() + bytes(-(len(section) * section.itemsize) % 8)
                digest.update(data)
                file.write(data)
            file.seek(0)
            file.write(MAGIC + digest.digest())
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
