"""Commands that start a catalogue: init, download, validate, rename, remove."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import (
    CardFile,
    Json,
    Limit,
    OldAnnotations,
    Options,
    parse_options,
)
from likewise.cli.output import (
    print_json,
    print_line,
    print_next,
    print_note,
    print_table,
    print_tip,
)
from likewise.cli.print_findings import print_findings, print_preview
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import OlderVersion

SHOWN = 10
"""Number of commits that are listed."""


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Folder of the catalogue; by default the current folder."
        ),
    ] = Path(),
    example: Annotated[
        bool,
        typer.Option(
            "--example", help="Add three small data sets of drawings, to try likewise."
        ),
    ] = False,
) -> None:
    """Create a catalogue in a folder: git, DVC, files to fill in.

    In an existing catalogue, missing files are added, and names that older releases used in
    params.yaml and dvc.yaml are replaced.
    """
    written = likewise.init(folder, example=example)
    for name in written:
        print_line(f"wrote {name}")
    if example:
        inside = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
        print_next(
            f"{inside}dvc repro, then: likewise search food --id test/fruit/kiwi-fruit_noto.png"
        )
    elif not len(likewise.open(workspace=folder)):
        print_next("likewise add DIR")
    else:
        print_next(
            "git diff, then: git commit"
            if written
            else "dvc repro, or in a new clone: likewise pull"
        )


def download(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Known data set; without it, list all.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Target folder; by default data/NAME."),
    ] = None,
    json: Json = False,
) -> None:
    """Download a known data set, or print how to get it.

    Run the same command again to resume. Existing files are never overwritten; archives are
    not unpacked.
    """
    if name is None:
        known = likewise.downloads()
        if json:
            print_json(known)
        else:
            words = {True: "yes", False: "no"}
            rows = [
                (o.name, words[o.public], words[o.verified] if o.public else "", o.title)
                for o in known
            ]
            print_table(("name", "public", "checksum", "title"), rows)
            print_tip("likewise download NAME")
        return
    done = likewise.download(name, folder)
    if json:
        print_json(done)
        return
    for action, files in (("downloaded", done.fetched), ("already present", done.kept)):
        for file in files:
            print_line(f"{action}: {done.folder}/{file}")
    if done.renamed:
        print_note(done.renamed)
    for file in done.unverified:
        print_line(f"not verified, because no checksum is published: {done.folder}/{file}")
    print_line(f"licence: {done.licence or 'none stated; see docs/datasets.md'}")
    print_next(done.next)


def validate(  # noqa: PLR0913, PLR0917 (one is the old name of an option)
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="Layout, e.g. fissp, or public data set.")
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder or archive of images.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="The layout, in place of the argument KIND."),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Annotations, if they are in another place."),
    ] = None,
    text: OldAnnotations = None,
    option: Options = None,
    card: CardFile = None,
    preview: Annotated[
        int, typer.Option(min=0, metavar="N", help="Number of items that are shown.")
    ] = 5,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Check files by a layout and show the first items.

    The command needs no catalogue and writes nothing, so that options of a layout can be tried.
    It also shows what is left over: images that no row names, columns without an effect on
    labels. The exit code is 1 if there are findings.
    """
    layout, path = _layout_and_folder(kind, folder, source)
    report = likewise.validate(
        layout,
        path,
        annotations=annotations,
        options=parse_options(option),
        card=card,
        limit=limit,
        preview=preview,
    )
    print_findings(report, json=json)
    if not json:
        print_preview(report)
    if report.total:
        raise typer.Exit(1)
    if not json:
        print_next(f"likewise add NAME --source {layout} --path {shlex.quote(str(path))}")


def _layout_and_folder(
    first: str, second: Path | None, option: str | None
) -> tuple[str, str | Path]:
    """Return the arguments ``KIND DIR``, or those of ``DIR --source KIND``, as in ``add``."""
    if (second is None) == (option is None):
        raise typer.BadParameter("write: likewise validate KIND DIR")
    return (first, second) if second is not None else (option or "", first)


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Data set to rename.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    json: Json = False,
) -> None:
    """Rename a data set, its card, entries, tables and results.

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


def _print_older(older: Sequence["OlderVersion"], name: str) -> None:
    if not older:
        print_line(f"no commit holds {name}")
        return
    print_line("")
    rows = [(v.commit[:10], v.names, v.date, len(v.outputs)) for v in older[:SHOWN]]
    print_table((f"commits with {name}", "names", "date", "outputs"), rows)
    if len(older) > SHOWN:
        print_note(
            f"the first {SHOWN} of {counted(len(older), 'commit')}; print all with --json"
        )
    print_note("DVC's cache and the remotes keep their files; dvc gc --help removes them")


def _print_next(repro: Sequence[str]) -> None:
    run = f"dvc repro (runs {', '.join(repro)}), then " if repro else ""
    print_next(f"{run}git add --all && git commit")


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
