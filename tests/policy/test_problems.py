"""Every error of one file in one run, at the place that is to blame, as "found …, expected …"."""

from __future__ import annotations

import textwrap
from pathlib import Path

import msgspec
import pytest

from guardrail.policy.document import read_document
from guardrail.policy.model import PolicyFile, TenantFile
from guardrail.policy.problems import suggestion, validated
from guardrail.settings import Settings


def problems(folder: Path, kind: type[msgspec.Struct], text: str) -> list[str]:
    path = folder / "f.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    document, read = read_document(path)
    assert not read
    _, found = validated(document, kind)
    return [f"{p.line}:{p.column}: {p.message}" for p in found]


def test_a_good_file_comes_back_typed(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("tenant: acme\nkeys: []\n", encoding="utf-8")
    assert validated(read_document(path)[0], TenantFile) == (TenantFile(tenant="acme"), [])


def test_guardrail_yaml(tmp_path: Path) -> None:
    text = """\
        versoin: 1
        version: 3
        upstreams:
          "bad name": {url: ftp://host}
          a: {url: "http://user:secret@host"}
          b: {url: http://h, retries: 9, timeouts: {conect: 3, idle: soon, total: 0}, pass_through: /v1}
        listen: [1]
        limits: {streams: 0, event_bytes: 2048.5}
        anonymous: yes
        records: {keep: true}
        admin: {token_env: hunter-2}
        """
    name = 'a name of letters, digits, ".", "_" and "-"'
    address = "an address such as http://host:8000, without user, query or fragment"
    seconds = "a number of seconds, more than 0 and at most a day"
    secret = "something else (not shown, it may be a secret)"
    assert problems(tmp_path, Settings, text) == [
        "1:1: found the unknown key 'versoin', expected 'version' (did you mean that?)",
        "2:10: found 3, expected 1",
        f'4:3: found "bad name", expected {name}',
        f'4:21: found "ftp://host", expected {address}',
        f'5:12: found "http://…@host", expected {address}',
        "6:31: found 9, expected a whole number from 0 to 5",
        "6:45: found the unknown key 'conect', expected 'connect' (did you mean that?)",
        f'6:62: found "soon", expected {seconds}',
        f"6:75: found 0, expected {seconds}",
        '6:93: found "/v1", expected a list',
        "7:9: found a list, expected keys and values",
        "8:19: found 0, expected a whole number of at least 1",
        "8:35: found 2048.5, expected a whole number of at least 1024",
        '9:12: found "yes", expected keys and values',
        "10:17: found true, expected a whole number from 0 to 1000000",
        f"11:20: found {secret}, expected the name of an environment variable",
    ]


def test_a_policy_file(tmp_path: Path) -> None:
    text = """\
        policy: "p\\n"
        extends: [a, 3]
        locale: English
        notice: 5
        rules:
          - id: x
            keywords: [911, ok, ""]
            mask: {style: chr, char: ab}
            case: "no"
            examples: {hits: [x]}
          - action: halted
            lexicon: []
            wiht: ""
            with: 3
          - 3
        """
    name = 'a name of letters, digits, ".", "_" and "-"'
    assert problems(tmp_path, PolicyFile, text) == [
        f'1:9: found "p\\n", expected {name}',
        f"2:14: found 3, expected {name}; put it in quotes",
        '3:9: found "English", expected a language such as en or zh',
        "4:9: found 5, expected true or false or keys and values",
        "7:16: found 911, expected a text of 1 to 256 characters; put it in quotes",
        '7:25: found "", expected a text of 1 to 256 characters',
        "8:19: found \"chr\", expected 'char' (did you mean that?)",
        '8:30: found "ab", expected a single character',
        '9:11: found "no", expected true or false',
        "10:16: found the unknown key 'hits', expected 'hit' (did you mean that?)",
        "11:13: found \"halted\", expected 'halt' (did you mean that?)",
        "12:14: found an empty collection, expected a list with at least one member",
        "13:5: found the unknown key 'wiht', expected 'with' (did you mean that?)",
        "14:11: found 3, expected a text of 0 to 4096 characters; put it in quotes",
        "15:5: found 3, expected keys and values",
    ]


def test_a_key_where_its_hash_belongs_is_not_repeated(tmp_path: Path) -> None:
    text = """\
        tenant: t
        keys: [sk-live-5ecret, "sha256:00", 7]
        """
    found = problems(tmp_path, TenantFile, text)
    assert [line.split(":")[1] for line in found] == ["8", "24", "37"]
    assert found[0] == (
        "2:8: found something else than a hash, expected sha256: and the 64 hex digits of the hash of a key; "
        'never write a key itself here, hash it with: printf %s "$KEY" | sha256sum'
    )
    assert "5ecret" not in "".join(found + problems(tmp_path, TenantFile, "tenant: t\nkeys: sk-5ecret\n"))


@pytest.mark.parametrize("text", ["hello", "[1]", "3"])
def test_what_holds_no_keys_at_all(tmp_path: Path, text: str) -> None:
    assert len(problems(tmp_path, TenantFile, text)) == 1


def test_a_missing_key_is_named_where_it_belongs(tmp_path: Path) -> None:
    assert problems(tmp_path, TenantFile, "policy: p\n") == ["1:1: found no key 'tenant', expected one"]
    assert problems(tmp_path, Settings, "version: 1\nupstreams:\n  a: {}\n") == [
        "3:6: found no key 'url', expected one"
    ]


def test_suggestions() -> None:
    assert suggestion("emial", ["email", "phone"]) == "'email' (did you mean that?)"
    assert suggestion("zzz", ["email", "phone"]) == "one of email, phone"
    assert suggestion("zzz", []) == "none: nothing of this kind is defined"
