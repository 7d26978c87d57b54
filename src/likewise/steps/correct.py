"""Correct values of items without changing the source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from likewise.catalogue import corrections
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.corrections import Key, Value
from likewise.errors import DataError, bounded, hint
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, journal, tables, versions


@dataclass(frozen=True)
class Corrected:
    """Result of a correction.

    Attributes:
        dataset: name of the data set.
        file: path of the corrections, relative to the root of the catalogue.
        changed: number of values that changed.
        corrections: number of corrections in the file.
        new_label: the corrected label, if no item has it yet; it may be a typing error.
        nearest_label: the existing label that is most similar to ``new_label``.
    """

    dataset: str
    file: str
    changed: int
    corrections: int
    new_label: str | None = None
    nearest_label: str | None = None


def correct(
    dataset: str,
    items: Sequence[str],
    values: Mapping[str, str | None],
    *,
    workspace: StrPath | None = None,
) -> Corrected:
    """Replace values of ``items`` that are wrong in the source.

    The corrections are written to ``catalog/<dataset>/corrections.csv``, which can also be
    edited by hand. Run ``dvc repro`` to publish and evaluate with them; it needs neither the
    source nor the images. A corrected label also sets the text of that label, if other items
    have it. Setting a value back to that of the source removes its correction.

    Args:
        dataset: name of the data set.
        items: ids of the items to correct.
        values: column -> correct value, None for an empty one; the same for all ``items``.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: no such item or column, or the column is ``box``: correct boxes in the
            source.
        MissingArtefactError: the data set was not ingested.

    Example:
        The label and its text change:

        >>> likewise.correct("emoji", ["0_znoto.jpg"], {"label": "1000"})
        Corrected(dataset='emoji', file='catalog/emoji/corrections.csv', changed=2,
                  corrections=2, new_label=None, nearest_label=None)
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    path = versions.locate(ws, ws.table(dataset, "items"))
    table = tables.open_table(path, artefacts.table(ws, dataset, "items").command)
    for column in values:
        corrections.check_column(column, table.schema.names)
    values = _with_text(table, values)
    columns = list(dict.fromkeys(("item_id", *values)))
    current = table.read(columns).filter(pl.col("item_id").is_in(list(items)))
    absent = sorted(set(items) - set(current["item_id"]))
    if absent:
        known = table.read(["item_id"])["item_id"]
        what = f"{dataset} has no item {bounded(absent, len(absent))}"
        raise DataError(f"{what}; {hint(absent[0], known)}")
    with journal.exclusive_job(ws, f"correct-{dataset}"):
        file = ws.corrections(dataset)
        before = corrections.read(file)
        after = dict(before)
        for column, value in values.items():
            for item, own in current.select(
                "item_id", pl.col(column).cast(pl.String)
            ).iter_rows():
                if own == value:
                    after.pop(Key(item, column), None)
                else:
                    after[Key(item, column)] = Value(value, own)
        corrections.apply_corrections(
            current, after, ws.relative(file)
        )  # raises if a value does not fit its column
        corrections.write(file, after)
    changed = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    label = _new_label(table, values, before)
    near = (
        get_close_matches(label, table.read(["label"])["label"].drop_nulls().unique(), 1)
        if label
        else []
    )
    return Corrected(
        dataset, ws.relative(file), len(changed), len(after), label, next(iter(near), None)
    )


def _new_label(
    table: tables.Table, values: Mapping[str, str | None], before: Mapping[Key, Value]
) -> str | None:
    """Return the label in ``values`` if neither the source nor a correction has it yet."""
    label = values.get("label")
    corrected = {value.value for key, value in before.items() if key.column == "label"}
    if label is None or label in corrected:
        return None
    return None if (table.read(["label"])["label"] == label).any() else label


def _with_text(
    table: tables.Table, values: Mapping[str, str | None]
) -> Mapping[str, str | None]:
    """Return ``values``; if they set a label, also with the text of that label."""
    if "label" not in values or "text" in values:
        return values
    classes = table.read(["label", "text"]).unique(maintain_order=True)
    if values["label"] is None:  # one text per label: it is removed with the label
        same = classes["label"].n_unique() == len(classes)
        return {**values, "text": None} if same else values
    texts = classes.filter(pl.col("label") == values["label"])["text"]
    return {**values, "text": texts[0]} if len(texts) == 1 else values
