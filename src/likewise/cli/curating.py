"""Commands for judgements of people: tag, review, select, and the lists of them."""

from typing import Annotated, Literal

import typer

import likewise
from likewise.cli.arguments import Dataset, Json, Rev
from likewise.cli.output import (
    print_json,
    print_line,
    print_next,
    print_note,
    print_table,
    print_tip,
)
from likewise.errors import bounded
from likewise.formats.counted_nouns import counted

Items = Annotated[
    list[str] | None, typer.Argument(metavar="[ITEM]...", help="Ids of the items.")
]

Where = Annotated[
    str | None,
    typer.Option(metavar="SQL", help="Only items that match, e.g. split = 'test'."),
]

Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="Only this flag, or findings of this check."),
]


def tag(
    dataset: Dataset,
    items: Items = None,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Tag that the items get; repeatable."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Tag that the items lose; repeatable."),
    ] = None,
    where: Where = None,
    json: Json = False,
) -> None:
    """Give items tags, or list the tags of a data set.

    Tags are written to catalog/DATASET/tags.csv. They are the list column `tags` at once,
    for example: likewise browse DATASET --where "array_has(tags, 'blurred')"
    """
    done = likewise.tag(dataset, items or (), add=add or (), remove=remove or (), where=where)
    if json:
        print_json(done)
        return
    if add or remove:
        print_line(f"{done.dataset}: {counted(done.changed, 'tag')} changed")
    if done.tags:
        print_table(("tag", "items"), done.tags.items())
    else:
        print_note(f"{done.dataset} has no tags")
    if done.unknown:
        print_note(
            f"{counted(len(done.unknown), 'item')} with tags not in {done.dataset}: "
            f"{bounded(done.unknown, len(done.unknown))}"
        )
    if done.changed:
        print_next(f"git add {done.file}, then: git commit")


def review(  # noqa: PLR0913 (a function here is a command, an argument an option)
    dataset: Dataset,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Ids of flags and findings; see reviews."),
    ] = None,
    *,
    verdict: Annotated[
        Literal["kept", "dropped", "wrong"] | None,
        typer.Option(
            help="kept: right, but the item stays. dropped: right, leave the item out. "
            "wrong: a mistake of the check."
        ),
    ] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Reason, kept in git.")] = "",
    name: Name = None,
    undo: Annotated[bool, typer.Option("--undo", help="Withdraw the verdicts.")] = False,
    expect: Annotated[
        Literal["none", "kept", "dropped", "wrong"] | None,
        typer.Option(help="Change nothing unless this is the present verdict."),
    ] = None,
    expect_note: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Change nothing unless this is the present note."),
    ] = None,
    json: Json = False,
) -> None:
    """Judge flags and findings, so that they are not listed again.

    Verdicts are written to catalog/DATASET/reviews.csv. A flag that changes is listed again.
    Without ID, all flags or findings of --name that have no verdict are judged.
    """
    if (verdict is None) != undo:
        raise typer.BadParameter("give either --verdict or --undo")
    done = likewise.review(
        dataset,
        ids or (),
        verdict=verdict,
        note=note,
        name=name,
        expect=expect,
        expect_note=expect_note,
    )
    if json:
        print_json(done)
        return
    changed = counted(done.changed, "verdict")
    print_line(f"{dataset}: {changed} changed, {done.judged:,} judged, {done.open:,} open")
    if done.changed:
        print_next(f"git add {done.file}, then: git commit")


def reviews(
    dataset: Dataset,
    name: Name = None,
    judged: Annotated[
        bool, typer.Option("--judged", help="Also list those that have a verdict.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Number of rows.")] = 20,
    json: Json = False,
) -> None:
    """List flags and findings that have no verdict yet."""
    listing = likewise.reviews(dataset, name=name, judged=judged, limit=limit)
    if json:
        print_json(listing)
        return
    rows = [
        (d.id, d.name, d.path, d.other, d.detail, d.verdict or "", d.note or "")
        for d in listing.doubts
    ]
    if rows:
        heads = ("id", "flag or check", "path", "other", "detail", "verdict", "note")
        print_table(heads, rows, given=[name or ""])
    print_note(f"{listing.open:,} open, {listing.judged:,} judged")
    if listing.stale:
        print_note(
            f"{counted(listing.stale, 'verdict')} on flags or findings that changed or are gone"
        )
    if len(rows) < listing.open + listing.judged * judged:
        print_note(f"the first {len(rows):,}; list more with --limit N")
    if listing.open:
        print_tip(f"likewise review {dataset} ID --verdict kept")


def select(
    dataset: Dataset,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the selection.")],
    items: Items = None,
    where: Where = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FLAG",
            help="Leave out items with this flag, unless its verdict is kept or wrong.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Keep items as a named selection.

    The list is written to catalog/DATASET/selections/NAME.csv. query, search, browse,
    site and export read it by --selection NAME.
    """
    done = likewise.select(dataset, name, items or (), where=where, without=without or ())
    if json:
        print_json(done)
        return
    print_line(
        f"{done.dataset}: {name} has {counted(done.items, 'item')}, "
        f"{done.added:,} added, {done.removed:,} removed"
    )
    if done.added or done.removed:
        print_next(f"git add {done.file}, then: git commit")


def selections(dataset: Dataset, rev: Rev = None, json: Json = False) -> None:
    """List the selections of a data set."""
    listing = likewise.selections(dataset, rev=rev)
    if json:
        print_json(listing)
        return
    if listing:
        rows = [(one.name, one.items, one.unknown, one.file) for one in listing]
        print_table(("selection", "items", "not in the data set", "file"), rows)
        print_tip(f"likewise browse {dataset} --selection {listing[0].name}")
    else:
        print_note(f"{dataset} has no selections")
        print_tip(f"likewise select {dataset} NAME ITEM...")
