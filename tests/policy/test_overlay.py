"""Versions laid over the policies of files, compiled each by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.policy.bundle import BadBundle, Bundle
from guardrail.policy.lists import Lists
from guardrail.policy.overlay import NOTHING, Overlay, Pushed, lay_out
from guardrail.policy.registry import load_snapshot
from guardrail.policy.versions import Head, activated, pushed
from tests.classify.tiny import ours
from tests.policy.pushing import FILES, bundle_of, policy_that_finds
from tests.policy.tree import write


def over(folder: Path, *bundles: Bundle) -> Overlay:
    """The overlay in which the last of these versions of `p` is live."""
    head = Head()
    for bundle in bundles:
        head, number = pushed(head, "p", bundle.digest, bundle.manifest.policy_digest, now=1.0)
        head = activated(head, "p", number, now=1.0)
    return lay_out(head, folder / "state", folder / "models", {bundle.digest: bundle for bundle in bundles})


def test_a_version_takes_what_it_extends_from_its_own_bundle(tmp_path: Path) -> None:
    child = "policy: p\nextends: base\n"
    bundle = bundle_of(tmp_path / "o", child, {"policies/base.yaml": policy_that_finds("pushed", "base")})
    files = {**FILES, "policies/base.yaml": policy_that_finds("onfile", "base"), "policies/p.yaml": child}
    snapshot = load_snapshot(write(tmp_path / "a", files), environ={}, pushed=over(tmp_path, bundle))
    policy = snapshot.tenants["acme"].policy
    assert policy.digest == bundle.manifest.policy_digest
    assert snapshot.policies["p"].digest == policy.digest
    assert snapshot.policies["base"].version == 0
    assert snapshot.digest != load_snapshot(tmp_path / "a", environ={}).digest


def test_notices_are_in_the_tenants_language(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "o", policy_that_finds("pushed"))
    files = {**FILES, "tenants/acme.yaml": "tenant: acme\npolicy: p\nlocale: zh\n"}
    tenant = load_snapshot(write(tmp_path / "a", files), environ={}, pushed=over(tmp_path, bundle)).tenants["acme"]
    assert tenant.locale == "zh"
    assert "编号" in tenant.policy.notice
    assert tenant.policy.version == 1


def test_without_a_bundle_there_is_no_overlay(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "o", policy_that_finds("pushed"))
    head, _ = pushed(Head(), "p", bundle.digest, bundle.manifest.policy_digest, now=1.0)
    assert lay_out(head, tmp_path / "state", tmp_path, {}).lines["p"].live is None  # pushed, and not in effect
    with pytest.raises(BadBundle):
        lay_out(activated(head, "p", 1, now=1.0), tmp_path / "state", tmp_path, {})


class TestModels:
    POLICY = "policy: p\nclassifier: {model: ../../tiny, categories: {harassment: {at: 0.5}}}\n"

    @pytest.fixture
    def bundle(self, tmp_path: Path) -> Bundle:
        ours(tmp_path / "tiny")
        bundle = bundle_of(tmp_path / "o", self.POLICY)
        assert list(bundle.manifest.models) == ["tiny"]
        assert not any("model" in name for name in bundle.files)
        return bundle

    def test_a_model_is_found_by_its_name(self, tmp_path: Path, bundle: Bundle) -> None:
        shutil.copytree(tmp_path / "tiny", tmp_path / "models" / "tiny")
        snapshot = load_snapshot(write(tmp_path / "a", FILES), environ={}, pushed=over(tmp_path, bundle))
        assert snapshot.policies["p"].digest == bundle.manifest.policy_digest

    def test_a_model_that_is_not_here(self, tmp_path: Path, bundle: Bundle) -> None:
        with pytest.raises(ConfigError, match="there is none at"):
            load_snapshot(write(tmp_path / "a", FILES), environ={}, pushed=over(tmp_path, bundle))

    def test_another_model_of_the_name(self, tmp_path: Path, bundle: Bundle) -> None:
        ours(tmp_path / "models" / "tiny", {"idiot": {"harassment": 1.0}})
        with pytest.raises(ConfigError, match="was pushed with another model"):
            load_snapshot(write(tmp_path / "a", FILES), environ={}, pushed=over(tmp_path, bundle))


def test_nothing_is_pushed_by_default() -> None:
    assert Pushed(NOTHING, {}, lists=Lists()).names() == []
