"""Diagnostics of the rankings of a run: curves, histograms, confusions, hubs, modality gap."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.formats.vector_blocks import VectorBlocks

Values = npt.NDArray[np.float64]

CMC_RANKS = 50
RECALLS = 101
"""Recall levels of the mean precision-recall curve: 0, 0.01 ... 1."""
HUB_DEPTH = 10
MIXED_UP = 15
"""Maximum number of pairs of labels in the report."""

_SIDES = ("query", "gallery")


@dataclass(frozen=True)
class MixUp:
    """Two labels that are confused.

    Attributes:
        label: label of the queries.
        found: label of their first hit.
        queries: number of these queries.
    """

    label: str
    found: str
    queries: int


@dataclass(frozen=True)
class Hubs:
    """The distribution of hits over the items of the gallery.

    Attributes:
        counts: item -> number of queries that have it among their first ``HUB_DEPTH`` hits.
        gallery: number of items in the gallery.
        skewness: skewness of the counts over all gallery items; 0 if all counts are equal.
        most: the items with the highest counts.
    """

    counts: dict[str, int]
    gallery: int
    skewness: float
    most: list[tuple[str, int]]

    def bars(self) -> list[tuple[str, int]]:
        """Count the items that 0, 1, 2, 3 to 4 ... queries found."""
        never = self.gallery - len(self.counts)
        return [("0", never), *in_doublings(self.counts.values())]


def cumulative_match(queries: pl.DataFrame) -> pl.DataFrame:
    """Compute the share of queries with a relevant item up to each rank (CMC).

    Source: Moon, Phillips, Computational and performance aspects of PCA-based face-recognition
    algorithms, Perception 30 (2001).

    Returns:
        rank (1 to ``CMC_RANKS``) and share (0 to 1) over the scored queries.
    """
    first = queries.filter(pl.col("value").is_not_null())["first_hit"]
    ranks = np.arange(1, CMC_RANKS + 1)
    sorted_ranks = np.sort(first.drop_nulls().to_numpy())
    shares = np.searchsorted(sorted_ranks, ranks, side="right") / max(len(first), 1)
    return pl.DataFrame({"rank": ranks, "share": shares})


def precision_recall(queries: pl.DataFrame) -> pl.DataFrame:
    """Compute interpolated precision at recall 0, 0.01 ... 1, averaged over the queries.

    The interpolated precision at a recall is the maximum at that recall or above it; above the
    highest recall of a list it is 0. Source: Manning, Raghavan, Schuetze, Introduction to
    Information Retrieval (2008), 8.4.

    Returns:
        recall and precision, 0 to 1.
    """
    levels = np.linspace(0, 1, RECALLS)
    total, count = np.zeros(RECALLS), 0
    scored = queries.filter(pl.col("value").is_not_null() & (pl.col("relevant") > 0))
    for ranks, relevant in scored.select("ranks", "relevant").iter_rows():
        total += _interpolated(np.asarray(ranks, np.float64), relevant, levels)
        count += 1
    return pl.DataFrame({"recall": levels, "precision": total / max(count, 1)})


def first_hits(queries: pl.DataFrame) -> list[tuple[str, int]]:
    """Count the queries with their first relevant item at ranks 1, 2, 3 to 4, 5 to 8 ..."""
    scored = queries.filter(pl.col("value").is_not_null())["first_hit"]
    bars = in_doublings(scored.drop_nulls())
    never = scored.null_count()
    return [*bars, ("never", never)] if never or not bars else bars


def in_doublings(values: Iterable[int]) -> list[tuple[str, int]]:
    """Count the values (integers from 1) that are 1, 2, 3 to 4, 5 to 8 ..."""
    bins = np.bincount(np.ceil(np.log2(np.fromiter(values, np.int64))).astype(int))
    names = ["1", "2", *(f"{2 ** (n - 1) + 1:,} to {2**n:,}" for n in range(2, len(bins)))]
    return list(zip(names, bins.tolist(), strict=False))


def mix_ups(queries: pl.DataFrame, label_of: Mapping[str, str | None]) -> list[MixUp]:
    """Count confused pairs of labels, by the first hit that is not the query itself."""
    counted: Counter[tuple[str, str]] = Counter()
    columns = ("item_id", "label", "hits", "hit_relevant")
    for item, label, hits, relevant in queries.select(columns).iter_rows():
        first = next(((h, r) for h, r in zip(hits, relevant, strict=True) if h != item), None)
        if label is not None and first is not None and not first[1]:
            counted[label_of.get(item) or label, label_of.get(first[0]) or "none"] += 1
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return [MixUp(*pair, count) for pair, count in ordered[:MIXED_UP]]


def hubs(queries: pl.DataFrame, gallery: int) -> Hubs:
    """Count the queries that find each item among their first hits (k-occurrence).

    A query that finds itself does not count. Items that no query found count 0. Source:
    Radovanovic, Nanopoulos, Ivanovic, Hubs in Space, JMLR 11 (2010): the skewness of N_k.

    Args:
        queries: the per-query results of a run.
        gallery: number of items in the gallery.
    """
    counted: Counter[str] = Counter()
    for item, hits in queries.select("item_id", "hits").iter_rows():
        others = [hit for hit in hits if hit != item]
        counted.update(others[:HUB_DEPTH])
    most = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:HUB_DEPTH]
    values = np.zeros(gallery)
    values[: len(counted)] = list(counted.values())
    return Hubs(dict(counted), gallery, _skewness(values), most)


def modality_gap(vectors: VectorBlocks, roles: pl.Series) -> float | None:
    """Compute the distance between the mean vectors of query items and gallery items.

    Source: Liang et al., Mind the Gap, NeurIPS 2022 (arXiv:2203.02053).

    Args:
        vectors: (n, d), L2-normalised; read in blocks.
        roles: (n,) query, gallery or null.

    Returns:
        0 to 2; None if there are no queries or no gallery items.
    """
    sides = [(roles == side).fill_null(value=False).to_numpy() for side in _SIDES]
    if not all(side.any() for side in sides):
        return None
    sums = np.zeros((len(sides), vectors.dim))
    start = 0
    for block in vectors.read():
        for number, side in enumerate(sides):
            part = block[side[start : start + len(block)]]
            sums[number] += part.sum(axis=0, dtype=np.float64)
        start += len(block)
    query, gallery = (total / side.sum() for total, side in zip(sums, sides, strict=True))
    return float(np.linalg.norm(query - gallery))


def _interpolated(ranks: Values, relevant: int, levels: Values) -> Values:
    """Return the maximum precision (levels,) at each recall or above it."""
    if not len(ranks):
        return np.zeros(len(levels))
    nth = np.arange(1, len(ranks) + 1)
    best = np.maximum.accumulate((nth / ranks)[::-1])[::-1]
    # The first item whose recall reaches the level, with a tolerance for rounding.
    place = np.searchsorted(nth / relevant, levels - 1e-9)
    return np.where(place < len(ranks), best[np.minimum(place, len(ranks) - 1)], 0.0)


def _skewness(values: Values) -> float:
    if len(values) < 2 or values.std() == 0:
        return 0.0
    return float((((values - values.mean()) / values.std()) ** 3).mean())
