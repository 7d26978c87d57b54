"""Give items tags, and take tags away."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from likewise.catalogue import item_tags
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.chosen_items import chosen_items
from likewise.catalogue.correctable_items import open_correctable
from likewise.catalogue.curated_table import refuse_own_column
from likewise.catalogue.item_tags import ItemTag, Tags, read_tags
from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.storage import journal
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Tagged:
    """The result of ``tag``: the tags of a data set.

    Attributes:
        dataset: name of the data set.
        file: path of the tags, relative to the root of the catalogue.
        changed: number of tags that items got or lost.
        tags: tag -> number of its items, most frequent first.
        unknown: items with tags that the data set does not have.
    """

    dataset: str
    file: str
    changed: int = 0
    tags: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def tag(
    dataset: str,
    items: Sequence[str] = (),
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    where: str | None = None,
    workspace: StrPath | None = None,
) -> Tagged:
    """Give items of ``dataset`` tags, take tags away, or count the tags there are.

    Tags are rows of ``catalog/<dataset>/tags.csv``, which git merges tag by tag. They are the
    list column ``tags`` of the data set at once, without ``dvc repro``:
    ``where="array_has(tags, 'blurred')"``. No stage depends on them.

    Args:
        dataset: name of a data set, or a view for the tags of its data set.
        items: ids of items. Without ``add`` and ``remove``, nothing is changed.
        add: tags that the items get: letters, digits, blanks and ``. : / + - _``.
        remove: tags that the items lose.
        where: an SQL condition; only items that meet it are changed. Without ``items``, all
            of them are.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: a tag has other characters, there is no such item, no items are given, the
            source has a column ``tags``, or the file of tags cannot be parsed.
        UnknownNameError: there is no such data set.
        MissingArtefactError: the data set was not ingested or, for ``where``, published.

    Example:
        >>> likewise.tag("emoji", where="label = '0'", add=["house"]).tags
        {'house': 5}
        >>> likewise.browse("emoji", where="array_has(tags, 'house')").total
        5
    """
    ws = open_workspace(workspace)
    ws.check_known(dataset)
    base = ws.params.base(dataset)
    added, removed = _names(add), _names(remove)
    if both := sorted(set(added) & set(removed)):
        raise DataError(f"the tag {both[0]!r} is added and removed; choose one")
    if not added and not removed:
        if items or where is not None:
            raise DataError("no tag is given; give tags to add or to remove")
        return _counted(ws, base, read_tags(ws, base), 0)
    with no_takedown(ws, base, f"tag-{base}"):
        refuse_own_column(open_correctable(ws, base).table.columns, item_tags.COLUMN, base)
        chosen = _items(ws, dataset, items, where, {} if added else read_tags(ws, base))
        with journal.exclusive_job(ws, f"tag-{base}"):
            before = read_tags(ws, base)
            after: Tags = {
                key: value
                for key, value in before.items()
                if key.tag not in removed or key.item_id not in chosen
            }
            after |= {ItemTag(item, name): () for item in chosen for name in added}
            if after != before:
                item_tags.FILE.write(ws.tags(base), after)
    return _counted(ws, base, after, len(before.keys() ^ after.keys()))


def _names(tags: Iterable[str]) -> list[str]:
    """Return valid tags.

    Raises:
        DataError: one of them is not valid.
    """
    if isinstance(tags, str):
        raise DataError(f"tags are the text {tags!r:.80}; give a list")
    names = list(dict.fromkeys(tags))
    for fault in filter(None, map(item_tags.tag_fault, names)):
        raise DataError(fault)
    return names


def _items(
    ws: Workspace, dataset: str, items: Sequence[str], where: str | None, known: Tags
) -> set[str]:
    """Return the ids of the items; those with ``known`` tags need not exist any more."""
    if items and where is None and not isinstance(items, str):
        tagged = {key.item_id for key in known}
        rest = [item for item in items if item not in tagged]
        open_correctable(ws, ws.params.base(dataset)).check(rest)
        return set(items)
    return set(chosen_items(ws, dataset, items, where))


def _counted(ws: Workspace, dataset: str, tags: Tags, changed: int) -> Tagged:
    """Count the items of each tag, and find items that the data set does not have."""
    counts = Counter(key.tag for key in tags)
    ordered = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    items = sorted({key.item_id for key in tags})
    unknown = open_correctable(ws, dataset).absent(items) if items else []
    return Tagged(dataset, ws.relative(ws.tags(dataset)), changed, ordered, unknown)
