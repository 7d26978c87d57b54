"""List the likely wrong labels of a data set."""

import shlex
from dataclasses import dataclass, field

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.corrections import correct_items
from likewise.catalogue.suspicious_labels import judge_labels
from likewise.errors import UnknownNameError
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.pages.written import write_page
from likewise.steps.suspects.suspects_page import SHOWN, suspects_page
from likewise.storage import artefacts, tables, timings, versions
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Suspects:
    """The likely wrong labels of a data set, the most doubtful first.

    Attributes:
        dataset: name of the data set.
        model: model whose vectors were compared.
        rows: one row per suspect: item_id, label, suggested (the label with most votes of the
            neighbours), quality (0 to 1, low is doubtful), outvoted (more neighbours vote for
            the suggested label), confident (found by confident learning), neighbours (item_id,
            label and cosine of the nearest items of other content), and command (the line that
            corrects the label; null if a name has a character that no command line can hold).
        judged: number of items whose label was judged.
        unlabelled: number of items without a label, which neither vote nor are judged.
        alone: number of items that are the only content of their label.
    """

    dataset: str
    model: str
    rows: pl.DataFrame
    judged: int
    unlabelled: int
    alone: int
    ws: Workspace = field(repr=False, compare=False)

    def __len__(self) -> int:
        """Return the number of suspects."""
        return len(self.rows)

    def to_html(self, path: StrPath, *, most: int = SHOWN) -> None:
        """Write a page with the pictures of the suspects, each next to its neighbours.

        The page is self-contained: it needs no other file and no network.

        Args:
            path: the file to write.
            most: maximum number of suspects.

        Raises:
            MissingArtefactError: the data set was not ingested.
            DataError: the file cannot be written.
        """
        summary = f"{self._summary} by the vectors of {self.model}"
        names = _names(self.ws, self.dataset)
        write_page(path, suspects_page(self.ws, self.dataset, summary, self.rows, most, names))

    def _repr_html_(self) -> str:
        columns = ("item_id", "label", "suggested", "quality")
        rows = self.rows.select(columns).head(SHOWN).iter_rows()
        title = notebook.heading(f"{self.dataset}: labels against the vectors of {self.model}")
        return title + notebook.paragraph(self._summary) + notebook.table(columns, rows)

    @property
    def _summary(self) -> str:
        return (
            f"{len(self.rows):,} of {counted(self.judged, 'judged label', 'is', 'are')} "
            "doubtful"
        )


def suspects(
    dataset: str, model: str, *, index: str = "exact", workspace: StrPath | None = None
) -> Suspects:
    """List the items of ``dataset`` whose labels the vectors of ``model`` contradict.

    The ten nearest items of other content vote for their labels, weighted by cosine. A label is
    a suspect if another one has more votes, or if confident learning counts the item in another
    class. Labels of the lowest quality come first. Corrections are applied before. Nothing is
    changed: every suspect has the command that corrects it.

    An item without a label does not vote. Items of one content do not vote for each other, and
    may have several labels, of which none is suggested for another. A label that no other
    content has cannot be judged.

    Sources: Zhu, Dong, Liu, Detecting Corrupted Labels Without Training a Model to Predict,
    ICML 2022 (arXiv:2110.06283); Northcutt, Jiang, Chuang, Confident Learning, JAIR 70, 2021
    (arXiv:1911.00068).

    Args:
        dataset: name of the data set.
        model: a model that embeds it.
        index: index of params.yaml that searches the neighbours.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set, model or index.
        MissingArtefactError: the data set was not ingested, or not embedded by the model.
        DataError: no two distinct pictures have the same label.

    Example:
        >>> doubtful = likewise.suspects("emoji", "tiny")
        >>> doubtful.judged, len(doubtful) == len(doubtful.rows)
        (23, True)
        >>> doubtful.rows.columns[:4]
        ['item_id', 'label', 'suggested', 'quality']
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    vectors = artefacts.embeddings(ws, dataset, model)
    entries = {"exact": {"kind": "exact"}, **ws.params.indexes}
    if index not in entries:
        ws.params.refuse_broken(index, ("indexes",))
        raise UnknownNameError("index", index, entries, "params.yaml")
    items = correct_items(ws, dataset, _items(ws, dataset))
    table = tables.open_table(versions.locate(ws, vectors.path), vectors.command)
    with timings.measured(ws, f"suspects-{dataset}-{model}") as watch:
        judged = judge_labels(items, table, entries[index], ws.params.memory, vectors.command)
        watch.units = len(items)
    commands = [
        correction(dataset, item, label)
        for item, label in judged.suspects.select("item_id", "suggested").iter_rows()
    ]
    rows = judged.suspects.drop("image_id").with_columns(
        command=pl.Series(commands, dtype=pl.String)
    )
    return Suspects(dataset, model, rows, judged.judged, judged.unlabelled, judged.alone, ws)


def correction(dataset: str, item: str, label: str) -> str | None:
    """Return the command that gives an item a label.

    None if a name has a character that does not print: a terminal would not show it as it is.
    """
    words = ["likewise", "correct", f"--label={label}", "--", dataset, item]
    return shlex.join(words) if all(map(str.isprintable, words)) else None


def _names(ws: Workspace, dataset: str) -> dict[str, str]:
    """Return label -> text, of the labels whose items all have the same text."""
    made = artefacts.table(ws, dataset, "items")
    table = tables.open_table(versions.locate(ws, made.path), made.command)
    items = table.read(["label", "text"]).drop_nulls().unique()
    return dict(items.filter(pl.len().over("label") == 1).iter_rows())


def _items(ws: Workspace, dataset: str) -> pl.DataFrame:
    made = artefacts.table(ws, dataset, "items")
    table = tables.open_table(versions.locate(ws, made.path), made.command)
    return table.read(["item_id", "image_id", "content", "label"])
