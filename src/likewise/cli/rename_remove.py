"""Commands that change the data sets of a catalogue: rename, remove."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Json
from likewise.cli.output import print_json, print_line, print_next, print_note, print_table

if TYPE_CHECKING:
    from likewise import OlderVersion

SHOWN = 10
"""Number of commits that are listed."""


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Data set to rename.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    json: Json = False,
) -> None:
    """Rename a data set, with its card, entries, tables and results.

    dvc.lock is renamed too, so that dvc repro has nothing to run, except checks of other data
    sets whose flags name it. Earlier commits keep the old name.
    """
    done = likewise.rename(old, new)
    if json:
        print_json(done)
        return
    print_line(f"{old} is now {new}")
    for before, after in done.entries.items():
        print_line(f"{before} is now {after}")
    _print_older(done.older, old)
    _print_next(done.repro)


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set or view to remove.")],
    json: Json = False,
) -> None:
    """Remove a data set or view, its entries, tables and results.

    Corrections and take-downs stay, and so do the source and the models. Earlier commits still
    hold the data set.
    """
    done = likewise.remove(name)
    if json:
        print_json(done)
        return
    for section, keys in done.entries.items():
        print_line(f"removed from params.yaml: {section}: {', '.join(keys)}")
    for file in done.files:
        print_line(f"removed: {file}")
    for file in done.kept:
        print_line(f"kept: {file}")
    _print_older(done.older, name)
    _print_next(done.repro)


def _print_older(older: Sequence["OlderVersion"], name: str) -> None:
    if not older:
        print_line(f"no commit holds {name}")
        return
    print_line("")
    rows = [(v.commit[:10], v.names, v.date, len(v.outputs)) for v in older[:SHOWN]]
    print_table((f"commits with {name}", "names", "date", "outputs"), rows)
    if len(older) > SHOWN:
        print_note(f"the first {SHOWN} of {len(older):,} commits; print all with --json")
    print_note("DVC's cache and the remotes keep their files; dvc gc --help removes them")


def _print_next(repro: Sequence[str]) -> None:
    run = f"dvc repro (runs {', '.join(repro)}), then " if repro else ""
    print_next(f"{run}git add --all && git commit")
