"""Protocols agree with the arithmetic of the official scripts, to 1e-6.

Each reference is written here from the formula of its script, whose repository is named; no
code is copied. Vectors are 16 signs: all norms are 4 and all products exact, so that many
scores tie. The references break ties as the protocols do, in the order of the gallery.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.sketch_category import (
    SKETCHY_21,
    SKETCHY_25,
    TU_BERLIN_30,
)

Flags = npt.NDArray[np.bool_]
QUERIES, GALLERY = 24, 260


def signs(count: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.choice([-1, 1], (count, 16)).astype(np.float32)


def evaluated(kind: str, rows: pl.DataFrame, seed: int = 0) -> Evaluation:
    vectors = signs(len(rows), seed)
    return PROTOCOLS.build({"kind": kind}, "here").evaluate_vectors(vectors, rows)


def frame(**columns: Any) -> pl.DataFrame:
    """Make ``QUERIES`` queries and then ``GALLERY`` items of the gallery."""
    count = QUERIES + GALLERY
    defaults = {
        "item_id": [f"i{row:03d}" for row in range(count)],
        "label": [f"l{row % 5}" for row in range(count)],
        "subset": [None] * count,
        "split": ["test"] * count,
        "role": ["query"] * QUERIES + ["gallery"] * GALLERY,
    }
    text = dict.fromkeys(("subset", "label", "split", "role"), pl.String)
    return pl.DataFrame({**defaults, **columns}, schema_overrides=text)


def rankings(
    rows: pl.DataFrame, ranked: Callable[[int], Flags], seed: int = 0
) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Yield every query row with the rows that it ranks, best first.

    Args:
        rows: the items.
        ranked: query row -> (n,) which items it ranks.
        seed: seed of the vectors.
    """
    vectors = signs(len(rows), seed).astype(np.float64)
    for query in np.flatnonzero(rows["role"] == "query"):
        scores = vectors @ vectors[query]
        order = np.argsort(-scores, kind="stable")
        yield int(query), order[ranked(int(query))[order]]


def relevances(rows: pl.DataFrame, seed: int = 0) -> list[Flags]:
    """Return for every query which items of its ranking of the gallery have its label."""
    gallery, labels = (rows["role"] == "gallery").to_numpy(), rows["label"].to_numpy()
    return [labels[o] == labels[q] for q, o in rankings(rows, lambda _: gallery, seed)]


def interpolated(relevant: Flags, top: int | None = None) -> float:
    """Compute average precision as SAKE and ZSE-SBIR (MIT) do: eval_AP_inner, voc_eval.

    github.com/qliu24/SAKE, github.com/buptLinfy/ZSE-SBIR.
    """
    total = relevant.sum() if top is None else min(top, relevant.sum())
    area = best = 0.0
    for rank in range(len(relevant[:top]), 0, -1):
        if relevant[rank - 1]:
            best = max(best, relevant[:rank].sum() / rank)
            area += best / total
    return area


def precise(relevant: Flags, top: int) -> float:
    """Compute average precision at 200 as SEM-PCYC (MIT) does: apsak, by scikit-learn.

    github.com/AnjanDutta/sem-pcyc.
    """
    metrics = pytest.importorskip("sklearn.metrics")
    first = relevant[:top]
    return float(metrics.average_precision_score(first, -np.arange(len(first)))) * first.any()


def test_category_level_sketch_retrieval() -> None:
    rare = ["rare"] * 2 + ["l0"] * (QUERIES - 2) + ["rare"] + ["l0"] * (GALLERY - 1)
    for rows in (frame(), frame(label=rare)):
        result, relevant = evaluated("sketch-category", rows), relevances(rows)
        expected = {
            "mAP@all": np.mean([precise(one, len(one)) for one in relevant]),
            "precision@100": np.mean([one[:100].mean() for one in relevant]),
            "precision@200": np.mean([one[:200].mean() for one in relevant]),
            "ap-hits@200": np.mean([precise(one, 200) for one in relevant]),
            "ap-interpolated": np.mean([interpolated(one) for one in relevant]),
            "ap-interpolated@200": np.mean([interpolated(one, 200) for one in relevant]),
            "mmp@100": np.mean([one[: min(100, one.sum())].mean() for one in relevant]),
            "mmp@200": np.mean([one[: min(200, one.sum())].mean() for one in relevant]),
        }
        for name, value in expected.items():
            assert result.unrounded[name] == pytest.approx(value, abs=1e-6), name


def test_the_definitions_of_map_at_200_differ_by_hand() -> None:
    # One query ranks 1, 0, 1, 1, 0, and three of the four relevant items are in the first 4.
    rows = pl.DataFrame(
        {
            "item_id": ["q", "a", "b", "c", "d", "e", "f"],
            "label": ["x", "x", "y", "x", "x", "y", "x"],
            "subset": None,
            "split": None,
            "role": ["query", *["gallery"] * 6],
        },
        schema_overrides={"subset": pl.String, "split": pl.String},
    )
    radians = np.radians([0, 1, 2, 3, 4, 5, 6])
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1)
    protocol = PROTOCOLS.build({"kind": "sketch-category"}, "here")
    result = protocol.evaluate_vectors(vectors, rows)
    # Precisions at the relevant ranks 1, 3, 4, 6: 1, 2/3, 3/4, 4/6.
    plain = (1 + 2 / 3 + 3 / 4 + 4 / 6) / 4
    assert result.unrounded["mAP@all"] == pytest.approx(plain)
    # From rank 3 on, the largest precision is 3/4; the last stays 4/6.
    assert result.unrounded["ap-interpolated"] == pytest.approx((1 + 3 / 4 + 3 / 4 + 4 / 6) / 4)
    assert result.unrounded["precision@100"] == pytest.approx(4 / 100)
    assert result.unrounded["mmp@100"] == pytest.approx((1 + 0 + 1 + 1) / 4)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("sketchy-zero-shot-25", SKETCHY_25),
        ("sketchy-zero-shot-21", SKETCHY_21),
        ("tu-berlin-zero-shot-30", TU_BERLIN_30),
    ],
)
def test_zero_shot_splits_take_their_classes(kind: str, labels: tuple[str, ...]) -> None:
    assert len(set(labels)) == int(kind.rpartition("-")[2])
    # Other spellings are the same classes; other classes are neither queries nor gallery.
    spelled = [labels[0], labels[1].upper(), labels[-1].replace("_", " "), "no such class"]
    names = [spelled[row % 4] for row in range(QUERIES + GALLERY)]
    result = evaluated(kind, frame(label=names, split=["train"] * len(names)))
    assert result.counts == {
        "queries": QUERIES * 3 // 4,
        "gallery": GALLERY * 3 // 4,
        "labels": 3,
    }
    assert f"labels: 3 of the protocol's {len(labels)} are present" in result.notes
    assert result.protocol["labels"] == list(labels)


def test_recall_of_products_at_the_ranks_of_their_papers() -> None:
    rows = frame(label=[f"l{row % 60}" for row in range(QUERIES + GALLERY)])
    relevant = relevances(rows)
    shop = evaluated("in-shop", rows)
    assert list(shop.metrics)[:6] == [f"recall@{k}" for k in (1, 10, 20, 30, 40, 50)]
    for k in (1, 10, 20, 30, 40, 50):
        share = np.mean([one[:k].any() for one in relevant])
        assert shop.unrounded[f"recall@{k}"] == pytest.approx(share, abs=1e-6)
    for kind, ranks in (("sop", (1, 10, 100, 1000)), ("inaturalist-2018", (1, 4, 16, 32))):
        everyone = frame(label=rows["label"], role=["query"] * len(rows))
        result, labels = evaluated(kind, everyone), everyone["label"].to_numpy()
        among = [
            labels[order] == labels[query]
            for query, order in rankings(everyone, lambda q: np.arange(len(rows)) != q)
        ]
        for k in ranks:
            share = np.mean([one[:k].any() for one in among])
            assert result.unrounded[f"recall@{k}"] == pytest.approx(share, abs=1e-6)
