"""The command that adds a data set."""

import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import OldAnnotations, Options, parse_names, parse_options
from likewise.cli.output import counts, print_line, print_next, print_note
from likewise.cli.text_table import cell
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import Added


def add(  # noqa: PLR0913, PLR0917 (one is the old name of an option)
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name of the data set; by default that of DIR."),
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Folder or archive of images.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="KIND|DATASET",
            help="Layout, or public data set (likewise kinds sources --known); by default the "
            "layout is found.",
        ),
    ] = None,
    path: Annotated[Path | None, typer.Option(metavar="DIR", help="The same as DIR.")] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Annotations, if they are in another place."),
    ] = None,
    text: OldAnnotations = None,
    title: Annotated[str | None, typer.Option(help="Title for people.")] = None,
    option: Options = None,
    card: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Card to copy: its source, licence, citation and faults."
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES|none", help="Models that embed it, by commas."),
    ] = None,
    protocols: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES|none", help="Protocols that score it, by commas."),
    ] = None,
) -> None:
    """Add a data set: write its card and its params.yaml entries.

    The command reads file names, not images. Without --source, it finds the layout and prints
    it; if several layouts fit, it asks which one, or fails if it cannot ask. Without --models
    and --protocols, the entries embed the data set by every model and score it by every
    protocol of its layout.
    """
    name, place = _name_and_place(name, folder, path)
    add_by = partial(
        likewise.add,
        name,
        path=place,
        annotations=annotations,
        title=title,
        options=parse_options(option),
        card=card,
        models=parse_names(models),
        protocols=parse_names(protocols),
    )
    try:
        added = add_by(source=source)
    except likewise.AmbiguousLayoutError as error:
        if not sys.stdin.isatty():
            raise
        print_note(str(error))
        added = add_by(source=typer.prompt(f"layout ({', '.join(error.kinds)})", err=True))
    _print(added)


def _name_and_place(name: str, folder: Path | None, path: Path | None) -> tuple[str, Path]:
    """Return the name and the place of the data set; ``add DIR`` has the name of its folder."""
    if folder is not None and path is not None:
        raise typer.BadParameter("give the folder or archive once: as DIR, or by --path")
    place = folder or path
    if place is not None:
        return name, place
    place = Path(name).expanduser()
    if not place.exists():
        raise typer.BadParameter(f"give the folder or archive of images: add {name} DIR")
    stem = place.resolve().name.lower().partition(".")[0]
    return re.sub(r"[^a-z0-9]+", "_", stem).strip("_"), place


def _print(added: "Added") -> None:
    name = added.dataset
    if added.layout:
        print_line(f"layout: {added.layout}")
    print_line(
        f"{name}: {counted(added.items, 'item')}, {counted(added.labels, 'label')}, "
        f"{counted(added.findings, 'finding')}"
    )
    if added.splits:
        shown = ", ".join(f"{split} {number:,}" for split, number in added.splits.items())
        print_line(f"splits: {shown}")
    if added.incomplete:
        print_line(f"differs from the published counts: {'; '.join(added.incomplete)}")
    if added.checks:
        print_line(f"findings: {counts(added.checks)}; such as {cell(added.first_finding)}")
    if added.damaged:
        print_line(f"unreadable and skipped: {added.damaged}")
    if not added.labels and not added.runs:
        print_line(
            "no item has a label: no runs were added; add labels to the source, or run: "
            f"likewise correct {name} ITEM --label LABEL"
        )
    if not added.licence:
        print_line(f"licence: unknown; add it to {added.card} before you share or export")
    print_line(f"wrote {added.card} and params.yaml")
    print_next(f"check {added.card} and params.yaml, then: dvc repro")
