"""The command line: serve · demo · simulate · check · scan. Each command only parses and calls; the work is elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="guardrail",
    help="A streaming output guardrail for language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def serve() -> None:
    """Run the proxy."""


@app.command()
def demo() -> None:
    """Watch guardrail stop and rewrite real streams from a simulated model server."""


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
    """Run a simulated, OpenAI-compatible model server."""
    from guardrail.simulate import run

    raise typer.Exit(run(host, port, token_size=token_size, delay_ms=delay, script=script, fault=fault))


@app.command()
def check() -> None:
    """Check configuration before deploying: every error at once, with file and line."""


@app.command()
def scan() -> None:
    """Run a policy over any text."""


def main() -> None:
    app()
