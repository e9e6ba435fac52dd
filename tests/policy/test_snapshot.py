"""A configuration in effect: tenants by key and by name, and the canary's share."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from guardrail.policy.versions import Share
from tests.policy.test_registry import FILES, hashed
from tests.policy.tree import ROOT, load


class TestSnapshot:
    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("one", "acme"),
            ("two", "acme"),
            ("键", "other"),
            ("three", None),
            ("", None),
            ("one ", None),
            ("\ud800", None),
        ],
    )
    def test_by_key(self, tmp_path: Path, key: str, name: str | None) -> None:
        tenant = load(tmp_path, FILES).by_key(key)
        assert (tenant.name if tenant is not None else None) == name

    def test_the_hash_of_a_key_is_no_key(self, tmp_path: Path) -> None:
        snapshot = load(tmp_path, FILES)
        assert snapshot.by_key(hashed("one")) is None
        assert snapshot.by_key(hashed("one").removeprefix("sha256:")) is None

    def test_by_name_and_anonymous(self, tmp_path: Path) -> None:
        snapshot = load(tmp_path, FILES)
        assert snapshot.by_name("acme") is snapshot.by_key("one")
        assert snapshot.by_name("nobody") is None
        assert snapshot.by_name("anonymous") is None
        assert snapshot.anonymous is not None
        assert (snapshot.anonymous.name, snapshot.anonymous.upstream) == ("anonymous", "default")
        assert load(tmp_path, {"guardrail.yaml": ROOT}).anonymous is None

    def test_it_cannot_be_changed(self, tmp_path: Path) -> None:
        snapshot = load(tmp_path, FILES)
        with pytest.raises(TypeError):
            snapshot.policies["x"] = snapshot.policies["default"]  # type: ignore[index]
        with pytest.raises(TypeError):
            del snapshot.tenants["acme"]  # type: ignore[attr-defined]

    def test_hashes_stay_out_of_what_is_printed(self, tmp_path: Path) -> None:
        assert hashed("one").removeprefix("sha256:") not in repr(load(tmp_path, FILES).by_name("acme"))

    def test_the_digest_is_of_what_it_says_not_of_how(self, tmp_path: Path) -> None:
        before = load(tmp_path, FILES).digest
        assert load(tmp_path, {**FILES, "guardrail.yaml": "# note\nanonymous: {}\n" + ROOT}).digest == before
        for name, content in {
            "guardrail.yaml": ROOT,
            "tenants/other.yaml": "tenant: other\nlocale: zh\n",
            "policies/default.yaml": "policy: default\n",
        }.items():
            assert load(tmp_path, {**FILES, name: content}).digest != before


def test_a_canary_is_served_to_its_share(tmp_path: Path) -> None:
    tenant = load(tmp_path, FILES).tenants["acme"]
    assert tenant.serving("g-1") is tenant
    tried = dataclasses.replace(tenant.policy, version=2)
    trying = dataclasses.replace(tenant, canary=(Share(2, 50), tried))
    ids = [f"g-{number}" for number in range(100)]
    served = [trying.serving(each).policy for each in ids]
    assert {policy.version for policy in served} == {0, 2}
    assert [trying.serving(each).policy for each in ids] == served
    assert {dataclasses.replace(trying, canary=(Share(2, 100), tried)).serving(each).policy for each in ids} == {tried}
