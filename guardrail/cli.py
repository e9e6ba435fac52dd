"""The command line: serve · demo · simulate · check · test · scan · explain · score · eval · protect.

Each command only parses and calls.
"""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from guardrail.commands.audit import audit
from guardrail.commands.cases import cases
from guardrail.commands.complaints import complaints
from guardrail.commands.evidence import evidence as _evidence
from guardrail.commands.key import key
from guardrail.commands.label import label as _label
from guardrail.commands.policy import policy
from guardrail.commands.removal import list_deliveries as _list_deliveries
from guardrail.commands.removal import remove as _remove
from guardrail.commands.report import report as _report
from guardrail.commands.subject import subject


class Format(enum.StrEnum):
    """How a command prints its result."""

    TEXT = "text"
    JSON = "json"


app = typer.Typer(
    name="guardrail",
    help="A streaming output guardrail for language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"guardrail {version('guardrail')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A streaming output guardrail for language models."""


@app.command()
def serve(
    config: Annotated[
        Path | None,
        typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(envvar="GUARDRAIL_UPSTREAM", help="Model server; enough without --config.", show_default=False),
    ] = None,
    host: Annotated[
        str | None, typer.Option(envvar="GUARDRAIL_HOST", help="Address to listen on.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(envvar="GUARDRAIL_PORT", min=0, max=65535, help="Port; 0 takes a free one.", show_default=False),
    ] = None,
    admin_port: Annotated[
        int | None,
        typer.Option(
            envvar="GUARDRAIL_ADMIN_PORT", min=0, max=65535, help="The operator's port; 0: free.", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(envvar="GUARDRAIL_WORKERS", min=1, max=256, help="Processes that share the port.")
    ] = 1,
) -> None:
    """Run the proxy."""
    from guardrail.proxy.serve import Options
    from guardrail.proxy.serve import serve as run

    if config is None and upstream is None:
        typer.echo("guardrail serve needs --config FILE or --upstream URL", err=True)
        raise typer.Exit(2)
    raise typer.Exit(run(Options(config, upstream, host, port, admin_port, workers)))


@app.command()
def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Keep both servers up and say how to ask them.")] = False,
) -> None:
    """Watch guardrail stop and rewrite real streams from a simulated model server."""
    from guardrail.demo import run

    raise typer.Exit(run(stay=stay))


@app.command()
def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    token_size: Annotated[int, typer.Option(min=1, help="Characters of one token.")] = 4,
    delay: Annotated[float, typer.Option(min=0, max=60000, help="Milliseconds between two tokens.")] = 0,
    script: Annotated[Path | None, typer.Option(help="YAML or JSON file of replies.")] = None,
    fault: Annotated[
        str | None,
        typer.Option(help="close, stall, reset, malformed, html or status; =STATUS or @TOKENS may follow."),
    ] = None,
) -> None:
    """Run a simulated model server that speaks every protocol guardrail does."""
    from guardrail.simulate.server import run

    raise typer.Exit(run(host, port, token_size=token_size, delay_ms=delay, script=script, fault=fault))


@app.command()
def check(
    path: Annotated[
        Path,
        typer.Argument(
            help="guardrail.yaml, or a folder that holds one; or one policy, tenant or lexicon file.",
            show_default="this folder",
        ),
    ] = Path("."),
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of the files instead.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to report.")] = Format.TEXT,
) -> None:
    """Check configuration before deploying: every error at once, with file and line."""
    from guardrail.policy.check import check as run
    from guardrail.policy.check import print_schema

    if schema:
        print_schema(sys.stdout)
    else:
        raise typer.Exit(run(path, sys.stdout, form=form.value))


@app.command("test")
def run_tests(
    path: Annotated[
        Path, typer.Argument(help="guardrail.yaml, or a folder that holds one.", show_default="this folder")
    ] = Path("."),
    form: Annotated[Format, typer.Option("--format", help="How to report.")] = Format.TEXT,
) -> None:
    """Test the rules by their own examples, and the policies by the files in the folder scenarios."""
    from guardrail.trial import run

    raise typer.Exit(run(path, sys.stdout, form=form.value))


@app.command()
def scan(
    file: Annotated[
        Path | None, typer.Argument(help="Text to scan; - or nothing: standard input.", show_default=False)
    ] = None,
    policy: Annotated[str, typer.Option(help="Name of a policy, or path of a policy file.")] = "default",
    config: Annotated[
        Path | None,
        typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
    ] = None,
    chunks: Annotated[str, typer.Option(help="How to cut the text: whole, char, N or random:SEED.")] = "whole",
    form: Annotated[Format, typer.Option("--format", help="The edited text, or JSON with findings.")] = Format.TEXT,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Each line of input is {"text": ...}, each line of output JSON.')
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Put the matched text into the findings.")] = False,
    prompts: Annotated[bool, typer.Option("--input", help="A prompt: by the policy's section `input`.")] = False,
) -> None:
    """Run a policy over any text.

    Exit status: 0 when the text came out whole, edited or not; 3 when it was halted, or a prompt refused; 1 for what
    cannot be read; 2 for bad usage. With --jsonl 0, or 1 when a row could not be read: each row says what it came to.
    """
    from guardrail.scan import run

    as_json = form is Format.JSON
    raise typer.Exit(run(file, policy, config, chunks=chunks, as_json=as_json, jsonl=jsonl, show=show, prompts=prompts))


@app.command()
def explain(
    text: Annotated[
        str | None, typer.Argument(help="The text; - or nothing: standard input.", show_default=False)
    ] = None,
    policy: Annotated[str, typer.Option(help="Name of a policy, or path of a policy file.")] = "default",
    config: Annotated[
        Path | None,
        typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also candidates that were dropped and are no hits.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="For a terminal, or JSON.")] = Format.TEXT,
    prompts: Annotated[bool, typer.Option("--input", help="A prompt: by the policy's section `input`.")] = False,
) -> None:
    """Show why a policy does what it does to a text."""
    from guardrail.explain import run

    whole = None if text == "-" else text
    as_json = form is Format.JSON
    raise typer.Exit(run(whole, policy, config, as_json=as_json, everything=everything, prompts=prompts))


@app.command()
def score(
    file: Annotated[
        Path | None,
        typer.Argument(
            help='Rows {"text": ...}, one a line, .gz or not; - or nothing: standard input.', show_default=False
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Name of a shipped model, or path of a model folder.")] = "guard-small",
    encoder: Annotated[bool, typer.Option("--encoder", help="Ask the encoder about every unit.")] = False,
    gate: Annotated[bool, typer.Option("--gate", help="Ask the first stage alone.")] = False,
) -> None:
    """Score rows of text with a classifier, as a stream would be: JSON lines with `scores`, `units`, `levels` added."""
    from guardrail.evaluate.scoring import Stage
    from guardrail.score import run

    if encoder and gate:
        typer.echo("guardrail score: --encoder or --gate, not both", err=True)
        raise typer.Exit(2)
    stage = Stage.ENCODER if encoder else Stage.GATE if gate else Stage.CASCADE
    raise typer.Exit(run(file, model, stage))


@app.command("eval")
def evaluate(
    data: Annotated[
        list[Path], typer.Option(help="Labelled rows, JSON lines, .gz or not; may be given again.", show_default=False)
    ],
    report: Annotated[Path, typer.Option(help="The page to write, HTML.", show_default=False)],
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="FILES...", help="More files for --data.", show_default=False)
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Also write the figures, to compare with later.", show_default=False)
    ] = None,
    model: Annotated[str, typer.Option(help="Name of a shipped model, or path of a model folder.")] = "guard-small",
    scope: Annotated[
        Path | None,
        typer.Option(
            help="JSON: of which categories the empty rows of a set are negatives; else of all.", show_default=False
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Only rows of this split, and rows that name none; all: every row.")
    ] = "dev",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Draw so many rows, for a quick look.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    compare: Annotated[
        Path | None, typer.Option(help="Print what differs from this report (written by --json).", show_default=False)
    ] = None,
) -> None:
    """Measure a classifier on labelled rows: precision and recall, calibration, false halts, early stop, fairness."""
    from guardrail.evaluate.command import Options, run

    files = [*data, *(more or [])]
    raise typer.Exit(run(Options(files, report, json, model, scope, split, limit, seed, compare)))


protect = typer.Typer(help="Sets of fingerprints of documents that must not be reproduced.", no_args_is_help=True)
app.add_typer(protect, name="protect")


@protect.command("add")
def protect_add(
    files: Annotated[list[str], typer.Argument(help="Text files, folders of them, or -: standard input.")],
    to: Annotated[Path, typer.Option(help="The set; made if there is none.", show_default=False)],
    words: Annotated[
        int | None, typer.Option(help="Words that may not be reproduced; of a new set: 12.", show_default=False)
    ] = None,
    characters: Annotated[
        int | None,
        typer.Option(help="The same in scripts without spaces between words; of a new set: 20.", show_default=False),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--id", help="What to call the document, instead of by its file.", show_default=False)
    ] = None,
) -> None:
    """Put documents into a set; one of the same name is replaced."""
    from guardrail.protect import add

    raise typer.Exit(add(files, to, words=words, characters=characters, name=name))


@protect.command("list")
def protect_list(
    path: Annotated[Path, typer.Argument(help="The set.", show_default=False)],
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
) -> None:
    """Print the documents of a set."""
    from guardrail.protect import show

    raise typer.Exit(show(path, as_json=form is Format.JSON))


@protect.command("remove")
def protect_remove(
    path: Annotated[Path, typer.Argument(help="The set.", show_default=False)],
    names: Annotated[list[str], typer.Argument(metavar="ID...", help="Documents.", show_default=False)],
) -> None:
    """Take documents out of a set."""
    from guardrail.protect import remove

    raise typer.Exit(remove(path, names))


app.add_typer(audit, name="audit")
app.add_typer(subject, name="subject")
app.add_typer(cases, name="cases")
cases.command("remove")(_remove)
cases.command("deliveries")(_list_deliveries)
app.add_typer(complaints, name="complaints")
app.add_typer(policy, name="policy")
app.add_typer(key, name="key")
app.command("report")(_report)
app.command("label")(_label)
app.command("evidence")(_evidence)


def main() -> None:
    app()
