"""Measure the answers of the page, compared with the bare functions in the same process.

    python benchmarks/web.py [--small] [--rows 1000000 ...]

A figure is the median of requests over one open connection; the peer is the public function
that the route calls, with the same arguments. Requests and calls take turns: load slows both.
Start, first page, first tile and memory are those of ``likewise serve``, a process of its own;
the peer of its start is the import of the two libraries by which it serves. The tables are
synthetic. The map is drawn in a real browser, with its software renderer; the peer is the same
draw without the page. By default they have 100,000 and 1,000,000 rows; ``--rows 12000000``
measures the largest size that the page supports.
"""

import http.client
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # a dependency of DVC
from large_table import large_catalogue
from measure import LIKEWISE, Table, parser
from search import catalogue, clustered
from web_map import measure_map

import likewise

ROWS = (100_000, 1_000_000)
FACETS = ["label", "subset", "split", "format"]
CLIENTS = 8
REQUESTS = 200
SEARCHES = 1_000
MOST_ADDED_MB = 50
TRIES = 10
MOST_START_S = 1.5
FIRST_PAGE_S = {100_000: 0.8, 1_000_000: 2}
"""Number of rows -> most seconds until the first page; 10 s for more rows."""


class Client:
    """One open connection to a server."""

    def __init__(self, port: int) -> None:
        """Connect to ``port`` at the first request; the page names its version in each."""
        self.version = ""
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def get(self, path: str) -> bytes:
        """Return the body of an answer, after other tries while the server is busy.

        Any other status than 200 raises.
        """
        if self.version and path.startswith("/api/"):
            path += f"{'&' if '?' in path else '?'}v={self.version}"
        for _ in range(TRIES):
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            body = answer.read()
            if answer.status != 503:
                break
            time.sleep(int(answer.headers.get("Retry-After", 1)))
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


@contextmanager
def process(root: Path) -> Iterator[tuple[int, int]]:
    """Run ``likewise serve`` until the block ends; yield the port and the process id."""
    command = [LIKEWISE, "serve", "--port", "0", "--no-open"]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as served:
        try:
            lines = served.stdout or ()
            port = urlsplit(next(iter(lines), "").strip()).port
            if port is None:
                raise SystemExit("likewise serve printed no address")
            yield port, served.pid
        finally:
            served.send_signal(signal.SIGINT)


def start(root: Path) -> float:
    """Return the seconds until ``likewise serve`` answers its first page."""
    begin = time.perf_counter()
    with process(root) as (port, _):
        Client(port).get("/")
        return time.perf_counter() - begin


def whole_process(table: Table, root: Path, rows: int, rounds: int) -> None:
    """Add the rows of start, first page, first tile and memory of a server of its own."""
    size, count = f"{rows:,} rows", 1 if rounds < 5 else 5
    libraries = [sys.executable, "-c", "import starlette, uvicorn"]
    pairs = [
        (start(root), seconds(lambda: subprocess.run(libraries, check=True)))
        for _ in range(count)
    ]
    ours, peer = (median(column) for column in zip(*pairs, strict=True))
    table.below(f"{size}: start until the first answer", ours, MOST_START_S, peer=peer)
    with process(root) as (port, pid):
        client = Client(port)
        begin = time.perf_counter()
        page = client.json("/api/d/made/page")
        first = time.perf_counter() - begin
        client.get(page["thumbs"][0])
        tile = time.perf_counter() - begin
        most = next((s for n, s in FIRST_PAGE_S.items() if rows <= n), 10)
        table.below(f"{size}: open and first page", first, most)
        table.below(f"{size}: ... and the first tile", tile, most)
        client.version = page["v"]
        client.get(f"/api/d/made/facets?of={','.join(FACETS)}&f.split=test")
        client.get(f"/api/d/made/page?sort=nbytes&offset={rows // 2}")
        used = psutil.Process(pid).memory_full_info()
        limit = 400 if rows <= 1_000_000 else 1_500
        what = f"{size}: memory after pages, facets and an order"
        table.below(what, used.rss / 1e6, limit, "MB")
        table.note("... of it not shared with files of libraries", f"{used.uss / 1e6:.0f} MB")


def browse(table: Table, root: Path, rows: int, rounds: int) -> None:
    """Add the rows of pages, facets, jumps and thumbnails of one size."""
    large_catalogue(root, rows)
    whole_process(table, root, rows, rounds)
    dataset = likewise.open("made", workspace=root)
    with likewise.serve(workspace=root, port=0) as server:
        client = Client(server.settings.port)
        address, size = "/api/d/made", f"{rows:,} rows"
        client.version = client.json(f"{address}/page?limit=1")["v"]
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
    measure_map(table, root, rows)


def search(table: Table, root: Path, rows: int, rounds: int, *, small: bool) -> None:
    """Add the rows of searches, of many clients, and of the memory of many searches."""
    dataset = catalogue(root, clustered(rows))
    with likewise.serve(workspace=root, port=0) as server:
        client = Client(server.settings.port)

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
        client = Client(server.settings.port)  # the server has closed the idle connection
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
        client = Client(server.settings.port)
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
