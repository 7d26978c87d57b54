"""Commands of versions and sharing: log, diff, release, push, pull, merge, export."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import likewise
from likewise.cli.arguments import (
    Dataset,
    Html,
    Json,
    Rev,
    Selection,
    parse_options,
)
from likewise.cli.output import (
    print_json,
    print_line,
    print_markdown,
    print_next,
    print_note,
    print_table,
    print_tip,
)
from likewise.cli.print_difference import print_difference
from likewise.cli.print_export import print_export
from likewise.errors import size_text
from likewise.formats.counted_nouns import counted

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


def log(
    dataset: Dataset,
    rev: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Begin at this revision instead of the checkout."),
    ] = None,
    json: Json = False,
) -> None:
    """List the versions of a data set and the changes of each."""
    versions = likewise.log(dataset, rev=rev)
    if json:
        print_json(versions)
        return
    rows = [
        (v.commit, ", ".join(v.names), v.date, v.items, ", ".join(v.columns), v.message)
        for v in versions
    ]
    if rows and sys.stdout.isatty():  # the first version has no earlier one to differ from
        rows[-1] = (*rows[-1][:4], "all columns", rows[-1][-1])
    print_table(("commit", "names", "date", "items", "changed", "message"), rows)
    if len(versions) > 1:
        print_tip(f"likewise diff {dataset} {versions[1].commit} {versions[0].commit}")
    else:
        print_tip(f"likewise show {dataset}")


def diff(
    dataset: Dataset,
    old: Annotated[
        str, typer.Argument(metavar="REV1", help="Git revision: a tag, branch or commit.")
    ],
    new: Annotated[
        str | None,
        typer.Argument(metavar="[REV2]", help="Second revision; by default the workspace."),
    ] = None,
    json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, e.g. for a pull request.")
    ] = False,
    html: Html = None,
) -> None:
    """Compare two versions: labels, boxes, vectors and metrics."""
    difference = likewise.diff(dataset, old, new)
    if html:
        difference.to_html(html)
        print_note(f"wrote {html}")
    if json:
        facts = {name: value for name, value in vars(difference).items() if name != "sides"}
        changes = difference.changes.to_dicts()
        print_json({**facts, "counts": difference.counts, "changes": changes})
    elif markdown:
        print_markdown(difference.to_markdown().rstrip())
    else:
        print_difference(difference)
        if not html:
            print_tip("add --html changes.html for a page of the images, or --markdown")


def release(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Data set.")],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Version, e.g. 1.2.")],
    message: Annotated[str, typer.Option("--message", "-m", help="Release note.")] = "",
    json: Json = False,
) -> None:
    """Release a data set: checks, changelog, Croissant, git tag."""
    done = likewise.release(dataset, version, message=message)
    if json:
        print_json(done)
        return
    since = f"since {done.before}: " if done.before else ""
    print_line(f"{done.tag}: {since}{done.changes}; {counted(done.findings, 'finding')}")
    print_next("likewise push, then: git push --follow-tags")


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


def _amount(files: int, nbytes: int) -> str:
    return f"{counted(files, 'file')}, {size_text(nbytes)}"


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
    """Merge a branch, with the label corrections of both sides."""
    done = likewise.merge(branch, prefer=_preferred_side(ours, theirs))
    for line in done.notes:
        print_note(line)
    if json:
        print_json(done)
    elif not done.commit:
        print_line("nothing to merge")
    else:
        listed = f", {counted(done.settled, 'conflict')} resolved" if done.settled else ""
        if done.carried:
            carried = counted(done.carried, "value")
            listed += f", {carried} of the source of {branch} kept as corrections"
        print_line(f"{done.commit[:10]}: merged {branch}{listed}")
        print_next("likewise pull, then: dvc repro --allow-missing")


def _preferred_side(ours: bool, theirs: bool) -> Literal["ours", "theirs"] | None:
    if ours and theirs:
        raise typer.BadParameter("use either --ours or --theirs")
    return "ours" if ours else "theirs" if theirs else None


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


def export(  # noqa: PLR0913 (a function here is a command, an argument an option)
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Published data set.")],
    format_: Annotated[
        str,
        typer.Argument(metavar="FORMAT", help="Format, or an entry of exports in params.yaml."),
    ],
    *,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="New folder to write.")],
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="Export only items that match, e.g. split = 'test'."),
    ] = None,
    selection: Selection = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", "-o", metavar="KEY=VALUE", help="Option of the format; repeatable."
        ),
    ] = None,
    json: Json = False,
    rev: Rev = None,
) -> None:
    """Export a data set to a format of other programs.

    Formats: coco, croissant, csv, embeddings, folder, huggingface, image-matrix, imagenet-npz,
    parquet, voc, webdataset, yolo. Image files are copied unchanged if the format
    allows it. The licence of the data set is checked for research use; for other uses, set
    --option purpose=commercial or purpose=sharing.
    """
    options = parse_options(option)
    done = likewise.export(
        dataset, format_, to, where=where, selection=selection, options=options, rev=rev
    )
    if json:
        print_json({**vars(done), "folder": str(done.folder), "reasons": done.reasons()})
    else:
        print_export(done)
    for text in done.notes:
        print_note(f"note: {text}")
    if not json:
        print_next(f"read {done.folder}/export.yaml: licence, options and digests")
