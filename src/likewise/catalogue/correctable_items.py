"""The items of a data set as its source has them, for corrections of some of them."""

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import polars as pl

from likewise.catalogue.corrections import Corrections, Key
from likewise.errors import DataError, bounded, hint
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace


class CorrectableItems:
    """The ingested items; only the rows that are asked for are read.

    What the first correction reads is kept: the positions of all ids, and the texts of the
    labels. A page or a notebook corrects one value after another.
    """

    def __init__(self, table: tables.Table, dataset: str) -> None:
        """Read nothing yet."""
        self.table, self._dataset = table, dataset
        self._ids = tables.RowIndex(table, "item_id")

    def rows(self, items: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
        """Return ``item_id`` and ``columns`` of the items, each once, as the source has them.

        Raises:
            DataError: there is no such item; the error lists similar ids.
        """
        distinct = list(dict.fromkeys(items))
        self.check(distinct)
        positions = self._ids.positions(distinct)
        names = list(dict.fromkeys(("item_id", *columns)))
        return tables.read_at(self.table, positions.tolist(), names)

    def absent(self, items: Sequence[str]) -> list[str]:
        """Return those of ``items`` that the data set does not have."""
        positions = self._ids.positions(items)
        return [one for one, at in zip(items, positions, strict=True) if at == tables.NO_ROW]

    def check(self, items: Sequence[str]) -> None:
        """Refuse items that the data set does not have.

        Raises:
            DataError: there is no such item; the error lists similar ids.
        """
        if absent := sorted(self.absent(items)):
            known = self.table.read(["item_id"])["item_id"]
            what = f"{self._dataset} has no item {bounded(absent, len(absent))}"
            raise DataError(f"{what}; {hint(absent[0], known)}")

    @cached_property
    def labels(self) -> Mapping[str | None, list[str | None]]:
        """The labels, each with the texts that its items have."""
        pairs = self.table.read(["label", "text"]).unique(maintain_order=True)
        texts: dict[str | None, list[str | None]] = {}
        for label, text in pairs.iter_rows():
            texts.setdefault(label, []).append(text)
        return texts

    def text_of(self, label: str | None) -> tuple[bool, str | None]:
        """Return whether a label determines the text of its items, and that text."""
        if label is None:  # one text per label: it is removed with the label
            return all(len(texts) == 1 for texts in self.labels.values()), None
        texts = self.labels.get(label, [])
        return len(texts) == 1, texts[0] if texts else None


def open_correctable(ws: Workspace, dataset: str) -> CorrectableItems:
    """Open the present version of the items.

    Raises:
        MissingArtefactError: the data set was not ingested.
    """
    path = versions.locate(ws, ws.table(dataset, "items"))
    command = artefacts.table(ws, dataset, "items").command
    return _opened(path, command, dataset, tables.manifest_hash(path))


@lru_cache(maxsize=2)
def _opened(path: Path, command: str, dataset: str, version: str) -> CorrectableItems:
    """Open the table in ``path``; its ``version`` tells the states of the folder apart."""
    del version
    return CorrectableItems(tables.open_table(path, command), dataset)


def present_values(rows: pl.DataFrame, made: Corrections) -> dict[Key, str | None]:
    """Return the values of ``rows`` (item_id and columns) as texts, with corrections."""
    values: dict[Key, str | None] = {}
    for column in rows.columns[1:]:
        texts = rows.select("item_id", pl.col(column).cast(pl.String))
        for item, own in texts.iter_rows():
            correction = made.get(Key(item, column))
            values[Key(item, column)] = correction.value if correction else own
    return values
