"""The command line: serve · demo · simulate · check · scan. Each command only parses and calls; the work is elsewhere."""

from __future__ import annotations

from typing import Annotated, Optional

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
def simulate() -> None:
    """Run a simulated, OpenAI-compatible model server."""


@app.command()
def check() -> None:
    """Check configuration before deploying: every error at once, with file and line."""


@app.command()
def scan() -> None:
    """Run a policy over any text."""


def main() -> None:
    app()
