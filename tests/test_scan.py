"""`guardrail scan`: the edited text or its JSON, the same however the text is cut; rows that cost only themselves."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.policy.compile import load_policy
from guardrail.policy.fingerprints import Draft, new_shape
from guardrail.scan import BadText, Chunks, scan_document, scan_rows, scan_text
from tests.classify import tiny

POLICY = """\
policy: test
rules:
  - {entity: email_address, action: redact}
  - {id: brand, keywords: [Acme Cola], action: replace, with: our drink, category: brand, severity: low}
  - {id: watch, keywords: [watched], action: log}
  - {id: stop, keywords: [vault code], action: halt, category: secret, severity: high}
"""
TEXT = "Mail bob@example.org, drink Acme Cola, 我 watched; the vault code is 7."
EDITED = "Mail [EMAIL], drink our drink, 我 watched; the "


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "test.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def scan(*arguments: str | Path, stdin: bytes = b"") -> tuple[int, bytes, str]:
    result = CliRunner().invoke(app, ["scan", *map(str, arguments)], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout_bytes, result.stderr


def test_text(policy: Path) -> None:
    told = f"guardrail scan: halted by stop at character {TEXT.index('vault code')}\n"
    assert scan("--policy", policy, stdin=TEXT.encode()) == (3, EDITED.encode(), told)
    assert scan("--policy", policy, stdin=b"nothing here") == (0, b"nothing here", "")


@pytest.mark.parametrize("source", ["file", "-", "nothing"])
def test_from_a_file_or_from_standard_input(tmp_path: Path, policy: Path, source: str) -> None:
    (tmp_path / "in.txt").write_text(TEXT, encoding="utf-8")
    given = {"file": [tmp_path / "in.txt"], "-": ["-"], "nothing": []}[source]
    assert scan("--policy", policy, *given, stdin=TEXT.encode())[1] == EDITED.encode()


@pytest.mark.parametrize("text", ["", "a\r\nb\rc\n\n", "\ufeffx", "no newline", "\x00\x85\u2028\n", "e\u0301 👩‍👩‍👧"])
def test_what_is_clean_comes_back_byte_for_byte(policy: Path, text: str) -> None:
    assert scan("--policy", policy, stdin=text.encode())[1] == text.encode()


def test_json(policy: Path) -> None:
    code, output, _ = scan("--policy", policy, "--format", "json", stdin=TEXT.encode())
    found = json.loads(output)
    assert code == 3
    assert list(found) == ["output", "halted", "findings", "held_max", "policy_digest", "unscanned"]
    assert (found["output"], found["halted"]) == (EDITED, True)
    assert found["policy_digest"] == load_policy(policy).digest
    told = [
        (f["rule"], f["category"], f["action"], f["channel"], TEXT[f["start"] : f["end"]]) for f in found["findings"]
    ]
    assert told == [
        ("entity.email_address", "personal_data", "redact", "content", "bob@example.org"),
        ("brand", "brand", "replace", "content", "Acme Cola"),
        ("watch", "custom", "log", "content", "watched"),
        ("stop", "secret", "halt", "content", "vault code"),
    ]
    assert "bob" not in output.decode()


def test_the_matched_text_is_there_only_when_asked_for(policy: Path) -> None:
    _, output, _ = scan("--policy", policy, "--format", "json", "--show", stdin=TEXT.encode())
    assert [f["text"] for f in json.loads(output)["findings"]] == [
        "bob@example.org",
        "Acme Cola",
        "watched",
        "vault code",
    ]


@pytest.mark.parametrize("chunks", ["whole", "char", "1", "3", "1000000", "random:1", "random:x y"])
def test_chunks_change_neither_output_nor_findings(policy: Path, chunks: str) -> None:
    def told(*more: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(scan("--policy", policy, "--format", "json", *more, stdin=TEXT.encode())[1])
        del found["held_max"]
        return found

    assert told("--chunks", chunks) == told()


@given(text=st.text(max_size=60), chunks=st.sampled_from(["whole", "char", "2", "7", "random:1", "random:2"]))
def test_pieces_join_to_the_text(text: str, chunks: str) -> None:
    pieces = list(Chunks.parse(chunks).cut(text))
    assert "".join(pieces) == text
    assert all(pieces)


def test_one_seed_cuts_one_way() -> None:
    cut = [list(Chunks.parse(f"random:{seed}").cut("x" * 200)) for seed in ("1", "1", "2")]
    assert cut[0] == cut[1] != cut[2]


@pytest.mark.parametrize("chunks", ["0", "-1", "1.5", "random", "random:", "words", "", "٣", "9999999999"])
def test_chunks_that_mean_nothing(chunks: str) -> None:
    code, output, error = scan("--chunks", chunks)
    assert (code, output) == (2, b"")
    assert error.startswith("guardrail scan: --chunks: found ")


def test_bytes_that_are_no_text(policy: Path) -> None:
    assert scan("--policy", policy, stdin="我".encode() + b"a\xffb") == (
        1, b"", "guardrail scan: not UTF-8: the byte 0xff at byte offset 4\n"
    )  # fmt: skip


def test_what_is_not_there(tmp_path: Path, policy: Path) -> None:
    assert scan("--policy", policy, tmp_path / "none.txt")[0] == 1
    assert "No such file" in scan("--policy", policy, tmp_path / "none.txt")[2]
    assert (
        "unknown policy 'nope', expected one of classifier-default, default, demo, entities-all, family"
        in scan("--policy", "nope")[2]
    )
    assert scan("--config", tmp_path)[0] == 1


class TestRows:
    def test_in_order_and_none_lost(self, policy: Path) -> None:
        rows = [
            b'{"text": "bob@example.org"}',
            b"not json",
            b'{"text": "clean", "id": 3}',
            b'{"text": 3}',
            b'["text"]',
            b"",
            b'{"text": "a\xff"}',
            b"[" * 100_000,
            b'{"text": "x", "n": ' + b"1" * 5000 + b"}",
            b'{"text": ""}\r',
            b'{"text": "the vault code"}',
        ]
        code, output, error = scan("--policy", policy, "--jsonl", stdin=b"\n".join(rows))
        lines = [json.loads(line) for line in output.splitlines()]
        assert (code, error) == (1, "")
        assert [line["line"] if "error" in line else line["output"] for line in lines] == [
            "[EMAIL]", 2, "clean", 4, 5, 6, 7, 8, 9, "", "the "
        ]  # fmt: skip
        assert lines[1] == {"error": "not JSON: Expecting value at character 0", "line": 2}
        assert lines[3]["error"] == 'expected an object with a string "text"'
        assert lines[6]["error"] == "not UTF-8: the byte 0xff at byte offset 11"

    def test_good_rows_end_well(self, policy: Path) -> None:
        assert scan("--policy", policy, "--jsonl", stdin=b'{"text": "a"}\n{"text": "b"}\n')[0] == 0
        assert scan("--policy", policy, "--jsonl", stdin=b"") == (0, b"", "")

    @pytest.mark.parametrize("text", ["\ud800", "x\udfffy", "\u2028\x85", "😀\ud83d", '"\\\n'])
    def test_any_string_that_json_can_spell(self, policy: Path, text: str) -> None:
        row = json.dumps({"text": text}).encode()
        _, output, _ = scan("--policy", policy, "--jsonl", stdin=row + b"\n")
        assert json.loads(output)["output"] == text
        assert len(output.decode().splitlines()) == 1

    def test_a_row_says_the_same_in_any_batch(self, policy: Path) -> None:
        row = json.dumps({"text": TEXT}).encode() + b"\n"
        _, output, _ = scan("--policy", policy, "--jsonl", "--chunks", "random:7", stdin=row * 3)
        assert len(set(output.splitlines())) == 1

    def test_each_result_is_written_before_the_next_row_is_read(self, policy: Path) -> None:
        out = io.BytesIO()
        seen = []

        def rows() -> Any:
            for number in range(3):
                seen.append(out.getvalue().count(b"\n"))
                yield json.dumps({"text": str(number)}).encode()

        assert scan_rows(rows(), out, load_policy(policy), Chunks(), show=False) == 0
        assert seen == [0, 1, 2]


def test_who_reads_may_stop_reading(policy: Path) -> None:
    command = [sys.executable, "-m", "guardrail", "scan", "--policy", str(policy), "--jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b'{"text": "a"}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b'{"text": "b"}\n')
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 1


def test_the_library_calls(policy: Path) -> None:
    loaded = load_policy(policy)
    scanned = scan_text(TEXT, loaded, Chunks(size=4), show=True)
    assert (scanned.output, scanned.halted, scanned.policy_digest) == (EDITED, True, loaded.digest)
    assert scanned.held_max > 0
    with pytest.raises(BadText):
        scan_document(io.BytesIO(b"\xff"), io.BytesIO(), loaded, Chunks(), as_json=False, show=False)


def test_the_document_of_a_passage_is_named(tmp_path: Path) -> None:
    draft = Draft(new_shape(4, 20))
    draft.add("handbook", b"every visitor signs the book at the gate before noon")
    draft.write(tmp_path / "set.fp")
    (tmp_path / "p.yaml").write_text("policy: p\nrules: [{id: x, protect: set.fp, action: log}]\n", encoding="utf-8")
    found = scan_text("So every visitor signs the book.", load_policy(tmp_path / "p.yaml"), Chunks()).findings
    assert [(row["rule"], row["document"]) for row in found] == [("x", "handbook")]


def test_a_policy_with_a_classifier(tmp_path: Path) -> None:
    tiny.ours(tmp_path / "mine")
    section = "classifier: {model: mine, categories: {harassment: {}, profanity: {at: 0.8, action: log}}}"
    (tmp_path / "p.yaml").write_text(f"policy: p\n{section}\n")
    policy = load_policy(tmp_path / "p.yaml")
    text = "That damn thing, I said to them. You are an idiot, they said to me. Well."
    for spelled in ("whole", "char", "7", "random:1"):
        scanned = scan_text(text, policy, Chunks.parse(spelled))
        assert (scanned.output, scanned.halted) == ("That damn thing, I said to them. ", True)
        assert [(row["rule"], row["start"], row["end"]) for row in scanned.findings] == [
            ("classifier.profanity.high", 0, 32),
            ("classifier.harassment.high", 33, 67),
        ]


def test_what_passes_without_a_score_is_told(tmp_path: Path) -> None:
    tiny.ours(tmp_path / "mine")
    path = tmp_path / "p.yaml"
    path.write_text("policy: p\nclassifier: {model: mine, fail: open, categories: {harassment: {}}}\n")
    text = b"It is broken, and nobody will mend it."
    said = "guardrail scan: 38 characters passed without a score of the classifier\n"
    assert scan("--policy", path, stdin=text) == (0, text, said)
    assert json.loads(scan("--policy", path, "--format", "json", stdin=text)[1])["unscanned"] == 38


def test_by_the_rules_for_requests(policy: Path) -> None:
    assert scan("--input", "--policy", policy, stdin=b"vault code")[0] == 1
    own = "input: {rules: [{id: own, keywords: [alpha], action: redact}]}\n"
    policy.write_text(POLICY + own, encoding="utf-8")
    assert scan("--input", "--policy", policy, stdin=b"alpha, vault code")[:2] == (0, b"[REDACTED], vault code")


def test_of_a_refused_prompt_the_model_gets_nothing(policy: Path) -> None:
    own = "input: {rules: [{id: own, keywords: [alpha], action: halt}]}\n"
    policy.write_text(POLICY + own, encoding="utf-8")
    told = "guardrail scan: refused by own at character 4\n"
    assert scan("--input", "--policy", policy, stdin=b"now alpha") == (3, b"", told)
    code, output, error = scan("--input", "--policy", policy, "--jsonl", stdin=b'{"text": "now alpha"}\n')
    assert (code, json.loads(output)["output"], json.loads(output)["halted"], error) == (0, "", True, "")
