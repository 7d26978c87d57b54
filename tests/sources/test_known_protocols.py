"""The protocols of known data sets score their items: perfect vectors have the value 1."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import likewise
from known_miniatures import miniatures
from likewise.sources import SOURCES
from likewise.sources.known import known_datasets
from likewise.sources.known.layout_choice import choose_layout

MINIATURES = miniatures()
QUERIES = [(key, name) for key, one in MINIATURES.items() for name in one.queries]
"""Miniatures and their protocols."""


def with_twins(items: pl.DataFrame) -> pl.DataFrame:
    """Add a twin of each item: of its label and split, with the other role and camera."""
    other = {"query": "gallery", "gallery": "query"}
    ids = {name: pl.col(name) + "'" for name in ("item_id", "image_id")}
    twins = items.with_columns(**ids, role=pl.col("role").replace(other))
    if "camera" in items.columns:
        items = items.with_columns(pl.col("camera").cast(pl.String))
        twins = twins.with_columns(pl.concat_str("camera", pl.lit("'")))
    return pl.concat([items, twins])


@pytest.mark.parametrize(("key", "protocol"), QUERIES)
def test_perfect_vectors_have_the_value_one(key: str, protocol: str, tmp_path: Path) -> None:
    name = key.partition("/")[0]
    folder = MINIATURES[key].write(tmp_path / "data")
    choice = choose_layout(name, known_datasets()[name], folder)
    assert choice.protocols is not None
    assert protocol in choice.protocols
    source = SOURCES.build(choice.source, "source")
    items = with_twins(source.read(source.open(folder), folder).items)
    labels = items["label"].to_list()
    number = {label: n for n, label in enumerate(sorted(set(labels), key=str))}
    vectors = np.eye(len(number), dtype=np.float32)[[number[label] for label in labels]]
    result = likewise.score(protocol, embeddings=vectors, items=items)
    scored = result.queries.filter(pl.col("value").is_not_null())
    assert next(iter(result.metrics.values())) == 1
    assert scored["value"].to_list() == [1.0] * len(scored)
    assert len(scored) == MINIATURES[key].queries[protocol]
