"""Rows of tags, verdicts and selections that only one of two versions has."""

from likewise.catalogue import doubts, item_selections, item_tags
from likewise.catalogue.item_selections import selection_files
from likewise.storage.workspace import Workspace


def curated_changes(old: Workspace, new: Workspace, dataset: str) -> dict[str, tuple[int, int]]:
    """Count the rows that only the new and only the old version has, where any differ.

    Raises:
        DataError: a file cannot be parsed.
    """
    before, after = _rows(old, dataset), _rows(new, dataset)
    counts = {
        name: (len(rows - before[name]), len(before[name] - rows))
        for name, rows in after.items()
    }
    return {name: pair for name, pair in counts.items() if any(pair)}


def _rows(ws: Workspace, dataset: str) -> dict[str, set[object]]:
    chosen = {
        (name, key.item_id)
        for name, path in selection_files(ws, dataset).items()
        for key in item_selections.FILE.read(path)
    }
    return {
        "tags": {*item_tags.FILE.read(ws.tags(dataset))},
        "reviews": {*doubts.FILE.read(ws.reviews(dataset)).items()},
        "selections": {*chosen},
    }
