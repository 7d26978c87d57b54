"""Measure the answers of the page, compared with the bare functions in the same process.

    python benchmarks/web.py [--small] [--rows 1000000 ...]

A figure is the median of requests over one open connection; the peer is the public function
that the route calls, with the same arguments. Requests and calls take turns: load slows both.
The tables are synthetic. By default they have 100,000 and 1,000,000 rows; ``--rows 12000000``
measures the largest size that the page supports.
"""

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped]  # a dependency of DVC
from large_table import large_catalogue
from measure import Table, parser
from search import catalogue, clustered

import likewise

ROWS = (100_000, 1_000_000)
FACETS = ["label", "subset", "split", "format"]
CLIENTS = 8
REQUESTS = 200
SEARCHES = 1_000
MOST_ADDED_MB = 50


class Client:
    """One open connection to a server."""

    def __init__(self, server: likewise.Server) -> None:
        """Connect to ``server`` at the first request; the page names its version in each."""
        self.version = ""
        self._connection = http.client.HTTPConnection("127.0.0.1", server.settings.port)

    def get(self, path: str) -> bytes:
        """Return the body of an answer; any other status than 200 raises."""
        if self.version and path.startswith("/api/"):
            path += f"{'&' if '?' in path else '?'}v={self.version}"
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
        return body

    def json(self, path: str) -> Any:
        """Return the JSON of an answer."""
        return json.loads(self.get(path))


def seconds(call: Callable[[], object]) -> float:
    """Return the duration of a call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def compared(
    ours: Callable[[int], object], peer: Callable[[int], object], rounds: int
) -> tuple[float, float, float]:
    """Return our median, the peer's, and our 95th percentile, of calls in turn; seconds."""
    pairs = [
        (seconds(lambda n=number: ours(n)), seconds(lambda n=number: peer(n)))
        for number in range(rounds + 1)  # the first round fills the caches
    ]
    mine, others = (sorted(column) for column in zip(*pairs[1:], strict=True))
    return median(mine), median(others), mine[int(0.95 * (len(mine) - 1))]


def browse(table: Table, root: Path, rows: int, rounds: int) -> None:
    """Add the rows of pages, facets, jumps and thumbnails of one size."""
    large_catalogue(root, rows)
    dataset = likewise.open("made", workspace=root)
    with likewise.serve(workspace=root, port=0) as server:
        client = Client(server)
        address, size = "/api/d/made", f"{rows:,} rows"
        opening = seconds(lambda: client.get(f"{address}/page"))
        client.version = client.json(f"{address}/page?limit=1")["v"]
        table.note(f"{size}: open and first page", f"{opening:.2f} s")
        ours, peer, slow = compared(
            lambda n: client.get(f"{address}/page?f.split=test&offset={100 * n}"),
            lambda n: dataset.browse(filters={"split": ["test"]}, offset=100 * n, limit=100),
            rounds,
        )
        table.at_most(f"{size}: page of 100 with a filter", 1e3 * ours, 1e3 * peer, 3, "ms")
        table.note(f"{size}: the same, 95th percentile", f"{1e3 * slow:.1f} ms")
        ours, peer, _ = compared(
            lambda n: client.get(f"{address}/facets?of={','.join(FACETS)}&f.label={n:04d}"),
            lambda n: dataset.browse(
                filters={"label": [f"{n:04d}"]}, facets=FACETS, limit=0, columns=["item_id"]
            ),
            rounds,
        )
        table.at_most(f"{size}: 4 facets", 1e3 * ours, 1e3 * peer, 3, "ms")
        ours, peer, _ = compared(
            lambda n: client.get(f"{address}/page?offset={rows - 100 - n}"),
            lambda n: dataset.browse(offset=rows - 100 - n, limit=100),
            rounds,
        )
        table.at_most(f"{size}: jump to the end", 1e3 * ours, 1e3 * peer, 3, "ms")
        urls = client.json(f"{address}/page?limit=50")["thumbs"]
        ours, peer, _ = compared(
            lambda n: client.get(urls[n % len(urls)]),
            lambda n: dataset.thumbnails([n % len(urls)]),
            rounds,
        )
        table.at_most(f"{size}: thumbnail", 1e3 * ours, 1e3 * peer, 4, "ms")


def search(table: Table, root: Path, rows: int, rounds: int, *, small: bool) -> None:
    """Add the rows of searches, of many clients, and of the memory of many searches."""
    dataset = catalogue(root, clustered(rows))
    with likewise.serve(workspace=root, port=0) as server:
        client = Client(server)

        def path(number: int) -> str:
            return f"/api/d/made/search?id={number % rows:07d}&k=60"

        client.version = client.json(path(0))["v"]
        ours, peer, _ = compared(
            lambda n: client.get(path(n)),
            lambda n: dataset.search(id=f"{n % rows:07d}", k=60),
            rounds,
        )
        name = f"{rows:,} rows: search by item, exact"
        table.at_most(name, 1e3 * ours, 1e3 * peer, 1.5, "ms")
        _many_clients(table, server, client.version, rows, small=small)
        client = Client(server)  # the server has closed the idle connection
        count = 50 if small else SEARCHES
        for number in range(count // 10):
            client.get(path(number))
        before = psutil.Process().memory_info().rss
        for number in range(count):
            client.get(path(number))
        added = (psutil.Process().memory_info().rss - before) / 1e6
        met = added < MOST_ADDED_MB
        table.holds(
            f"memory that {count:,} searches add", f"{added:.1f} MB", "< 50 MB", met=met
        )


def _many_clients(
    table: Table, server: likewise.Server, version: str, rows: int, *, small: bool
) -> None:
    """Add the row of several clients that scroll, count and search at once."""
    count = 20 if small else REQUESTS
    times: list[float] = []
    faults: list[BaseException] = []

    def scroll(number: int) -> None:
        client = Client(server)
        client.version = version
        paths: Sequence[str] = (
            "/api/d/made/page?offset={}",
            "/api/d/made/facets?of=label,split",
            "/api/d/made/page?f.split=test&offset={}",
            "/api/d/made/search?k=20&id={:07d}",
        )
        try:
            for request in range(count):
                place = (997 * (number * count + request)) % rows
                address = paths[request % len(paths)].format(place)
                times.append(seconds(lambda path=address: client.get(path)))
        except BaseException as error:  # noqa: BLE001 (reported as a row)
            faults.append(error)

    threads = [threading.Thread(target=scroll, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    what = f"{CLIENTS} clients x {count} requests without an error"
    answered = f"{len(times):,} answers, {len(faults)} errors"
    met = not faults and len(times) == CLIENTS * count
    table.holds(what, answered, "all", met=met)
    slow = sorted(times)[int(0.95 * (len(times) - 1))]
    table.note("the same, 95th percentile of an answer", f"{1e3 * slow:.0f} ms")


def main() -> None:
    """Print the table."""
    options = parser(__doc__)
    options.add_argument("--rows", type=int, nargs="*", help="numbers of rows to browse")
    given = options.parse_args()
    sizes = given.rows or ((2_000,) if given.small else ROWS)
    rounds = 3 if given.small else 20
    table = Table("The page: answers over HTTP, and the bare functions", small=given.small)
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            browse(table, Path(folder), rows, rounds)
    with tempfile.TemporaryDirectory() as folder:
        count = 2_000 if given.small else 100_000
        search(table, Path(folder), count, rounds, small=given.small)
    table.print()


if __name__ == "__main__":
    main()
