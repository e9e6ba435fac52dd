"""Bundles: packed, sent in parts, laid out and loaded again, they are the policy that was packed."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrail.policy.bundle import (
    PART,
    BadBundle,
    Bundle,
    as_yaml,
    assembled,
    pack,
    read_manifest,
    read_unpacked,
    unpacked,
)
from guardrail.policy.compile import load_policy
from guardrail.policy.document import read_document
from guardrail.policy.load import load_policies
from guardrail.policy.policy import Policy
from guardrail.protect import add
from tests.policy.tree import write

POLICY = """\
policy: p
extends: [base, default]
notice: {en: "Stopped.\\u00a0Case {case_id}"}
rules:
  - {id: list, lexicon: ../lists/words.txt, action: redact, mask: {style: label, text: "[w]"}}
  - {id: beside, near: {first: [left], second_lexicon: ../lists/more.csv, within: 20}, action: halt}
  - {id: plain, keywords: ["a \\"quoted\\" word", "yes", "12", "tab\\tbed"], action: log}
"""
FILES = {
    "policies/p.yaml": POLICY,
    "policies/base.yaml": "policy: base\nrules:\n  - {id: b, pattern: 'x[0-9]{3}', action: redact}\n",
    "lists/words.txt": "@category slur\n@include more.csv\nsomething\nanother one\n",
    "lists/more.csv": "term\nright\n",
}


def packed(folder: Path, name: str = "p") -> tuple[Bundle, Policy]:
    policy = load_policy(folder / "policies" / f"{name}.yaml", environ={})
    return pack(load_policies(folder / "policies"), policy), policy


def sent(bundle: Bundle) -> Bundle:
    """As it comes out of a store."""
    return assembled(read_manifest(bundle.encoded, bundle.digest), dict(bundle.parts()))


class TestRoundTrip:
    def test_policy_with_parents_lists_and_includes(self, tmp_path: Path) -> None:
        bundle, policy = packed(write(tmp_path / "a", FILES))
        place = unpacked(sent(bundle), tmp_path / "state", tmp_path / "models")
        again = load_policy(place / "policies" / "p.yaml", environ={})
        assert again.digest == policy.digest == bundle.manifest.policy_digest
        assert read_unpacked(tmp_path / "state", bundle.digest).digest == bundle.digest
        assert pack(load_policies(place / "policies"), again).digest == bundle.digest

    @pytest.mark.parametrize("name", ["default", "family", "lexicons", "entities-all", "input-default"])
    def test_shipped_policies(self, name: str, tmp_path: Path) -> None:
        files = {"policies/own.yaml": f"policy: own\nextends: {name}\n"}
        bundle, policy = packed(write(tmp_path / "a", files), "own")
        place = unpacked(sent(bundle), tmp_path / "state", tmp_path / "models")
        assert load_policy(place / "policies" / "own.yaml", environ={}).digest == policy.digest

    def test_neither_place_nor_layout_nor_comments_enter_the_digest(self, tmp_path: Path) -> None:
        moved = {
            "policies/p.yaml": "# a comment\n" + POLICY.replace("../lists/", "deep/er/"),
            "policies/base.yaml": FILES["policies/base.yaml"],
            "policies/deep/er/words.txt": FILES["lists/words.txt"],
            "policies/deep/er/more.csv": FILES["lists/more.csv"],
        }
        one, _ = packed(write(tmp_path / "a", FILES))
        other, _ = packed(write(tmp_path / "elsewhere" / "b", moved))
        assert one.digest == other.digest

    def test_a_word_more_is_another_bundle_of_which_most_parts_are_the_same(self, tmp_path: Path) -> None:
        words = "".join(f"word {number:07}\n" for number in range(60_000))
        one, _ = packed(write(tmp_path / "a", {**FILES, "lists/words.txt": words}))
        other, _ = packed(write(tmp_path / "b", {**FILES, "lists/words.txt": words + "word more\n"}))
        first, second = dict(one.parts()), dict(other.parts())
        assert one.digest != other.digest
        assert len(first.keys() & second.keys()) >= len(words) // PART

    def test_a_fingerprint_set_is_carried(self, tmp_path: Path) -> None:
        (tmp_path / "secret.txt").write_text("the quick brown fox jumps over the lazy dog and runs away today\n")
        assert add([str(tmp_path / "secret.txt")], tmp_path / "a.fp", words=8, characters=None, name=None) == 0
        files = {"policies/p.yaml": "policy: p\nrules:\n  - {id: r, protect: ../../a.fp, action: halt}\n"}
        bundle, policy = packed(write(tmp_path / "a", files))
        place = unpacked(sent(bundle), tmp_path / "state", tmp_path / "models")
        assert load_policy(place / "policies" / "p.yaml", environ={}).digest == policy.digest

    @given(
        words=st.lists(st.text(min_size=1, max_size=12).filter(lambda word: word.strip()), min_size=1, max_size=6),
        at=st.integers(1, 10**9).map(lambda n: n / 10**9),
        notice=st.text(max_size=30).filter(lambda text: not set(text) & set("{}")),
    )
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_whatever_a_policy_says_is_read_again_as_it_was(self, words: list[str], at: float, notice: str) -> None:
        said = {
            "policy": "p",
            "notice": {"en": notice},
            "rules": [{"id": "r", "keywords": words, "action": "log"}],
            "classifier": {"categories": {"hate": {"at": at}}},
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "p.yaml")
            path.write_text(as_yaml(said))
            document, problems = read_document(path)
            assert (document.data, problems) == (said, [])


def changed(bundle: Bundle, **changes: Any) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(bundle.manifest, **changes), order="deterministic")


class TestRefused:
    @pytest.fixture
    def bundle(self, tmp_path: Path) -> Bundle:
        return packed(write(tmp_path / "a", FILES))[0]

    def test_every_change_of_a_manifest(self, bundle: Bundle) -> None:
        encoded = bundle.encoded
        for at in range(0, len(encoded), 7):
            altered = encoded[:at] + bytes([encoded[at] ^ 1]) + encoded[at + 1 :]
            with pytest.raises(BadBundle):
                read_manifest(altered, bundle.digest)

    @pytest.mark.parametrize(
        "name", ["/etc/x", "../x.yaml", "policies/../x", "models/x", "policies/.x", "x", "policies/a/b.yaml"]
    )
    def test_a_file_that_would_lie_elsewhere(self, bundle: Bundle, name: str) -> None:
        entry = msgspec.structs.replace(bundle.manifest.files[0], name=name)
        data = changed(bundle, files=(entry, *bundle.manifest.files[1:]))
        with pytest.raises(BadBundle, match="where none may be"):
            read_manifest(data, hashlib.sha256(data).hexdigest())

    def test_a_manifest_that_promises_too_much(self, bundle: Bundle) -> None:
        huge = msgspec.structs.replace(bundle.manifest.files[0], size=2**40)
        data = changed(bundle, files=(huge, *bundle.manifest.files[1:]))
        with pytest.raises(BadBundle, match="more than"):
            read_manifest(data, hashlib.sha256(data).hexdigest())

    def test_a_part_that_is_missing_or_altered(self, bundle: Bundle) -> None:
        parts = dict(bundle.parts())
        for digest, data in parts.items():
            with pytest.raises(BadBundle, match="missing"):
                assembled(bundle.manifest, {key: value for key, value in parts.items() if key != digest})
            with pytest.raises(BadBundle, match="not what its digest says"):
                assembled(bundle.manifest, {**parts, digest: data[:-1] + b"!"})

    def test_what_was_altered_on_disk_is_laid_out_anew(self, bundle: Bundle, tmp_path: Path) -> None:
        place = unpacked(bundle, tmp_path / "state", tmp_path)
        before = (place / "policies/p.yaml").read_bytes()
        for spoil in (
            lambda: (place / "policies/p.yaml").write_text("policy: p\n"),
            lambda: (place / "policies/base.yaml").unlink(),
            lambda: (place / "policies/more.yaml").write_text("policy: more\n"),
        ):
            spoil()
            with pytest.raises(BadBundle):
                read_unpacked(tmp_path / "state", bundle.digest)
            assert unpacked(bundle, tmp_path / "state", tmp_path) == place
            assert (place / "policies/p.yaml").read_bytes() == before
            assert not (place / "policies/more.yaml").exists()

    def test_one_that_is_too_large_is_not_packed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("guardrail.policy.bundle.MAX_BYTES", 100)
        with pytest.raises(Exception, match="at most 100 bytes"):
            packed(write(tmp_path / "b", FILES))


def test_parts_are_those_of_the_files(tmp_path: Path) -> None:
    bundle, _ = packed(write(tmp_path / "a", FILES))
    assert all(hashlib.sha256(data).hexdigest() == digest for digest, data in bundle.parts())
    whole: Mapping[str, bytes] = assembled(bundle.manifest, dict(bundle.parts())).files
    assert dict(whole) == dict(bundle.files)
    with pytest.raises(dataclasses.FrozenInstanceError):
        bundle.manifest = bundle.manifest  # type: ignore[misc]
