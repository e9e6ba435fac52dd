"""The master secret: where it comes from, what is refused, and that all who start at once have the same."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from guardrail.state.secret import Secret, SecretError, open_secret

VALUE = "0123456789abcdef" * 4


def test_a_derived_key_is_hkdf_of_the_secret() -> None:
    for purpose in ("subject", "seal", ""):
        other = HKDF(SHA256(), 32, b"guardrail state v1", purpose.encode()).derive(VALUE.encode())
        assert Secret(VALUE).derive(purpose) == other


def test_the_variable_comes_before_the_file(tmp_path: Path) -> None:
    assert open_secret({"S": VALUE}, "S", tmp_path).fingerprint == Secret(VALUE).fingerprint
    assert list(tmp_path.iterdir()) == []  # it is not written down
    kept = open_secret({}, "S", tmp_path)
    assert open_secret({"S": (tmp_path / "secret").read_text().strip()}, "S", tmp_path).fingerprint == kept.fingerprint


def test_a_state_is_not_gone_on_with_under_another_secret(tmp_path: Path) -> None:
    open_secret({}, "S", tmp_path)
    with pytest.raises(SecretError, match="holds another secret than the environment variable S"):
        open_secret({"S": VALUE}, "S", tmp_path)
    (tmp_path / "secret").unlink()
    open_secret({"S": VALUE}, "S", tmp_path)


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    first = open_secret({}, "S", folder)
    assert open_secret({}, "S", folder).derive("x") == first.derive("x")
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from guardrail.state.secret import open_secret;"
        "sys.stdin.readline(); print(open_secret({}, 'S', Path(sys.argv[1])).fingerprint)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.communicate(timeout=60)[0] for process in processes}
    assert len(said) == 1
    assert all(process.returncode == 0 for process in processes)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("short", "has 5 characters, and must have 32 at least"),
        ("ab" * 32, "has fewer than 8 different characters"),
        (VALUE + "\n", "has white space in it"),
        (" " + VALUE, "has white space in it"),
        (VALUE[:10] + " " + VALUE[10:], "has white space in it"),
        (VALUE + "\x07", "has a character in it that cannot be printed"),
    ],
)
def test_what_cannot_be_a_secret_is_told_without_its_value(value: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"the environment variable S .*openssl rand") as caught:
        open_secret({"S": value}, "S", tmp_path)
    assert told in str(caught.value)
    assert value not in str(caught.value)


def test_a_shared_state_must_be_told_its_secret() -> None:
    with pytest.raises(SecretError, match="S is not set"):
        open_secret({"S": ""}, "S", None)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_secret({}, "S", tmp_path)
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(SecretError, match="can be read by others"):
        open_secret({}, "S", tmp_path)


@pytest.mark.parametrize("raw", [b"", b"\xff" * 40, b"0123456789abcdef" * 1000], ids=["empty", "no text", "huge"])
def test_a_file_of_something_else_is_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_bytes(raw)
    with pytest.raises(SecretError, match="secret"):
        open_secret({}, "S", tmp_path)
    assert path.read_bytes() == raw


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SecretError, match="Not a directory"):
        open_secret({}, "S", tmp_path / "file")


def test_it_is_never_shown() -> None:
    assert VALUE not in repr(Secret(VALUE))
