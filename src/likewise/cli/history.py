"""Commands on versions: log, diff, forget."""

from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Html, Json
from likewise.cli.output import (
    print_json,
    print_line,
    print_markdown,
    print_next,
    print_note,
    print_table,
    print_tip,
)

if TYPE_CHECKING:
    from likewise import Difference

SHOWN = 100
"""Maximum number of rows of a printed table; --json prints all."""


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
        _print_difference(difference)
        if not html:
            print_tip("add --html changes.html for a page of the images, or --markdown")


def forget(
    dataset: Dataset,
    items: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Id of an item or image, or the SHA-256 of a file."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Reason, kept in git; do not name persons.")
    ] = "",
    purge: Annotated[
        bool,
        typer.Option(
            "--purge", help="Also erase files of old versions, here and on all remotes."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Remove items permanently, and list what still contains them.

    An item is removed with its image and all images of the same bytes, from every table, index
    and result. forgotten.csv records these images, so that a later ingest cannot add them
    again. Without an ID, the entries of forgotten.csv are applied again.
    """
    done = likewise.forget(dataset, items or (), reason=reason, purge=purge)
    if json:
        print_json(done)
        return
    print_line(f"{dataset}: {len(done.items):,} items removed now, {done.forgotten:,} in total")
    for name in done.items:
        print_line(f"removed: {name}")
    if done.purged:
        print_line(f"{done.purged:,} files erased")
    if done.holders:
        rows = [(h.kind, h.where, h.what, h.command) for h in done.holders[:SHOWN]]
        print_table(("still contained in", "where", "what", "command"), rows)
        _note_truncation(len(done.holders), "holders")
    else:
        print_line("nothing known here still contains them")
    print_note(
        "clones, caches and exports elsewhere are not checked; run likewise forget there"
    )
    if done.remade or done.repro:
        print_next(f"dvc repro, then: git add {done.file} dvc.lock ..., git commit, push both")


def _print_difference(difference: "Difference") -> None:
    was, now = difference.items
    revisions = f"{difference.old} to {difference.new}"
    print_line(f"{difference.dataset}, {revisions}: {was:,} items, then {now:,}")
    print_line(difference.summary)
    changes = difference.changes.head(SHOWN)
    if len(changes):
        print_table(changes.columns, changes.iter_rows())
        _note_truncation(len(difference.changes), "changes")
    if difference.drift:
        rows = [
            (d.model, d.items, *(d.cosine or (None, None)), d.overlap) for d in difference.drift
        ]
        print_table(("model", "items", "mean cosine", "min cosine", "overlap@10"), rows)
    if difference.metrics:
        numbers = [(m.run, m.metric, m.was, m.now) for m in difference.metrics]
        print_table(("run", "metric", "old", "new"), numbers)


def _note_truncation(number: int, what: str) -> None:
    if number > SHOWN:
        print_note(f"the first {SHOWN} of {number:,} {what}; print all with --json")
