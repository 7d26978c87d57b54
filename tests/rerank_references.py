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


REFERENCES: dict[str, Callable[..., Floats]] = {"alpha-qe": alpha_qe, "dba": dba}


def reference(entry: dict[str, Any], query: Any, gallery: Any) -> Floats:
    """Score the whole gallery by the re-ranker ``{kind, **options}``; ``top`` has no effect."""
    options = {name: value for name, value in entry.items() if name not in ("kind", "top")}
    wide = unit(np.asarray(query, np.float64)), unit(np.asarray(gallery, np.float64))
    return REFERENCES[entry["kind"]](*wide, **options)
