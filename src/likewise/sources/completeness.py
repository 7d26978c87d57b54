"""Compare the items of a data set with its published counts."""

from collections.abc import Iterator

import polars as pl

from likewise.formats.counted_nouns import counted
from likewise.sources.base import findings_from_rows
from likewise.storage.config import ExpectedCounts


def count_differences(
    items: pl.DataFrame, counts: ExpectedCounts
) -> list[tuple[str, str, str]]:
    """Return finding rows about counts of ``items`` that differ from the published ones.

    Fewer than published is ``incomplete``, more is ``surplus``.

    Example:
        >>> items = pl.DataFrame({"image_id": ["a", "b"], "label": ["x", "x"]})
        >>> count_differences(items, ExpectedCounts(items=3, labels=1))
        [('items', 'incomplete', '2 of 3 items')]
    """
    rows = []
    for what, noun, present, expected in _counts(items, counts):
        if present < expected:
            rows.append((what, "incomplete", f"{present:,} of {counted(expected, noun)}"))
        elif present > expected:
            detail = f"{counted(present, noun)}, {expected:,} are published"
            rows.append((what, "surplus", detail))
    return rows


def difference_findings(items: pl.DataFrame, counts: ExpectedCounts) -> pl.DataFrame:
    """Return findings about counts of ``items`` that differ from the published ones."""
    return findings_from_rows(count_differences(items, counts))


def _counts(items: pl.DataFrame, counts: ExpectedCounts) -> Iterator[tuple[str, str, int, int]]:
    """Yield the subject, a noun, the present and the published number of each count."""
    if counts.images is not None:
        yield "images", "image", items["image_id"].n_unique(), counts.images
    if counts.items is not None:
        yield "items", "item", len(items), counts.items
    if counts.labels is not None:
        yield "labels", "label", items["label"].drop_nulls().n_unique(), counts.labels
    for column, group in (
        ("split", counts.splits),
        ("role", counts.roles),
        ("subset", counts.subsets),
    ):
        present = dict(items[column].value_counts().iter_rows()) if group else {}
        for value, expected in group.items():
            yield f"{column} {value}", "item", present.get(value, 0), expected
