"""GPR1200's own facts: its size and its six subsets.

Source: Schall et al., "GPR1200: A Benchmark for General-Purpose Content-Based Image Retrieval",
MMM 2022 (arXiv:2111.13122), and the published archive.
"""

SUBSETS: dict[str, range] = {
    "landmarks": range(200),
    "inat": range(200, 400),
    "sketch": range(400, 600),
    "instre": range(600, 800),
    "sop": range(800, 1000),
    "faces": range(1000, 1200),
}
"""Subset -> its category ids, in the order in which the benchmark reports them."""

CATEGORIES = 1200
"""Categories of the complete set: ids 0 to 1199."""

PER_CATEGORY = 10
"""Images of every category of the complete set."""


def subset_of(category: int) -> str | None:
    """The subset that a category id belongs to; None for an id that the benchmark has not."""
    return next((name for name, ids in SUBSETS.items() if category in ids), None)
