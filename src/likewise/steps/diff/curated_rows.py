"""Rows of tags, verdicts and selections that only one of two versions has."""

from collections.abc import Iterator

import polars as pl

from likewise.catalogue import doubts, item_selections, item_tags
from likewise.catalogue.item_selections import selection_files
from likewise.storage.workspace import Workspace

CURATED = {
    "file": pl.String,
    "change": pl.String,
    "item_id": pl.String,
    "value": pl.String,
}


def curated_changes(old: Workspace, new: Workspace, dataset: str) -> pl.DataFrame:
    """Return the rows that only the new and only the old version has.

    Returns:
        file (tags, reviews or selections), change (added or removed), item_id (of a verdict,
        what it is about) and value: the tag, the verdict, or the name of the selection.

    Raises:
        DataError: a file cannot be parsed.
    """
    before, after = ({*_rows(ws, dataset)} for ws in (old, new))
    changes = [("added", row) for row in after - before]
    changes += [("removed", row) for row in before - after]
    order = {name: number for number, name in enumerate(("tags", "reviews", "selections"))}
    listed = [(file, change, item, value) for change, (file, item, value) in changes]
    listed.sort(key=lambda row: (order[row[0]], row[2], row[3], row[1]))
    return pl.DataFrame(listed, CURATED, orient="row")


def counts(rows: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Return file -> number of rows that were added and that were removed."""
    names = rows["file"].unique(maintain_order=True)
    return {
        name: (
            len(rows.filter(file=name, change="added")),
            len(rows.filter(file=name, change="removed")),
        )
        for name in names
    }


def _rows(ws: Workspace, dataset: str) -> Iterator[tuple[str, str, str]]:
    for tagged in item_tags.FILE.read(ws.tags(dataset)):
        yield "tags", tagged.item_id, tagged.tag
    for key, value in doubts.FILE.read(ws.reviews(dataset)).items():
        note = f" ({value.note})" if value.note else ""
        other = f" and {key.other}" if key.other else ""
        yield "reviews", key.path, f"{key.name}{other}: {value.verdict}{note} [{key.id[:8]}]"
    for name, path in selection_files(ws, dataset).items():
        for chosen in item_selections.FILE.read(path):
            yield "selections", chosen.item_id, name
