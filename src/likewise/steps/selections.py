"""List the selections of a data set."""

from dataclasses import dataclass

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.item_selections import read_selection, selection_files
from likewise.formats.paths import StrPath
from likewise.storage import tables


@dataclass(frozen=True)
class SelectionFacts:
    """A selection.

    Attributes:
        name: its name.
        file: its path, relative to the root of the catalogue.
        items: number of its items.
        unknown: number of its items that the published table does not have.
    """

    name: str
    file: str
    items: int
    unknown: int


def selections(
    dataset: str, *, rev: str | None = None, workspace: StrPath | None = None
) -> list[SelectionFacts]:
    """List the selections of ``dataset`` by name; see ``select``.

    Args:
        dataset: name of the data set.
        rev: a git revision: list the selections of that revision.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: a file cannot be parsed; the line is named.
        UnknownNameError: there is no such data set.

    Example:
        >>> _ = likewise.select("emoji", "houses", where="label = '0'")
        >>> likewise.selections("emoji")
        [SelectionFacts(name='houses', file='catalog/emoji/selections/houses.csv', items=5,
                        unknown=0)]
    """
    ws = open_workspace(workspace, rev=rev, dataset=dataset)
    ws.check_known(dataset)
    files = selection_files(ws, dataset)
    if not files:
        return []
    published = Dataset(ws, ws.params.base(dataset)).published
    ids = None
    if tables.exists(published):
        ids = tables.RowIndex(tables.open_table(published), "item_id")
    facts = []
    for name, path in files.items():
        items = read_selection(ws, dataset, name)
        unknown = int((ids.positions(items) == tables.NO_ROW).sum()) if ids else 0
        facts.append(SelectionFacts(name, ws.relative(path), len(items), unknown))
    return facts
