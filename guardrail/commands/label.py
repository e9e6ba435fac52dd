"""`guardrail label`: marks text on export as made by a model, and verifies such marks."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class Form(enum.StrEnum):
    """The formats that have room for a mark."""

    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"
    TXT = "txt"


class Placed(enum.StrEnum):
    """Where people are told."""

    START = "start"
    END = "end"
    NONE = "none"


SUFFIXES = {
    **dict.fromkeys((".md", ".markdown"), Form.MARKDOWN),
    **dict.fromkeys((".html", ".htm"), Form.HTML),
    ".json": Form.JSON,
    ".txt": Form.TXT,
}


def label(
    file: Annotated[Path, typer.Argument(help="Text to mark.", exists=True, dir_okay=False)],
    form: Annotated[Form | None, typer.Option("--format", help="Of the file.", show_default="by its name")] = None,
    provider: Annotated[str, typer.Option(help="Name or code of the service's provider.")] = "",
    number: Annotated[str, typer.Option("--id", help="Number of the content, as the id of its request.")] = "",
    explicit: Annotated[Placed, typer.Option(help="Where people are told.")] = Placed.START,
    language: Annotated[str, typer.Option(help="Language in which they are.")] = "en",
    text: Annotated[str, typer.Option(help="What they are told.", show_default="the one of the language")] = "",
    output: Annotated[Path | None, typer.Option(help="File to write.", show_default="standard output")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read the mark of the file instead.")] = False,
) -> None:
    """Mark a text as made by a model: for people, and for programs (the block AIGC, IPTC's digital source type).

    With --verify: what does its mark say, and is it still the text that was marked? Exit status: 0 when it is, 1 when
    the file has no mark, or its text was changed, 2 for bad usage.
    """
    import json

    from guardrail.governance import marking
    from guardrail.governance.label_terms import TEXTS

    form = form or SUFFIXES.get(file.suffix.lower())
    if form is None:
        typer.echo("The name of the file does not tell its format: --format markdown|json|html|txt", err=True)
        raise typer.Exit(2)
    try:
        # As it is: a digest does not survive other line ends.
        said = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(2) from error
    if verify:
        try:
            found = marking.read(said, form.value)
        except marking.MarkError as error:
            typer.echo(f"{file}: {error}", err=True)
            raise typer.Exit(1) from error
        typer.echo(json.dumps({"intact": found.intact, "AIGC": dict(found.block)}, ensure_ascii=False, indent=2))
        raise typer.Exit(0 if found.intact else 1)
    if not provider or not number:
        typer.echo("A mark names who made the text, and which: --provider NAME --id NUMBER", err=True)
        raise typer.Exit(2)
    if explicit is not Placed.NONE and not text and language not in TEXTS:
        typer.echo(f"There is no text in {language!r}: --text WORDS, or one of {', '.join(TEXTS)}", err=True)
        raise typer.Exit(2)
    words = "" if explicit is Placed.NONE else text or TEXTS[language]
    try:
        marked = marking.mark(said, form.value, provider, number, label=words, at_end=explicit is Placed.END)
    except marking.MarkError as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(2) from error
    if output is None:
        typer.echo(marked, nl=False)
    else:
        output.write_bytes(marked.encode("utf-8"))
