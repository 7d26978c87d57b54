"""Tags, verdicts and selections without the forgotten items."""

from collections.abc import Iterator
from pathlib import Path

from likewise.catalogue import doubts, item_selections, item_tags
from likewise.catalogue.takedowns import Record
from likewise.storage.workspace import Workspace


def records_without(ws: Workspace, dataset: str, record: Record) -> Iterator[tuple[Path, str]]:
    """Yield the files that name items of ``record``, each with its text without them.

    Verdicts on copies of the items in other data sets name them, too.

    Raises:
        DataError: a file cannot be parsed.
    """
    items, ids = record.items, record.items | record.images
    tags = item_tags.FILE.read(ws.tags(dataset))
    rest = {key: value for key, value in tags.items() if key.item_id not in items}
    if len(rest) < len(tags):
        yield ws.tags(dataset), item_tags.FILE.text(rest)
    for path in item_selections.selection_files(ws, dataset).values():
        chosen = item_selections.FILE.read(path)
        left = {key: value for key, value in chosen.items() if key.item_id not in items}
        if len(left) < len(chosen):
            yield path, item_selections.FILE.text(left)
    for other in ws.params.datasets:
        verdicts = doubts.FILE.read(ws.reviews(other))
        kept = {
            key: value
            for key, value in verdicts.items()
            if not (other == dataset and key.path in ids)
            and not ((key.other_dataset or other) == dataset and key.other in ids)
        }
        if len(kept) < len(verdicts):
            yield ws.reviews(other), doubts.FILE.text(kept)
