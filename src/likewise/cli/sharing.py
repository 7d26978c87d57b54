"""The commands between people: push, pull, merge, git's merge driver, release."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import likewise
from likewise.cli.arguments import Json
from likewise.cli.output import as_json, note, say

if TYPE_CHECKING:
    from likewise import Pulled

Datasets = Annotated[
    list[str] | None, typer.Argument(metavar="[DATASET]...", help="These alone.")
]
Remote = Annotated[
    str | None, typer.Option(metavar="NAME", help="By default DVC's default remote.")
]
Ours = Annotated[bool, typer.Option("--ours", help="Where both changed a value: ours.")]
Theirs = Annotated[bool, typer.Option("--theirs", help="... or theirs.")]


def push(datasets: Datasets = None, remote: Remote = None, json: Json = False) -> None:
    """Bring what dvc.lock names to a DVC remote; git pushes the rest.

    To a remote that params.yaml lists as public_remotes nothing goes that its licence does
    not let one pass on.
    """
    done = likewise.push(datasets or (), remote=remote)
    if json:
        as_json(done)
    else:
        say(f"{done.remote}: {_moved(done.files, done.nbytes)}")


def pull(  # noqa: PLR0913 (a function here is a command, an argument an option)
    datasets: Datasets = None,
    *,
    images: Annotated[
        bool | None,
        typer.Option(
            "--images/--no-images", help="All; or no pixels and models; or with --where, some."
        ),
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="With --images: of these items alone.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Of the published table these: label, a MODEL ..."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read the cache again; mend what is damaged.")
    ] = False,
    remote: Remote = None,
    json: Json = False,
) -> None:
    """Bring what dvc.lock names from a DVC remote into the checkout.

    With --no-images the tables alone; what else a verb needs is fetched when it does. With
    --columns, of one data set: all columns but vectors, which lie together, and the vectors of
    the models that are named.
    """
    if where is not None or columns is not None:
        if verify or (images is True) is not (where is not None) or (where and columns):
            raise typer.BadParameter("--where goes with --images, --columns with neither")
        done = _pulled_part(datasets or [], where, columns, remote)
    else:
        done = likewise.pull(
            datasets or (), images=images is not False, verify=verify, remote=remote
        )
    if json:
        as_json(done)
        return
    say(_moved(done.files, done.nbytes))
    for path in done.healed:
        say(f"mended: {path}")
    if columns is not None:
        say(f"columns here: {', '.join(done.columns)}")
    if done.partial:
        left = "not all here" if images else "comes when it is needed"
        note(f"{left}: {', '.join(done.partial)}")


def _pulled_part(
    datasets: list[str], where: str | None, columns: str | None, remote: str | None
) -> "Pulled":
    """Some items' pixels, or some columns, of one data set."""
    if len(datasets) != 1:
        raise typer.BadParameter("--where and --columns go with one data set")
    if columns is not None:
        return likewise.pull_columns(datasets[0], columns.split(","), remote=remote)
    return likewise.pull_images(datasets[0], where=where, remote=remote)


def merge(
    branch: Annotated[str, typer.Argument(metavar="BRANCH", help="A branch, tag or commit.")],
    ours: Ours = False,
    theirs: Theirs = False,
    json: Json = False,
) -> None:
    """Merge a branch, corrections value by value, stages by change."""
    done = likewise.merge(branch, prefer=_side(ours, theirs))
    for line in done.notes:
        note(line)
    if json:
        as_json(done)
    elif not done.commit:
        say("nothing to merge")
    else:
        say(f"{done.commit[:10]}: {done.settled:,} conflicts settled, {done.carried:,} carried")
        say("next: likewise pull, then: dvc repro --allow-missing")


def merge_file(
    base: Path,
    ours_file: Path,
    theirs_file: Path,
    name: str,
    ours: Ours = False,
    theirs: Theirs = False,
) -> None:
    """Merge three versions of a file, for git (see .gitattributes)."""
    conflicts = likewise.merge_file(
        base, ours_file, theirs_file, name, prefer=_side(ours, theirs)
    )
    for line in conflicts:
        note(f"{name}: {line}")
    if conflicts:
        raise typer.Exit(1)


def release(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A data set.")],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="1.2, say.")],
    message: Annotated[str, typer.Option("--message", "-m", help="What to say of it.")] = "",
    json: Json = False,
) -> None:
    """Release a data set: checks, changelog, Croissant file, git tag."""
    done = likewise.release(dataset, version, message=message)
    if json:
        as_json(done)
        return
    since = f"since {done.before}: " if done.before else ""
    say(f"{done.tag}: {since}{done.changes}; {done.findings:,} findings")
    say("next: likewise push, then: git push --follow-tags")


def _moved(files: int, nbytes: int) -> str:
    return f"{files:,} files, {nbytes / 1e6:,.2f} MB"


def _side(ours: bool, theirs: bool) -> Literal["ours", "theirs"] | None:
    if ours and theirs:
        raise typer.BadParameter("choose one of --ours and --theirs")
    return "ours" if ours else "theirs" if theirs else None
