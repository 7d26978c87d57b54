"""The protocols of known data sets score perfect vectors, and vectors with an error."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import likewise
from known_miniatures import miniatures
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.ilias_text import IliasText
from likewise.evaluation.protocols.instances import Ilias
from likewise.evaluation.protocols.knn import Knn
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.text_protocol import TextProtocol
from likewise.formats.array_types import Float32Array
from likewise.sources import SOURCES
from likewise.sources.known import known_datasets
from likewise.sources.known.layout_choice import choose_layout
from planted_errors import AP, plant, value

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


def read(key: str, folder: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the items of a miniature, and the protocols of its data set."""
    name = key.partition("/")[0]
    place = MINIATURES[key].write(folder / "data")
    choice = choose_layout(name, known_datasets()[name], place)
    source = SOURCES.build(choice.source, "source")
    items = source.read(source.open(choice.path), choice.annotations).items
    protocols = choice.protocols if choice.protocols is not None else source.runs(items)
    return items, [*protocols]


@pytest.mark.parametrize(("key", "protocol"), QUERIES)
def test_perfect_vectors_have_the_value_one(key: str, protocol: str, tmp_path: Path) -> None:
    items, protocols = read(key, tmp_path)
    assert protocol in protocols
    items = with_twins(items)
    labels = items["label"].to_list()
    number = {label: n for n, label in enumerate(sorted(set(labels), key=str))}
    vectors = np.eye(len(number), dtype=np.float32)[[number[label] for label in labels]]
    result = likewise.score(protocol, embeddings=vectors, items=items)
    scored = result.queries.filter(pl.col("value").is_not_null())
    assert next(iter(result.metrics.values())) == 1
    assert scored["value"].to_list() == [1.0] * len(scored)
    assert len(scored) == MINIATURES[key].queries[protocol]


def first_query(protocol: Retrieval, items: pl.DataFrame) -> dict[str, Any]:
    """Return the first item that the protocol takes as a query, with a label that it knows."""
    spec = protocol.task_spec
    if spec.labels:
        items = items.with_columns(label=pl.lit(spec.labels[0]))
    return items.row(int(protocol.query_sets(items).queries[0]), named=True)


@pytest.mark.parametrize("key", MINIATURES)
def test_one_planted_error_has_its_value_by_hand(key: str, tmp_path: Path) -> None:
    """The nearest item of a query is wrong, and the next two are right."""
    items, protocols = read(key, tmp_path)
    for kind in protocols:
        protocol = PROTOCOLS.build({"kind": kind}, key)
        if isinstance(protocol, Retrieval):
            check_ranking(protocol, items)
        elif isinstance(protocol, TextProtocol):
            check_texts(protocol, items)
        else:
            assert isinstance(protocol, Knn)
            check_neighbours(protocol, items)


def check_ranking(protocol: Retrieval, items: pl.DataFrame) -> None:
    spec = protocol.task_spec
    query = first_query(protocol, items)
    vectors, rows = plant(spec, query, items.filter(pl.col("item_id") != query["item_id"]))
    result = likewise.score(protocol.name, embeddings=vectors, items=rows)
    (scored,) = result.queries.filter(item_id=query["item_id"]).to_dicts()
    assert scored["value"] == pytest.approx(value(spec, spec.metric))
    for metric in spec.further_metrics:
        assert scored[metric] == pytest.approx(value(spec, metric)), metric


def unit(degrees: list[float]) -> Float32Array:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def check_texts(protocol: TextProtocol, items: pl.DataFrame) -> None:
    if isinstance(protocol, IliasText):
        query = items.filter(pl.col("text").is_not_null()).row(0, named=True)
        vectors, rows = plant(Ilias.spec, query, items.filter(role="gallery"))
        result = protocol.evaluate_texts(vectors, unit([0]), rows)
        assert result.unrounded["mAP@1k"] == pytest.approx(100 * AP)
        return
    captioned = items.filter(pl.col("text").is_not_null())
    tested = captioned.filter(pl.col("split").is_in(["test", "val"]))
    image = (captioned if tested.is_empty() else tested).row(0, named=True)
    other = image | {"item_id": "wrong", "image_id": "wrong", "text": "wrong"}
    other |= {"captions": ["wrong"]} if "captions" in image else {}
    rows = pl.DataFrame([image, other], schema=items.schema, orient="row")
    rows = rows.with_columns(content="image_id")
    texts = protocol.texts(rows)
    # The images are at 0 and 90 degrees. The first text of the first image is near the other.
    degrees = [80.0, *[10.0] * (len(texts) - 2), 85.0]
    result = protocol.evaluate_texts(unit([0, 90]), unit(degrees), rows)
    right = len(texts) - 1
    assert result.unrounded["text-to-image recall@1"] == pytest.approx(right / len(texts))
    assert result.unrounded["image-to-text recall@1"] == (1 + 1) / 2


def check_neighbours(protocol: Knn, items: pl.DataFrame) -> None:
    test = items.filter(split="test").row(0, named=True)
    train = items.filter(split="train").row(0, named=True) | {"label": test["label"]}
    met = [test, test, train | {"label": "another"}, train, train]
    rows = [row | {"item_id": f"i{n}", "image_id": f"i{n}"} for n, row in enumerate(met)]
    # The first test item is 1 degree from a wrong item and 40 from a right one.
    vectors = unit([0, 180, 1, 40, 179])
    frame = pl.DataFrame(rows, schema=items.schema, orient="row")
    result = likewise.score(protocol.name, embeddings=vectors, items=frame)
    assert result.metrics["accuracy"] == (0 + 1) / 2
