"""Size and subsets of the benchmark GPR1200.

Source: Schall et al., "GPR1200: A Benchmark for General-Purpose Content-Based Image Retrieval",
MMM 2022 (arXiv:2111.13122), and the published archive.
"""

from collections.abc import Collection

SUBSETS: dict[str, range] = {
    "landmarks": range(200),
    "inat": range(200, 400),
    "sketch": range(400, 600),
    "instre": range(600, 800),
    "sop": range(800, 1000),
    "faces": range(1000, 1200),
}
"""Subset -> category ids, in the order in which the benchmark reports them."""

CATEGORIES = 1200
"""Number of categories; their ids are 0 to 1199."""

PER_CATEGORY = 10
"""Number of images per category."""


def is_gpr1200(categories: Collection[int]) -> bool:
    """Return whether images with these category ids are those of the benchmark.

    This is the case if more than half of the categories of the benchmark occur, and no other
    category. File names give no further information, because only their category is defined.
    """
    known = {category for category in categories if category in range(CATEGORIES)}
    return len(known) == len(set(categories)) and 2 * len(known) > CATEGORIES


def subset_of(category: int) -> str | None:
    """Return the subset of a category id; None for ids outside the benchmark."""
    return next((name for name, ids in SUBSETS.items() if category in ids), None)
