"""Arguments and options that several commands share."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="Data set of the catalogue.")]

Model = Annotated[str, typer.Argument(metavar="MODEL", help="Model of params.yaml.")]

Run = Annotated[str, typer.Argument(metavar="RUN", help="Run of params.yaml.")]

Selection = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Only items of this selection; see select."),
]

Rev = Annotated[
    str | None,
    typer.Option(metavar="REV", help="Read this git revision (tag, branch or commit)."),
]


def need_folder(path: Path | None) -> Path | None:
    """Refuse an output file whose folder does not exist, before any computation starts.

    Raises:
        BadParameter: there is no such folder.
    """
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}; make it first")
    return path


Html = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write an HTML page with the images.", callback=need_folder
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option", "-o", metavar="KEY=VALUE", help="Option of the source; repeatable."
    ),
]

CardFile = Annotated[
    Path | None,
    typer.Option("--card", metavar="FILE", help="Card whose options of the source are used."),
]


Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="Who computes: an engine of params.yaml, or here, processes. Default: "
        "LIKEWISE_ENGINE, else here.",
    ),
]

Shard = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="K/N",
        help="Compute the part of process K (0 to N-1) of N, and commit nothing.",
    ),
]


def _refuse_old_name(value: str | None) -> None:
    if value is not None:
        raise typer.BadParameter("the option is now called --annotations", param_hint="--text")


OldAnnotations = Annotated[
    str | None, typer.Option("--text", hidden=True, callback=_refuse_old_name)
]
"""The earlier name of ``--annotations``. In ``search``, ``--text`` is the query text."""


def parse_names(given: list[str] | None) -> list[str] | None:
    """Split names at commas; ``none`` is the empty list. A repeated option adds names."""
    if not given:
        return None
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    return [] if names == ["none"] else names


def parse_options(options: list[str] | None) -> dict[str, Any]:
    """Parse options of the form ``KEY=VALUE``; a value is read as JSON if it is valid JSON.

    Raises:
        BadParameter: an option has no ``=``.
    """
    values = {}
    for option in options or ():
        key, sign, value = option.partition("=")
        if not sign:
            raise typer.BadParameter(f"{option!r} is not KEY=VALUE", param_hint="--option")
        values[key] = _value(value)
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


Limit = Annotated[int, typer.Option(min=0, metavar="N", help="Maximum number of findings.")]
