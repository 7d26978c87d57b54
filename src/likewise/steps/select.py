"""Keep items as a named selection."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from likewise.catalogue import item_selections
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.chosen_items import chosen_items
from likewise.catalogue.curated_table import refuse_own_column
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.doubts import read_doubted
from likewise.catalogue.item_selections import SelectedItem
from likewise.errors import DataError
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.retrieval.selection_filter import COLUMN, check_name
from likewise.storage import journal, tables
from likewise.storage.takedown_lock import no_takedown

MOST_ITEMS = 1_000_000
"""Largest number of items of a selection, which git stores as a text."""


@dataclass(frozen=True)
class Selected:
    """The result of ``select``.

    Attributes:
        dataset: name of the data set.
        name: name of the selection.
        file: its path, relative to the root of the catalogue.
        items: number of its items.
        added: number of items that it did not have before.
        removed: number of items that it does not have any more.
    """

    dataset: str
    name: str
    file: str
    items: int
    added: int
    removed: int


def select(
    dataset: str,
    name: str,
    items: Sequence[str] = (),
    *,
    where: str | None = None,
    without: Collection[str] = (),
    workspace: StrPath | None = None,
) -> Selected:
    """Keep items of ``dataset`` as the selection ``name``, a text in git.

    A selection is the list of the items that meet the condition now, so it has the same items
    in every version; ``select`` with the same name replaces it. Searches, ``browse`` and
    ``export`` use it as ``selection="NAME"``; an entry of ``selected`` in params.yaml makes a
    view of it.

    Args:
        dataset: name of a data set, or a view: the selection is one of its data set.
        name: name of the selection: lower-case letters, digits, ``_`` and ``-``.
        items: ids of items; by default all that meet ``where``.
        where: an SQL condition, which may use ``tags`` and ``selections``.
        without: flags of the last check; items with one of them are left out, unless the
            verdict of ``review`` on it is ``kept`` or ``wrong``.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: no item is selected, or too many; the name or the condition is not valid.
        UnknownNameError: there is no such data set, item or flag.
        MissingArtefactError: the data set was not published or, for ``without``, checked.

    Example:
        >>> likewise.select("emoji", "houses", where="label = '0'")
        Selected(dataset='emoji', name='houses', file='catalog/emoji/selections/houses.csv',
                 items=5, added=5, removed=0)
        >>> likewise.browse("emoji", selection="houses").total
        5
    """
    ws = open_workspace(workspace)
    ws.check_known(dataset)
    check_name(name)
    base = ws.params.base(dataset)
    with no_takedown(ws, base, f"select-{base}"):
        columns = tables.open_table(Dataset(ws, base).published).columns
        refuse_own_column(columns, COLUMN, base)
        flagged = read_doubted(ws, dataset, without) if without else None
        chosen = chosen_items(ws, dataset, items, where, flagged)
        if not chosen:
            raise DataError(f"no item of {dataset} is selected; give another condition")
        if len(chosen) > MOST_ITEMS:
            raise DataError(
                f"{counted(len(chosen), 'item', 'is', 'are')} selected; git keeps at most "
                f"{MOST_ITEMS:,} of a selection; make a view of the condition: section "
                "filtered of params.yaml"
            )
        path = ws.selection(base, name)
        with journal.exclusive_job(ws, f"select-{base}"):
            before = item_selections.FILE.read(path)
            after = {SelectedItem(item): () for item in chosen}
            if after != before:
                item_selections.FILE.write(path, after)
    added, removed = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    return Selected(base, name, ws.relative(path), len(after), added, removed)
