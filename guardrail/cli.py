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
