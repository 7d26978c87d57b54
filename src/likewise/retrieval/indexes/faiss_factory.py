"""Empty FAISS indexes by factory string, and facts of them."""

import re
from typing import Any

from likewise.retrieval.indexes.faiss_door import load_faiss

_MOST_NUMBER = 65_536
"""Greatest number in a factory string for fewer vectors than that."""


def empty_index(factory: str, metric: str, rows: int, dim: int) -> Any:
    """Return the empty index of a factory string.

    Args:
        factory: the factory string.
        metric: ``dot`` or ``l2``.
        rows: number of vectors that the index will hold.
        dim: number of dimensions.

    Raises:
        RuntimeError: FAISS cannot make it, or a number in the string would exhaust the memory.
    """
    numbers = map(int, re.findall(r"\d{1,18}", factory))
    if (largest := max(numbers, default=0)) > max(rows, _MOST_NUMBER):
        raise RuntimeError(f"the number {largest} is too large")
    faiss = load_faiss()
    kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    return faiss.index_factory(dim, factory, kind)


def check_centres(index: Any, trained: int) -> None:
    """Check that no k-means of ``index`` has more centres than training vectors.

    Raises:
        RuntimeError: one has more; the text is that of FAISS in the training.
    """
    if (centres := _centres(index)) > trained:
        raise RuntimeError(
            f"Number of training points ({trained}) should be at least as large as number of "
            f"clusters ({centres})"
        )


def _centres(index: Any) -> int:
    """Return the greatest number of centres that a k-means of ``index`` finds."""
    faiss = load_faiss()

    index = faiss.downcast_index(index)
    counts = [getattr(index, "nlist", 0)]
    if (pq := getattr(index, "pq", None)) is not None:
        counts.append(pq.ksub)
    inner = (getattr(index, name, None) for name in ("index", "base_index", "storage"))
    return max([*counts, *(_centres(part) for part in inner if part is not None)])


def seed_kmeans(index: Any, seed: int) -> None:
    """Seed every k-means of ``index``, and allow few vectors per centre for small data sets."""
    faiss = load_faiss()

    index = faiss.downcast_index(index)
    for inner in ("index", "base_index", "storage", "quantizer"):
        if getattr(index, inner, None) is not None:
            seed_kmeans(getattr(index, inner), seed)
    for part in (index, getattr(index, "pq", None)):
        if part is not None and hasattr(part, "cp"):
            part.cp.seed = seed
            part.cp.min_points_per_centroid = 1


def reason_of(error: Exception) -> str:
    """Return the message of a FAISS error, without source location and failed assertion."""
    text = re.sub(r"^.*\.(?:cpp|h|cu|cuh):\d+: ", "", str(error), flags=re.DOTALL)
    text = re.sub(r"^Error: '.*' failed: ", "", text, flags=re.DOTALL).strip()
    return text or "it needs too much memory"
