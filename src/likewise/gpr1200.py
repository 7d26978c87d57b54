"""GPR1200's own facts: its file names, its canonical order and its six subsets.

Source: Schall et al., "GPR1200: A Benchmark for General-Purpose Content-Based Image Retrieval",
MMM 2022 (arXiv:2111.13122), and the published archive.
"""

import re

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

# At most nine digits: an id then fits every integer type that a table may give it.
_NAME = re.compile(r"([0-9]{1,9})_(.+)", re.DOTALL)


def category_of(name: str) -> int | None:
    """The category id in front of a file name's first ``_``; None where the grammar is broken.

    >>> category_of("12_old_tower.jpg")
    12
    >>> category_of("Thumbs.db") is None
    True
    """
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def subset_of(category: int) -> str | None:
    """The subset that a category id belongs to; None for an id that the benchmark has not."""
    return next((name for name, ids in SUBSETS.items() if category in ids), None)


def order_key(name: str) -> tuple[int, str]:
    """What file names (without folders) are sorted by: category id, then the name itself.

    The benchmark's own reader sorts by the category alone, so that the order inside one is the
    file system's; with the name it is the same everywhere. Broken names sort last.
    """
    category = category_of(name)
    return (10**9 if category is None else category, name)
