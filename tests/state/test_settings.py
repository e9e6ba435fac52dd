"""The section `state`: what may stand in it, what may not stand together, and where its paths lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.policy.load import load_configuration
from guardrail.policy.registry import load_snapshot
from guardrail.state.settings import State
from tests.policy.tree import ROOT, complaints, write


def read(folder: Path, section: str) -> State:
    write(folder, {"guardrail.yaml": ROOT + f"state: {section}\n"})
    return load_snapshot(folder, environ={}).settings.state


def test_without_a_section_it_is_a_file_beside_the_configuration(tmp_path: Path) -> None:
    state = read(tmp_path, "{}")
    assert (state.store, state.folder) == ("sqlite", str(tmp_path / "state"))
    assert state.on_failure.limits == "local"
    assert state.on_failure.records == "open"


def test_nothing_is_written_beside_the_configuration_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings = load_configuration(None).settings
    assert settings is not None
    assert settings.file.state.folder == str(tmp_path / "guardrail")
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_configuration(None).settings
    assert settings is not None
    assert settings.file.state.folder == str(tmp_path / ".local/state/guardrail")


def test_paths_are_those_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"ca.pem": "", "policies/default.yaml": "policy: default\n"})
    state = read(tmp_path, "{store: redis, folder: ../s, redis: {url: 'rediss://r', tls: {ca: ca.pem}}}")
    assert state.folder == str(tmp_path.parent / "s")
    assert state.redis is not None
    assert state.redis.tls is not None
    assert state.redis.tls.ca == str(tmp_path / "ca.pem")


GOOD = [
    "{store: memory}",
    "{sync: full, on_failure: {limits: closed, conduct: open, sessions: local, records: closed}}",
    "{store: redis, redis: {url: 'redis://host:6379/3', username: u, password_env: P, prefix: other, timeout: 1}}",
    "{store: redis, redis: {url: 'unix:///run/redis.sock?db=2'}}",
    "{store: redis, redis: {url_env: REDIS_URL}}",
    "{store: redis, redis: {url: 'rediss://host', tls: {verify: false}}}",
    "{store: redis, redis: {cluster: true, url: 'redis://host:7000'}}",
    "{store: redis, redis: {sentinel: {addresses: ['a:26379', 'b:26379'], name: main, password_env: P}, tls: {}}}",
]


@pytest.mark.parametrize("section", GOOD)
def test_what_may_stand(tmp_path: Path, section: str) -> None:
    assert read(tmp_path, section).store in section + "sqlite"


BAD = [
    ("{store: redis}", "found 'redis', expected a section `redis` that says where it is"),
    ("{redis: {url: 'redis://h'}}", "found where Redis is, but store 'sqlite', expected `store: redis`"),
    ("{store: memory, sync: full}", "found 'full' beside store 'memory', expected it with sqlite only"),
    ("{store: redis, redis: {}}", "found none of url, url_env and sentinel, expected exactly one"),
    ("{store: redis, redis: {url: 'redis://h', url_env: U}}", "found url and url_env of url, url_env and sentinel"),
    ("{store: redis, redis: {url: 'redis://u:secret@h'}}", "expected an address such as redis://host:6379/0"),
    ("{store: redis, redis: {url: 'redis://h', username: u}}", "found a user name without `password_env`"),
    (
        "{store: redis, redis: {cluster: true, sentinel: {addresses: ['a:1'], name: m}}}",
        "found a cluster and Sentinels, expected one of them",
    ),
    ("{store: redis, redis: {cluster: true, url: 'unix:///s'}}", "found a socket of this machine"),
    ("{store: redis, redis: {cluster: true, url: 'redis://h/1'}}", "a cluster has only database 0"),
    ("{store: redis, redis: {url: 'redis://h', tls: {}}}", "expected an address that begins with rediss://"),
    ("{store: redis, redis: {url: 'rediss://h', tls: {cert: guardrail.yaml}}}", "found one of cert and key"),
    ("{store: redis, redis: {url: 'rediss://h', tls: {ca: no.pem}}}", "found no file 'no.pem' here"),
    ("{store: redis, redis: {url: 'redis://h', timeout: 0}}", "a number of seconds from 0.01 to 60"),
    ("{on_failure: {records: local}}", "open"),
]


@pytest.mark.parametrize(("section", "message"), BAD)
def test_what_may_not(tmp_path: Path, section: str, message: str) -> None:
    found = complaints(tmp_path, {"guardrail.yaml": ROOT + f"state: {section}\n"})
    assert len(found) == 1, found
    assert message in found[0]
    assert found[0].startswith(f"guardrail.yaml:{(ROOT + 'state:').count(chr(10)) + 1}:")
    assert "secret@" not in found[0]
