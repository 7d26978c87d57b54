"""The commands about versions: log, diff, forget."""

from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Html, Json
from likewise.cli.output import as_json, note, say, table

if TYPE_CHECKING:
    from likewise import Difference

SHOWN = 100
"""Rows of a table for people; --json has all."""


def log(
    dataset: Dataset,
    rev: Annotated[
        str | None, typer.Option(metavar="REV", help="Begin there, not at the checkout.")
    ] = None,
    json: Json = False,
) -> None:
    """List the versions of a data set, and what changed in each."""
    found = likewise.log(dataset, rev=rev)
    if json:
        as_json(found)
        return
    rows = [
        (v.commit, ", ".join(v.names), v.date, v.items, ", ".join(v.columns), v.message)
        for v in found
    ]
    table(("commit", "names", "date", "items", "changed", "message"), rows)


def diff(
    dataset: Dataset,
    old: Annotated[str, typer.Argument(metavar="REV1", help="A git revision: a tag ...")],
    new: Annotated[
        str | None, typer.Argument(metavar="[REV2]", help="By default the workspace.")
    ] = None,
    json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")
    ] = False,
    html: Html = None,
) -> None:
    """Compare two versions, from labels and boxes to numbers."""
    found = likewise.diff(dataset, old, new)
    if html:
        found.to_html(html)
        note(f"wrote {html}")
    if json:
        facts = {name: value for name, value in vars(found).items() if name != "sides"}
        as_json({**facts, "counts": found.counts, "changes": found.changes.to_dicts()})
    elif markdown:
        print(found.to_markdown(), end="")
    else:
        _print(found)


def forget(
    dataset: Dataset,
    items: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="An item, an image, or a file's SHA-256."),
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; it stands in git, so name nobody.")
    ] = "",
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Erase old versions' files, here and on all remotes."),
    ] = False,
    json: Json = False,
) -> None:
    """Take items down for good, and list what still holds them.

    An item goes with its image and all images of the same bytes, out of every table, index and
    result; forgotten.csv keeps them out. Without an ID, what it says is put into effect again.
    """
    done = likewise.forget(dataset, items or (), reason=reason, purge=purge)
    if json:
        as_json(done)
        return
    say(f"{dataset}: {len(done.items):,} items forgotten now, {done.forgotten:,} in all")
    for name in done.items:
        say(f"forgotten: {name}")
    if done.purged:
        say(f"{done.purged:,} files erased")
    if done.holders:
        rows = [(h.kind, h.where, h.what, h.command) for h in done.holders[:SHOWN]]
        table(("still held by", "where", "what", "command"), rows)
        _say_rest(len(done.holders), "holders")
    else:
        say("nothing that is known here holds them")
    note("others' clones, caches and exports are not known here; they pull, and run the same")
    if done.remade or done.repro:
        note(f"next: dvc repro, then: git add {done.file} dvc.lock ... and commit, push both")


def _print(found: "Difference") -> None:
    was, now = found.items
    say(f"{found.dataset}, {found.old} to {found.new}: {was:,} items, then {now:,}")
    say(found.summary)
    changes = found.changes.head(SHOWN)
    if len(changes):
        table(changes.columns, changes.iter_rows())
        _say_rest(len(found.changes), "changes")
    if found.drift:
        rows = [(d.model, d.items, *(d.cosine or (None, None)), d.overlap) for d in found.drift]
        table(("model", "items", "mean cosine", "least", "same of 10 nearest"), rows)
    if found.metrics:
        numbers = [(m.run, m.metric, m.was, m.now) for m in found.metrics]
        table(("run", "metric", "was", "now"), numbers)


def _say_rest(number: int, what: str) -> None:
    if number > SHOWN:
        note(f"the first {SHOWN} of {number:,} {what}; for all: --json")
