"""`guardrail evidence`: the duties of a preset, tried on a proxy that runs this configuration."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class Form(enum.StrEnum):
    """How the report is written."""

    HTML = "html"
    JSON = "json"
    MARKDOWN = "markdown"
    TEXT = "text"


def evidence(
    preset: Annotated[str, typer.Option(help="A preset, by its name or the path of its file.", show_default=False)],
    duty: Annotated[
        list[str] | None, typer.Option(help="Only this duty; may be given again.", show_default="all of them")
    ] = None,
    form: Annotated[
        Form | None,
        typer.Option("--format", help="How to write it.", show_default="by the name of the file, else text"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write.", show_default="standard output")
    ] = None,
    tenant: Annotated[
        str | None,
        typer.Option(help="Whose policy and terms to try.", show_default="clients without a key, else the first"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="GUARDRAIL_CONFIG",
            help="guardrail.yaml, or a folder that holds one.",
            show_default="the shipped one, with the preset",
        ),
    ] = None,
) -> None:
    """Try every duty of a preset: start a proxy with this configuration, ask it, and report what holds.

    Exit status: 0 when no duty fails; 1 when one does, or the configuration cannot be used; 2 for bad usage.
    """
    import asyncio
    import sys

    import msgspec

    from guardrail.errors import ConfigError, GuardrailError
    from guardrail.evidence.page import markdown, page, summary
    from guardrail.evidence.run import gather
    from guardrail.policy.load import shipped_config
    from guardrail.policy.presets import SUFFIXES, check_preset, shipped_presets

    shipped = shipped_presets(shipped_config() / "presets")
    if preset not in shipped and not preset.endswith(SUFFIXES):
        typer.echo(f"guardrail evidence: there is no preset {preset!r}; there are {', '.join(shipped)}", err=True)
        raise typer.Exit(2)
    try:
        path = shipped.get(preset, Path(preset))
        file = check_preset(path)
        unknown = sorted(set(duty or ()) - {each.id for each in file.duties})
        if unknown:
            known = ", ".join(each.id for each in file.duties)
            typer.echo(f"guardrail evidence: {preset} has no duty {', '.join(unknown)}; it has {known}", err=True)
            raise typer.Exit(2)
        named = preset if preset in shipped else str(path.absolute())
        found = asyncio.run(gather(config, file, named, tenant=tenant, only=duty or ()))
    except ConfigError as error:
        typer.echo("\n".join(map(str, error.problems)), err=True)
        raise typer.Exit(1) from None
    except GuardrailError as error:
        typer.echo(f"guardrail evidence: {error}", err=True)
        raise typer.Exit(1) from None
    by_name = {".html": Form.HTML, ".json": Form.JSON, ".md": Form.MARKDOWN}
    form = form or by_name.get(output.suffix.lower() if output is not None else "", Form.TEXT)
    match form:
        case Form.HTML:
            text = page(found)
        case Form.JSON:
            text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
        case Form.MARKDOWN:
            text = markdown(found)
        case Form.TEXT:
            lines = [f"{each.verdict:9} {each.id}" for each in found.duties]
            for index, each in reversed(list(enumerate(found.duties))):
                lines[index + 1 : index + 1] = [f"          {tried.check}: {tried.said}" for tried in each.checks]
            text = "\n".join([*lines, summary(found), found.notice]) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            typer.echo(f"guardrail evidence: {output} cannot be written: {error.strerror}", err=True)
            raise typer.Exit(1) from None
        typer.echo(summary(found), file=sys.stderr)
    if not found.holds:
        raise typer.Exit(1)
