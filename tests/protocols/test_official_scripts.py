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

from likewise.errors import DataError
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


def by_trapezoids(relevant: Flags, total: int) -> float:
    """Compute average precision as compute_AP.m of Market-1501 and holidays_map.py do.

    Precisions before and at every relevant item are averaged; before the first rank, it is 1.
    github.com/zhunzhong07/IDE-baseline-Market-1501 (no licence), INRIA (GPL): formula only.
    """
    area, hits = 0.0, 0
    for rank, flag in enumerate(relevant, 1):
        if flag:
            before = hits / (rank - 1) if rank > 1 else 1.0
            hits += 1
            area += (before + hits / rank) / 2 / total
    return area


@pytest.mark.parametrize(("kind", "junk"), [("market-1501", "-1"), ("veri-776", "")])
def test_cameras_with_junk_and_distractors(kind: str, junk: str) -> None:
    rng = np.random.default_rng(3)
    labels = [f"{row % 6 + 1:04d}" for row in range(QUERIES)]
    labels += rng.choice(["-1", "0000", *labels], GALLERY).tolist()
    cameras = rng.choice(["c1", "c2", "c3"], QUERIES + GALLERY)
    rows = frame(label=labels, camera=cameras.tolist())
    result, names = evaluated(kind, rows), np.array(labels)
    gallery = (rows["role"] == "gallery").to_numpy() & (names != junk)

    def ranked(query: int) -> Flags:
        same: Flags = (names == names[query]) & (cameras == cameras[query])
        others: Flags = gallery & ~same
        return others

    relevant = [names[order] == names[query] for query, order in rankings(rows, ranked)]
    expected = {
        "mAP": np.mean([by_trapezoids(one, one.sum()) for one in relevant]),
        "ap": np.mean([precise(one, len(one)) for one in relevant]),
        "cmc@1": np.mean([one[:1].any() for one in relevant]),
        "cmc@20": np.mean([one[:20].any() for one in relevant]),
    }
    for name, value in expected.items():
        assert result.unrounded[name] == pytest.approx(value, abs=1e-6), name
    assert result.counts["gallery"] == gallery.sum()
    # Apart from junk, ap is the mAP of reidentification.
    kept = np.flatnonzero(names != "-1")
    plain = PROTOCOLS.build({"kind": "reidentification"}, "here")
    without = plain.evaluate_vectors(signs(len(rows))[kept], rows[kept]).unrounded["mAP"]
    assert (without == pytest.approx(expected["ap"])) == (kind == "market-1501")


def test_cameras_by_hand() -> None:
    rows = pl.DataFrame(
        {
            "item_id": ["q", "a", "b", "c", "d", "e"],
            "label": ["0001", "0001", "-1", "0000", "0001", "0001"],
            "subset": None,
            "split": None,
            "role": ["query", *["gallery"] * 5],
            "camera": ["c1", "c1", "c2", "c2", "c2", "c3"],
        },
        schema_overrides={"subset": pl.String, "split": pl.String},
    )
    radians = np.radians([0, 1, 2, 3, 4, 5])
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1)
    result = PROTOCOLS.build({"kind": "market-1501"}, "here").evaluate_vectors(vectors, rows)
    # a has the query's camera and b is junk, so the ranking is c (distractor), d, e.
    assert result.queries["hits"].to_list() == [["c", "d", "e"]]
    # d at rank 2: precisions 0/1 and 1/2; e at rank 3: 1/2 and 2/3.
    assert result.unrounded["mAP"] == pytest.approx(((0 + 1 / 2) / 2 + (1 / 2 + 2 / 3) / 2) / 2)
    assert result.unrounded["ap"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert result.unrounded["cmc@1"] == 0
    assert "gallery: items with label -1, taken out: 1" in result.notes


def test_holidays_rank_all_images_but_the_query() -> None:
    groups = [f"{row // 3}" for row in range(QUERIES + GALLERY)]
    roles = ["gallery" if row % 3 else "query" for row in range(QUERIES + GALLERY)]
    rows = frame(label=groups, role=roles)
    result, names = evaluated("holidays", rows), np.array(groups)
    expected = []
    for query, order in rankings(rows, lambda q: np.arange(len(rows)) != q):
        relevant = names[order] == names[query]
        if relevant.any():
            expected.append(by_trapezoids(relevant, relevant.sum()))
    assert result.unrounded["mAP"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert result.counts["gallery"] == QUERIES + GALLERY


def test_ukbench_counts_the_images_of_a_group_among_four() -> None:
    groups = [f"{row // 4}" for row in range(QUERIES + GALLERY)]
    rows = frame(label=groups, role=["query"] * len(groups))
    result, names = evaluated("ukbench", rows), np.array(groups)
    order = (o for _, o in rankings(rows, lambda _: np.ones(len(rows), bool)))
    hits = [(names[one[:4]] == names[query]).sum() for query, one in enumerate(order)]
    assert result.unrounded["N-S score"] == pytest.approx(np.mean(hits), abs=1e-6)
    assert result.protocol["scale"] == 4
    statistic = result.statistics["N-S score"]
    assert statistic.low <= result.metrics["N-S score"] <= statistic.high
    assert result.queries["value"].to_list() == [hit / 4 for hit in hits]


def test_google_landmarks_v2_with_listed_images_and_ignored_queries() -> None:
    rng = np.random.default_rng(4)
    gallery = [f"i{row:03d}" for row in range(QUERIES, QUERIES + GALLERY)]
    sizes = [1, 5, 130] * (QUERIES // 3)
    lists: list[Any] = [rng.permutation(gallery)[:size].tolist() for size in sizes]
    lists[0], lists[1] = None, []
    rows = frame(relevant=lists + [None] * GALLERY, label=[None] * (QUERIES + GALLERY))
    result, ids = evaluated("google-landmarks-v2", rows), rows["item_id"].to_numpy()
    aps = []
    is_gallery = (rows["role"] == "gallery").to_numpy()
    for query, order in rankings(rows, lambda _: is_gallery):
        wanted, hits, total = set(lists[query] or ()), 0, 0.0
        for rank, item in enumerate(ids[order[:100]], 1):
            if item in wanted:
                hits += 1
                total += hits / rank
        if wanted:
            aps.append(total / min(len(wanted), 100))
    # As MeanAveragePrecision of tensorflow/models (Apache-2.0): without ignored queries.
    assert result.unrounded["mAP@100"] == pytest.approx(np.mean(aps), abs=1e-6)
    assert result.counts["queries"] == QUERIES - 2


def test_ilias_scores_a_query_without_hits_0() -> None:
    # 6 labels with 2 positives each among 260; one query has no positive at all.
    labels = [f"o{row % 6}" for row in range(QUERIES - 1)] + ["nothing"]
    positives = [f"o{row % 6}" if row < 12 else None for row in range(GALLERY)]
    rows = frame(label=[*labels, *positives])
    result = evaluated("ilias", rows)
    # ilias-vrg/ilias (MIT): scikit-learn's AP of the first k, times hits / min(k, positives).
    aps = [precise(one, 1000) if one.any() else 0.0 for one in relevances(rows)]
    assert result.unrounded["mAP@1k"] == pytest.approx(100 * np.mean(aps), abs=1e-6)
    assert result.counts["queries"] == QUERIES
    assert "queries without relevant items, scored 0: 1" in result.notes
    assert result.queries["value"].to_list()[-1] == 0


@pytest.mark.parametrize("kind", ["uned", "uned-separate"])
def test_uned_by_domain_and_over_domains(kind: str) -> None:
    count = QUERIES + GALLERY
    domains = ["cars" if row % 4 else "food" for row in range(count)]
    # Labels are numbers of a domain, so that domains share them; one class has one item.
    labels = ["only" if row == 0 else f"{row % 40}" for row in range(count)]
    rows = frame(label=labels, subset=domains)
    result, names, places = evaluated(kind, rows), np.array(labels), np.array(domains)
    gallery = (rows["role"] == "gallery").to_numpy()
    right: dict[str, list[tuple[float, float]]] = {"cars": [], "food": []}

    def ranked(query: int) -> Flags:
        return gallery & (places == places[query]) if kind == "uned-separate" else gallery

    for query, order in rankings(rows, ranked):
        relevant = (names[order] == names[query]) & (places[order] == places[query])
        depth = min(5, relevant.sum())
        # universal_mmp_at_k: hits among the first min(k, n) / min(k, n); 0 without relevant.
        value = relevant[:depth].sum() / depth if depth else 0.0
        right[domains[query]].append((float(relevant[0]), value))
    means = {domain: 100 * np.mean(values, axis=0) for domain, values in right.items()}
    for place, name in enumerate(("recall@1", "mmp@5")):
        for domain, mean in means.items():
            assert result.unrounded[f"{name} {domain}"] == pytest.approx(mean[place], abs=1e-6)
        over = np.mean([mean[place] for mean in means.values()])
        assert result.unrounded[name] == pytest.approx(over, abs=1e-6)
        statistic = result.statistics[name]
        assert statistic.low <= result.metrics[name] <= statistic.high
    assert result.protocol["average"] == "over subsets"


def test_fashion_iq_ranks_the_category_with_the_reference() -> None:
    count = QUERIES + GALLERY
    categories = [("dress", "shirt", "toptee")[row % 3] for row in range(count)]
    targets = [[f"i{QUERIES + row % 3 + 3 * (row * 7 % 80):03d}"] for row in range(QUERIES)]
    rows = frame(subset=categories, relevant=targets + [None] * GALLERY, split=["val"] * count)
    result, ids = evaluated("fashion-iq", rows), rows["item_id"].to_numpy()
    places, gallery = np.array(categories), (rows["role"] == "gallery").to_numpy()
    right: dict[str, list[list[bool]]] = {name: [] for name in ("dress", "shirt", "toptee")}
    for query, order in rankings(rows, lambda q: gallery & (places == places[q])):
        (rank,) = np.flatnonzero(ids[order] == targets[query][0])
        right[categories[query]].append([bool(rank < 10), bool(rank < 50)])
    means = {name: 100 * np.mean(values, axis=0) for name, values in right.items()}
    # As compute_fiq_val_metrics of CLIP4Cir (MIT) for every category, and their mean.
    for place, metric in enumerate(("recall@10", "recall@50")):
        for name, mean in means.items():
            assert result.unrounded[f"{metric} {name}"] == pytest.approx(mean[place], abs=1e-6)
        over = np.mean([mean[place] for mean in means.values()])
        assert result.unrounded[metric] == pytest.approx(over, abs=1e-6)


def test_a_protocol_of_domains_needs_them() -> None:
    with pytest.raises(DataError, match="uned compares items of one subset, and no item has"):
        evaluated("uned", frame())
    with pytest.raises(DataError, match="fashion-iq compares items of one subset, and no item"):
        evaluated("fashion-iq", frame(relevant=[["i030"]] * (QUERIES + GALLERY)))
