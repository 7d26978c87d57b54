"""Commands for collaboration: push, pull, merge, release, and the merge driver of git."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import likewise
from likewise.cli.arguments import Json
from likewise.cli.output import print_json, print_line, print_next, print_note
from likewise.errors import size_text

if TYPE_CHECKING:
    from likewise import Pulled

Datasets = Annotated[
    list[str] | None, typer.Argument(metavar="[DATASET]...", help="Data sets; by default all.")
]
Remote = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Name of the DVC remote; by default the default remote of DVC."
    ),
]
Ours = Annotated[
    bool, typer.Option("--ours", help="Resolve conflicts with the value of this branch.")
]
Theirs = Annotated[
    bool, typer.Option("--theirs", help="Resolve conflicts with the value of the other branch.")
]


def push(datasets: Datasets = None, remote: Remote = None, json: Json = False) -> None:
    """Upload the files that dvc.lock names to a DVC remote.

    Use `git push` for the rest. Data whose licence forbids redistribution is not uploaded to
    a remote that params.yaml lists in public_remotes.
    """
    done = likewise.push(datasets or (), remote=remote)
    if json:
        print_json(done)
    else:
        print_line(f"{done.remote}: {_amount(done.files, done.nbytes)}")
        print_next("git push")


def pull(  # noqa: PLR0913 (a function here is a command, an argument an option)
    datasets: Datasets = None,
    *,
    images: Annotated[
        bool | None,
        typer.Option(
            "--images/--no-images",
            help=(
                "Pull everything, only tables (--no-images), or the images that match --where."
            ),
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="With --images: pull only images of matching items."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Pull only these columns of the published table: label, a MODEL.",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Verify the cache and repair damaged files.")
    ] = False,
    remote: Remote = None,
    json: Json = False,
) -> None:
    """Download the files that dvc.lock names from a DVC remote.

    --no-images pulls the tables without pixels and models; later commands fetch what they
    need. --columns pulls the vectors of the given models of one data set; all columns other
    than vectors are stored together and always pulled.
    """
    if where is not None or columns is not None:
        if verify or (images is True) is not (where is not None) or (where and columns):
            raise typer.BadParameter("--where needs --images; --columns excludes both")
        done = _pull_selection(datasets or [], where, columns, remote)
    else:
        done = likewise.pull(
            datasets or (), images=images is not False, verify=verify, remote=remote
        )
    if json:
        print_json(done)
        return
    print_line(_amount(done.files, done.nbytes))
    for path in done.healed:
        print_line(f"repaired: {path}")
    if columns is not None:
        print_line(f"local columns: {', '.join(done.columns)}")
    if done.partial:
        state = "incomplete" if images else "fetched when needed"
        print_note(f"{state}: {', '.join(done.partial)}")
    print_next("likewise list")


def _pull_selection(
    datasets: list[str], where: str | None, columns: str | None, remote: str | None
) -> "Pulled":
    """Pull the images of some items, or some columns, of one data set."""
    if len(datasets) != 1:
        raise typer.BadParameter("--where and --columns need exactly one data set")
    if columns is not None:
        return likewise.pull_columns(datasets[0], columns.split(","), remote=remote)
    return likewise.pull_images(datasets[0], where=where, remote=remote)


def merge(
    branch: Annotated[str, typer.Argument(metavar="BRANCH", help="Branch, tag or commit.")],
    ours: Ours = False,
    theirs: Theirs = False,
    json: Json = False,
) -> None:
    """Merge a branch; the label corrections of both sides are kept."""
    done = likewise.merge(branch, prefer=_preferred_side(ours, theirs))
    for line in done.notes:
        print_note(line)
    if json:
        print_json(done)
    elif not done.commit:
        print_line("nothing to merge")
    else:
        counts = {
            "conflicts resolved": done.settled,
            f"values of the source of {branch} kept as corrections": done.carried,
        }
        listed = "".join(f", {number:,} {what}" for what, number in counts.items() if number)
        print_line(f"{done.commit[:10]}: merged {branch}{listed}")
        print_next("likewise pull, then: dvc repro --allow-missing")


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
        base, ours_file, theirs_file, name, prefer=_preferred_side(ours, theirs)
    )
    for line in conflicts:
        print_note(f"{name}: {line}")
    if conflicts:
        raise typer.Exit(1)


def release(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Data set.")],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Version, e.g. 1.2.")],
    message: Annotated[str, typer.Option("--message", "-m", help="Release note.")] = "",
    json: Json = False,
) -> None:
    """Release a data set: checks, changelog, Croissant file, git tag."""
    done = likewise.release(dataset, version, message=message)
    if json:
        print_json(done)
        return
    since = f"since {done.before}: " if done.before else ""
    print_line(f"{done.tag}: {since}{done.changes}; {done.findings:,} findings")
    print_next("likewise push, then: git push --follow-tags")


def _amount(files: int, nbytes: int) -> str:
    return f"{files:,} files, {size_text(nbytes)}"


def _preferred_side(ours: bool, theirs: bool) -> Literal["ours", "theirs"] | None:
    if ours and theirs:
        raise typer.BadParameter("use either --ours or --theirs")
    return "ours" if ours else "theirs" if theirs else None
