"""Re-rankers by their published formulas, in plain NumPy: dense, one query, no short lists.

Every function takes a query (d,) and a gallery (n, d) of vectors of length 1, and returns the
score of every gallery item, greater is better.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def unit(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / lengths)


def nearest(scores: Floats) -> npt.NDArray[np.int64]:
    """Items by descending score; equal scores in the order of the gallery."""
    return np.argsort(-scores, axis=-1, kind="stable")


def others(gallery: Floats, k: int) -> npt.NDArray[np.int64]:
    """The k other items nearest to each item: (n, k)."""
    scores = gallery @ gallery.T
    np.fill_diagonal(scores, -np.inf)
    return nearest(scores)[:, : min(k, len(gallery) - 1)]


def alpha_qe(query: Floats, gallery: Floats, k: int = 10, alpha: float = 3.0) -> Floats:
    """Radenovic et al. 2018, section 3.3: weights are cosines to the power alpha.

    Chum et al. 2007, average query expansion: alpha is 0, all weights are 1.
    """
    cosines = gallery @ query
    near = nearest(cosines)[:k]
    weights = np.maximum(cosines[near], 0) ** alpha
    return gallery @ unit(query + (weights[:, None] * gallery[near]).sum(axis=0))


def dba(
    query: Floats, gallery: Floats, k: int = 10, weights: str = "linear", alpha: float = 3.0
) -> Floats:
    """Arandjelovic, Zisserman 2012 (equal); Gordo et al. 2017, section 5.2 (linear)."""
    near = others(gallery, k)
    augmented = gallery.copy()
    for item, row in enumerate(near):
        for rank, other in enumerate(row, 1):
            weight = {
                "equal": 1.0,
                "linear": (k - rank) / k,
                "cosine": max(gallery[item] @ gallery[other], 0) ** alpha,
            }[weights]
            augmented[item] += weight * gallery[other]
    return unit(augmented) @ query


def k_reciprocal(
    query: Floats, gallery: Floats, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> Floats:
    """Zhong et al. 2017, by the equations of re_ranking_ranklist.py for one query (node 0)."""
    nodes = np.vstack([query[None], gallery])
    count = len(nodes)
    squares = ((nodes[:, None, :] - nodes[None, :, :]) ** 2).sum(axis=2)
    largest = squares.max(axis=0)
    distances = (squares / np.where(largest > 0, largest, 1)).T
    ranked = distances.copy()
    np.fill_diagonal(ranked, -1)  # a node comes first in its own list
    lists = np.argsort(ranked, axis=1, kind="stable")

    def mutual(node: int, k: int) -> list[int]:
        return [int(n) for n in lists[node, : k + 1] if node in lists[n, : k + 1]]

    vectors = np.zeros((count, count))
    for node in range(count):
        own = set(mutual(node, k1))
        expanded = set(own)
        for candidate in own:
            theirs = set(mutual(candidate, int(np.around(k1 / 2))))
            if len(theirs & own) > 2 / 3 * len(theirs):
                expanded |= theirs
        members = sorted(expanded)
        weights = np.exp(-distances[node, members])
        vectors[node, members] = weights / weights.sum()
    if k2 > 1:
        vectors = np.stack([vectors[lists[node, :k2]].mean(axis=0) for node in range(count)])
    overlap = np.minimum(vectors[0], vectors).sum(axis=1)
    jaccard = 1 - overlap / (2 - overlap)
    final = jaccard * (1 - weight) + distances[0] * weight
    return np.asarray(-final[1:])


def superglobal(query: Floats, gallery: Floats, k: int = 9, beta: float = 0.15) -> Floats:
    """Shao et al. 2023, section 3.3: all items are refined, as in MDescAug and RerankwMDA."""
    products = gallery @ gallery.T
    refined = np.empty_like(gallery)
    for item, row in enumerate(products):
        near = nearest(np.where(np.arange(len(row)) == item, np.inf, row))[: k + 1]
        weights = beta * row[near]
        weights[0] = 1  # the item itself
        refined[item] = (weights[:, None] * gallery[near]).sum(axis=0) / weights.sum()
    first = refined @ query
    pooled = refined[nearest(first)[: k + 1]].max(axis=0)
    return np.asarray((first + refined @ pooled) / 2)


def diffusion(  # noqa: PLR0913 (the options of the re-ranker)
    query: Floats,
    gallery: Floats,
    *,
    k: int = 50,
    kq: int = 10,
    alpha: float = 0.99,
    gamma: float = 3.0,
    iterations: int = 0,
) -> Floats:
    """Iscen et al. 2017: the closed form (I - alpha S)^-1 y of global descriptors.

    knngraph.m (mutual neighbours), transition_matrix.m and ymake.m; ``iterations`` have no
    effect, because the system is solved directly.
    """
    count = len(gallery)
    lists = np.hstack([np.arange(count)[:, None], others(gallery, k - 1)])
    weights = np.zeros((count, count))
    for item in range(count):
        for other in lists[item]:
            if item in lists[other] and other != item:
                weights[item, other] = max(gallery[item] @ gallery[other], 0) ** gamma
    sums = weights.sum(axis=1)
    scale = np.where(sums > 0, sums, 1) ** -0.5
    transition = scale[:, None] * weights * scale[None, :]
    cosines = gallery @ query
    start = np.zeros(count)
    near = nearest(cosines)[:kq]
    start[near] = np.maximum(cosines[near], 0) ** gamma
    return np.asarray(np.linalg.solve(np.eye(count) - alpha * transition, start))


REFERENCES: dict[str, Callable[..., Floats]] = {
    "alpha-qe": alpha_qe,
    "dba": dba,
    "diffusion": diffusion,
    "k-reciprocal": k_reciprocal,
    "superglobal": superglobal,
}


def reference(entry: dict[str, Any], query: Any, gallery: Any) -> Floats:
    """Score the whole gallery by the re-ranker ``{kind, **options}``; ``top`` has no effect."""
    options = {name: value for name, value in entry.items() if name not in ("kind", "top")}
    wide = unit(np.asarray(query, np.float64)), unit(np.asarray(gallery, np.float64))
    return REFERENCES[entry["kind"]](*wide, **options)
