"""Names of classes, as a text tower reads them."""

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.counted_nouns import counted

Names: TypeAlias = Mapping[str, str] | Literal["label", "text"] | None
"""label -> name; or where names come from; None: the text of a label if it has one."""


def class_names(labels: list[str], rows: pl.DataFrame, names: Names) -> list[str]:
    """Return the name of every label.

    Args:
        labels: distinct labels.
        rows: label and text of the items.
        names: a name for every label; ``text``, the text that all items of the label share;
            ``label``, the label with ``_`` as a space; None, the text if all items of the label
            share one, else the label.

    Raises:
        DataError: a label has no name, or several.
    """
    if isinstance(names, Mapping):
        absent = [label for label in labels if not names.get(label, "").strip()]
        if absent:
            raise DataError(
                f"names: {len(absent):,} of {counted(len(labels), 'label', 'has', 'have')} no "
                f"name: {bounded(absent, len(absent))}"
            )
        return [names[label] for label in labels]
    spoken = [label.replace("_", " ").strip() or label for label in labels]
    if names == "label":
        return spoken
    texts = _common_texts(rows)
    if names == "text":
        absent = [label for label in labels if label not in texts]
        if absent:
            raise DataError(
                "names: text needs one text for all items of a label; these labels have none "
                f"or several: {bounded(absent, len(absent))}"
            )
    return [texts.get(label, name) for label, name in zip(labels, spoken, strict=True)]


def name_notes(labels: list[str], names: list[str], rows: pl.DataFrame) -> Iterator[str]:
    """Describe where the names of classes come from, and names that are not unique."""
    texts = _common_texts(rows)
    used = sum(texts.get(label) == name for label, name in zip(labels, names, strict=True))
    yield f"names of classes: {used:,} of {len(labels):,} are the text of the label"
    seen = pl.Series(names)
    twice = seen.filter(seen.is_duplicated()).unique().sort().to_list()
    if twice:
        yield (
            f"{counted(len(twice), 'name', 'belongs', 'belong')} to several classes, of which "
            f"the first by label is predicted: {bounded(twice, len(twice))}"
        )


def _common_texts(rows: pl.DataFrame) -> dict[str, str]:
    """Return label -> the text that all its items share; labels without one are left out."""
    if "text" not in rows.columns:
        return {}
    known = rows.filter(pl.col("label").is_not_null()).group_by("label")
    texts = known.agg(pl.col("text").n_unique().alias("count"), pl.col("text").first())
    shared = texts.filter(pl.col("count") == 1, pl.col("text").str.strip_chars() != "")
    return dict(shared.select("label", "text").iter_rows())
