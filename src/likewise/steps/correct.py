"""Correct items of a data set over what its source says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from likewise.catalogue import corrections
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.corrections import Key, Value
from likewise.errors import DataError, bounded, hint
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, journal, tables, versions


@dataclass(frozen=True)
class Corrected:
    """What was written: values that are another now, and how many corrections there are."""

    dataset: str
    file: str
    changed: int
    corrections: int


def correct(
    dataset: str,
    items: Sequence[str],
    values: Mapping[str, str | None],
    *,
    workspace: StrPath | None = None,
) -> Corrected:
    """Say that ``items`` have other ``values`` than the source: column -> value, None for none.

    They are written to ``catalog/<dataset>/corrections.csv``, which one may also edit by hand;
    ``dvc repro`` then publishes and evaluates anew, and needs neither the source nor a pixel.
    With a label comes its text, where other items of that label have one.
    A value that is the source's own takes its correction back.

    Raises:
        DataError: no such item or column, or a box, which is corrected in the source.
        MissingArtefactError: the data set was not ingested.
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    path = versions.locate(ws, ws.table(dataset, "items"))
    table = tables.open_table(path, artefacts.table(ws, dataset, "items").command)
    for column in values:
        corrections.check_column(column, table.schema.names)
    values = _with_text(table, values)
    columns = list(dict.fromkeys(("item_id", *values)))
    said = table.read(columns).filter(pl.col("item_id").is_in(list(items)))
    absent = sorted(set(items) - set(said["item_id"]))
    if absent:
        known = table.read(["item_id"])["item_id"]
        what = f"{dataset} has no item {bounded(absent, len(absent))}"
        raise DataError(f"{what}; {hint(absent[0], known)}")
    with journal.exclusive_job(ws, f"correct-{dataset}"):
        file = ws.corrections(dataset)
        before = corrections.read(file)
        after = dict(before)
        for column, value in values.items():
            for item, own in said.select("item_id", pl.col(column).cast(pl.String)).iter_rows():
                if own == value:
                    after.pop(Key(item, column), None)
                else:
                    after[Key(item, column)] = Value(value, own)
        corrections.put_over(said, after, ws.relative(file))  # a value that fits no column
        corrections.write(file, after)
    changed = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    return Corrected(dataset, ws.relative(file), len(changed), len(after))


def _with_text(
    table: tables.Table, values: Mapping[str, str | None]
) -> Mapping[str, str | None]:
    """``values``, and where a label is among them the text that goes with it."""
    if "label" not in values or "text" in values:
        return values
    classes = table.read(["label", "text"]).unique(maintain_order=True)
    if values["label"] is None:  # a text that is its class's goes with the class
        same = classes["label"].n_unique() == len(classes)
        return {**values, "text": None} if same else values
    texts = classes.filter(pl.col("label") == values["label"])["text"]
    return {**values, "text": texts[0]} if len(texts) == 1 else values
