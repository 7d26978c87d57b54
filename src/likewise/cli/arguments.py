"""Options that several commands have."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="A data set of the catalogue.")]

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A model of params.yaml.")]

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run of params.yaml.")]

Rev = Annotated[str | None, typer.Option(metavar="REV", help="As of a git revision: a tag ...")]

Html = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a page with the pictures.")
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Options = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="What the card says to the source."),
]


def _refuse_old_name(value: str | None) -> None:
    if value is not None:
        raise typer.BadParameter("the option is now called --annotations", param_hint="--text")


OldAnnotations = Annotated[
    str | None, typer.Option("--text", hidden=True, callback=_refuse_old_name)
]
"""The name that ``--annotations`` had before; words of a search are still ``--text``."""


def parsed(options: list[str] | None) -> dict[str, Any]:
    """``KEY=VALUE`` each; a value is JSON where it is any, else text.

    Raises:
        BadParameter: one without ``=``.
    """
    found = {}
    for option in options or ():
        key, sign, value = option.partition("=")
        if not sign:
            raise typer.BadParameter(f"{option!r} is not KEY=VALUE", param_hint="--option")
        found[key] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
