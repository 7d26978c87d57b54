"""Measure one change of a text that people write, with 10,000 rows in it.

    python benchmarks/curation.py [--small] [--rows N]

The data set has 1,000,000 items. The peer writes the bytes of the same file: a temporary file,
flushed to the disk, then renamed. Figures are medians of warm calls in one process, like a
page or a notebook; one is that of a request to the page.
"""

import http.client
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from large_table import item_id, large_catalogue
from measure import Table, parser

import likewise
from likewise.catalogue import corrections, item_tags
from likewise.catalogue.corrections import Key, Value
from likewise.catalogue.item_tags import ItemTag
from likewise.storage import tables
from likewise.storage.schema import ITEMS
from likewise.storage.workspace import Workspace

CALLS = 15
PRESENT = 10_000
"""Rows of each file before the measured change."""


def catalogue(root: Path, rows: int) -> Workspace:
    """Make a data set of ``rows`` items with ``PRESENT`` corrections and tags."""
    ws = Workspace(large_catalogue(root, rows))
    published = tables.open_table(ws.published("made"))
    tables.write_frame(ws.table("made", "items"), ITEMS, published.read(ITEMS.names()))
    step = max(1, rows // PRESENT)
    ids = [item_id(row) for row in range(0, rows, step)][:PRESENT]
    made = {Key(one, "label"): Value("pending", "0001") for one in ids}
    corrections.write(ws.corrections("made"), made)
    item_tags.FILE.write(ws.tags("made"), {ItemTag(one, "doubtful"): () for one in ids})
    return ws


def plain(path: Path) -> None:
    """Write the bytes of ``path`` again, as any program would that must not lose them."""
    data, part = path.read_bytes(), path.with_suffix(".peer")
    with part.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    part.rename(path)


class PageWriter:
    """Corrects by requests to a page, over one open connection."""

    def __init__(self, port: int, subsets: list[str]) -> None:
        """Keep the published ``subsets`` of all rows, which a request must name."""
        self._subsets, self._number = subsets, count(1)
        self._origin = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def correct(self) -> None:
        """Correct the subset of an item; no subset has a correction yet."""
        rows = len(self._subsets)
        row = 3 + next(self._number) * max(2, rows // PRESENT) % (rows - 3)
        change = {
            "items": [item_id(row)],
            "values": {"subset": "seen"},
            "expect": {"subset": self._subsets[row]},
        }
        headers = {"Content-Type": "application/json", "Origin": self._origin}
        path = "/api/d/made/corrections"
        self._connection.request("POST", path, json.dumps(change), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")


def milliseconds(ours: Callable[[], object], peer: Callable[[], object]) -> tuple[float, float]:
    """Return the median times of warm calls of both, in turn."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(CALLS + 1):
        for call, times in zip((ours, peer), took, strict=True):
            began = time.perf_counter()
            call()
            if number:
                times.append(1000 * (time.perf_counter() - began))
    return median(took[0]), median(took[1])


def main() -> None:
    """Print the table."""
    options = parser(__doc__)
    options.add_argument("--rows", type=int)
    given = options.parse_args()
    rows = given.rows or (20_000 if given.small else 1_000_000)
    table = Table(f"Curation of {rows:,} items", small=given.small)
    with tempfile.TemporaryDirectory() as folder:
        ws = catalogue(Path(folder), rows)
        numbers = count(1)

        def next_item() -> str:
            return item_id(next(numbers) * 7 % rows)

        def correct() -> object:
            one, label = next_item(), {"label": f"{next(numbers) % 1000:04d}"}
            return likewise.correct("made", [one], label, workspace=ws.root)

        def tag() -> object:
            return likewise.tag("made", [next_item()], add=["seen"], workspace=ws.root)

        for name, call, path in (
            (f"correct, {PRESENT:,} corrections", correct, ws.corrections("made")),
            (f"tag, {PRESENT:,} tags", tag, ws.tags("made")),
        ):
            ours, peer = milliseconds(call, partial(plain, path))
            table.below(name, ours, 100, "ms", peer=peer)
        opened = likewise.open("made", workspace=ws.root)
        subsets = opened.table.read(["subset"])["subset"].to_list()
        with likewise.serve(workspace=ws.root) as server:
            writer = PageWriter(server.settings.port, subsets)
            path = ws.corrections("made")
            ours, peer = milliseconds(writer.correct, partial(plain, path))
            name = f"correct by the page, {PRESENT:,} corrections"
            table.below(name, ours, 100, "ms", peer=peer)
        waiting = partial(likewise.pending, "made", workspace=ws.root)
        ours, _ = milliseconds(waiting, bytes)
        table.note(f"pending, {PRESENT:,} corrections", f"{ours:.1f} ms")
    table.print()


if __name__ == "__main__":
    main()
