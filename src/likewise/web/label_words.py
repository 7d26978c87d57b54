"""The words of labels: the column ``text``, where it has one value per label."""

from collections.abc import Mapping

import polars as pl

from likewise.web.shelf import Opened

_MOST = 100_000
"""Largest number of labels whose words are kept."""


def label_words(opened: Opened) -> Mapping[str, str]:
    """Return the words by label; empty if the texts are captions, which differ in a label."""
    if "words" not in opened.cache:
        opened.cache["words"] = _read(opened)
    known: Mapping[str, str] = opened.cache["words"]
    return known


def _read(opened: Opened) -> Mapping[str, str]:
    words: dict[str, str] = {}
    for batch in opened.dataset.table.scan(["label", "text"]):
        pairs = pl.DataFrame(pl.from_arrow(batch)).drop_nulls().unique()
        for label, text in pairs.iter_rows():
            if words.setdefault(label, text) != text or len(words) > _MOST:
                return {}
    return words
