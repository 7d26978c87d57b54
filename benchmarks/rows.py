"""Measure pages of items and pictures by id in tables of several sizes.

    python benchmarks/rows.py [--small] [--rows N ...]

The peer of a page is a mask by NumPy of codes in memory, and Lance's ``take`` of its rows. The
peer of four facets is the bare function that counts codes. The peer of a picture by id is the
same call in a table of 2,000 items. Figures are medians of warm calls in one process.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from large_table import item_id, large_catalogue
from measure import Table, parser

import likewise
from likewise.retrieval.browsing.column_codes import read_codes
from likewise.retrieval.browsing.facet_counts import count_codes

FEW = 2_000
FACETS = ("label", "split", "subset", "format")
CALLS = 15


def milliseconds(call: Callable[[], Any], calls: int = CALLS) -> float:
    """Return the median time of a warm call."""
    call()
    took = []
    for _ in range(calls):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    return median(took)


def pictures(dataset: likewise.Dataset, rows: int) -> float:
    """Return the time of a picture by id; each call asks for another one."""
    ids = iter([item_id(int(row)) for row in np.linspace(0, rows - 1, CALLS + 1)])
    return milliseconds(lambda: dataset.images([next(ids)]))


def measure(table: Table, root: Path, rows: int, peer: float) -> None:
    """Add the figures of a table of ``rows`` items; ``peer`` is a picture of the small one."""
    opened = milliseconds(lambda: likewise.open("made", workspace=root), 3)
    dataset = likewise.open("made", workspace=root)
    began = time.perf_counter()
    dataset.images([item_id(0)])
    first = 1000 * (time.perf_counter() - began)
    filters = {"label": "0001", "split": "train"}
    columns = {name: read_codes(dataset.table, name) for name in FACETS}
    failed = np.zeros(rows, np.uint8)
    codes = columns["label"].codes
    label = columns["label"].code("label", "0001")
    name = f"{rows:,} items"
    table.below(f"{name}: open", opened, 100, "ms")
    table.note(f"{name}: first picture by id", f"{first:.1f} ms", "")
    took = pictures(dataset, rows)
    table.at_most(f"{name}: picture by id", took, peer, 3, "ms")
    table.below(f"{name}: picture by id, absolute", took, 20, "ms")
    page = milliseconds(lambda: dataset.browse(filters=filters, limit=100))
    split = columns["split"].code("split", "train")
    other, known = columns["split"].codes, dataset.table.metadata_columns

    def bare_page() -> object:
        passing = np.flatnonzero((codes == label) & (other == split))[:100]
        return dataset.table.take(passing.tolist(), known)

    bare = milliseconds(bare_page)
    table.below(f"{name}: page of 100 with two filters", page, 40, "ms", peer=bare)
    last = milliseconds(lambda: dataset.browse(filters=filters, sort="width", limit=100))
    table.below(f"{name}: the same, sorted", last, 40, "ms", peer=bare)
    four = milliseconds(lambda: dataset.browse(filters=filters, facets=FACETS, limit=0))
    bare = milliseconds(lambda: [count_codes(column, 0, failed) for column in columns.values()])
    table.below(f"{name}: four facets", four, 40, "ms", peer=bare)


def main() -> None:
    """Measure tables of 2,000 and of many items."""
    options = parser(__doc__)
    options.add_argument(
        "--rows", type=int, nargs="*", default=[200_000], help="sizes; 2000000 needs 2 GB"
    )
    chosen = options.parse_args()
    sizes = [5_000] if chosen.small else chosen.rows
    table = Table(f"Rows and pages; peer of pictures: {FEW:,} items", small=chosen.small)
    with tempfile.TemporaryDirectory() as folder:
        few = large_catalogue(Path(folder) / "few", FEW)
        peer = pictures(likewise.open("made", workspace=few), FEW)
        for rows in sizes:
            root = large_catalogue(Path(folder) / str(rows), rows)
            measure(table, root, rows, peer)
    table.print()


if __name__ == "__main__":
    main()
