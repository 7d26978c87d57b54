"""Measure time per row and peak memory of every step with millions of rows.

    python benchmarks/scale_rows.py [--small] [--step NAME] [--rows N] [--evaluated N]
        [--images N] [--folder FOLDER]

Each step is a process of its own. Tables of items, images and float16 vectors are generated and
published, searched, indexed and scored: ``--rows`` of them, and ``--evaluated`` for publish and
evaluate with 1,000 queries. ``--images`` generated images of 4 x 4 pixels in a tar are ingested
and embedded by a function that only copies pixels. The peer of every figure is the same step
with a tenth of the rows. The vectors are in another order than the items. ``--step`` runs only
the named step, and may be repeated.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import data
import million
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from measure import LIKEWISE, Cost, Table, parser, run, show

DIM = 256
QUERIES = 1_000
PER_LABEL = 100
SEARCHES = 100
MOST_MB = 4_000
MOST_DISK_GB = 20
STEPS = ("publish", "search", "index", "evaluate", "ingest", "embed")
PARAMS = """\
datasets:
  many: {path: nowhere, annotations: nowhere}
models:
  m: {kind: timm, backbone: test_resnet.r160_in1k, weights: random, input_size: 32}
embeddings:
  many-m: {dataset: many, model: m, dtype: float16, ann: {kind: none}}
indexes:
  exact: {kind: exact}
  ivfpq: {kind: faiss, factory: "LISTS,PQ32", nprobe: 16, train: 65536}
runs:
  scored: {dataset: many, model: m, index: exact, protocol: sbir-acc}
"""
CARD = "title: Generated\nsource: {kind: folder}\nlicence: {spdx: CC0-1.0}\n"
FUNCTION = "functions: {m: {kind: function, function: average:embed, file: average.py}}"
"""The encoder of generated images; the section ``models`` has none."""
_AVERAGE = f"""\
import numpy as np


def embed(images):
    return np.stack([np.resize(np.asarray(image, np.float32) + 1, {DIM}) for image in images])
"""
_PART = 1 << 16
_ODD = 0x9E3779B97F4A7C15

Halves = npt.NDArray[np.float16]


class Generated:
    """The tables of ``rows`` items of rows / 100 labels, in a catalogue in ``root``."""

    def __init__(self, root: Path, rows: int) -> None:
        """Set the sizes; nothing is written."""
        self._root, self._rows = root, rows
        self._labels = max(rows // PER_LABEL, 2)
        rng = np.random.default_rng(0)
        self._noise = rng.standard_normal((_PART, DIM), np.float32)
        self._centres = rng.standard_normal((min(self._labels, 4096), DIM), np.float32)

    def make(self) -> None:
        """Write the catalogue and its tables of items, images and vectors."""
        run("git", "init", "--quiet", self._root)
        run(LIKEWISE, "init", self._root)
        self.make_tables()

    def make_tables(self) -> None:
        """Write params.yaml, the card and the tables."""
        from likewise.storage import tables
        from likewise.storage.schema import EMBEDDINGS, IMAGES, ITEMS, vector

        lists = f"IVF{min(1024, self._rows // 40)}" if self._rows >= 20_000 else "IVF4"
        text = PARAMS.replace("LISTS", lists)
        (self._root / "params.yaml").write_text(text, encoding="utf-8")
        folder = self._root / "catalog" / "many"
        (folder / "embeddings").mkdir(parents=True)
        folder.with_suffix(".yaml").write_text(CARD, encoding="utf-8")
        for contract, make in ((ITEMS, self._items), (IMAGES, self._images)):
            names = [name for name in contract.names() if name not in contract.blobs()]
            whole = tables.lance_schema(contract)
            schema = pa.schema([whole.field(name) for name in names])
            tables.write(folder / f"{contract.name}.lance", schema, self._batches(schema, make))
        contract = EMBEDDINGS.with_columns(vector("vector", DIM, "float16"))
        passport = {"vector": {"passport": json.dumps({"recipe": {}})}}
        schema = tables.lance_schema(contract, passport)
        path = folder / "embeddings" / "m.lance"
        tables.write(path, schema, self._batches(schema, self._vectors))

    def _batches(
        self, schema: pa.Schema, make: Callable[[list[int]], dict[str, Any]]
    ) -> Iterator[pa.RecordBatch]:
        for start in range(0, self._rows, 8192):
            columns = make(list(range(start, min(start + 8192, self._rows))))
            arrays = [
                values if isinstance(values, pa.Array) else pa.array(values, field.type)
                for field, values in zip(
                    schema, (columns[name] for name in schema.names), strict=True
                )
            ]
            yield pa.record_batch(arrays, schema=schema)

    def _label(self, row: int) -> int:
        return row * self._labels // self._rows

    def _items(self, rows: list[int]) -> dict[str, Any]:
        names = [f"{self._label(row):06d}/{row:08d}.jpg" for row in rows]
        step, none = max(self._rows // QUERIES, 1), [None] * len(rows)
        return {
            "item_id": names,
            "image_id": names,
            "label": [f"label {self._label(row)}" for row in rows],
            "text": none,
            "subset": [f"s{row % 10}" for row in rows],
            "split": none,
            "role": ["gallery" if row % step else "query" for row in rows],
            "box": none,
            "content": list(map(_content, rows)),
        }

    def _images(self, rows: list[int]) -> dict[str, Any]:
        count = len(rows)
        return {
            "image_id": [f"{self._label(row):06d}/{row:08d}.jpg" for row in rows],
            "sha256": list(map(_content, rows)),
            "width": [500] * count,
            "height": [375] * count,
            "format": ["JPEG"] * count,
            "mode": ["RGB"] * count,
            "orientation": [1] * count,
            "nbytes": [row % 100_000 for row in rows],
        }

    def _vectors(self, places: list[int]) -> dict[str, Any]:
        """Return the vectors of a part; the order of the items is that of a large stride."""
        stride = next(
            n for n in range(self._rows // 3 | 1, self._rows + 3) if np.gcd(n, self._rows) == 1
        )
        rows = np.array(places, np.int64) * stride % self._rows
        labels = rows * self._labels // self._rows
        vectors = 0.5 * self._centres[labels % len(self._centres)]
        vectors += self._noise[rows * 7919 % _PART]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        halves: Halves = vectors.astype(np.float16)
        column = pa.FixedSizeListArray.from_arrays(pa.array(halves.ravel()), DIM)
        return {"content": list(map(_content, rows.tolist())), "vector": column}


class Bench:
    """Run the steps on catalogues of two sizes, and add rows to the table."""

    def __init__(self, folder: Path, table: Table, *, images: int) -> None:
        """Make the folder of the catalogues."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._table, self._images = folder, table, images

    def generated(self, rows: int, steps: set[str]) -> None:
        """Measure the ``steps`` on generated tables of ``rows`` items."""
        costs: list[dict[str, Cost]] = []
        disk = 0.0
        for count in (rows // 10, rows):
            root = self._folder / f"rows-{count}"
            Generated(root, count).make()
            one = {}
            for name in [n for n in ("publish", "search", "index", "evaluate") if n in steps]:
                one[name] = run(*_command(name), cwd=root)
                print(f"  {count:,} rows: {name}: {one[name].seconds:.1f} s", file=sys.stderr)
            costs.append(one)
            disk = _bytes_of(root) / 1e9
            shutil.rmtree(root)
        what = {
            "publish": f"publish {rows:,} x {DIM}",
            "search": f"exact search of {SEARCHES} queries in {rows:,} x {DIM}",
            "index": f"build and measure IVF1024,PQ32 of {rows:,} x {DIM}",
            "evaluate": f"evaluate {QUERIES:,} queries in {rows:,} x {DIM}",
        }
        for name, cost in costs[1].items():
            self._row(what[name], cost, costs[0][name], rows)
        self._table.below("... disk, in all", disk, MOST_DISK_GB, "GB")

    def from_images(self, steps: set[str]) -> None:
        """Measure ingest and embed of generated images."""
        costs: list[dict[str, Cost]] = []
        for count in (self._images // 10, self._images):
            root = self._folder / f"images-{count}"
            tar = million.tar_of(self._folder / f"{count}.tar", count)
            data.catalogue(root, "many", "folder", tar)
            text = PARAMS.replace("nowhere", str(tar)).replace("LISTS", "IVF4")
            lines = [line for line in text.splitlines() if not line.startswith("  m: ")]
            text = "\n".join(lines).replace("models:", f"{FUNCTION}\nmodels: {{}}")
            (root / "params.yaml").write_text(text, encoding="utf-8")
            (root / "average.py").write_text(_AVERAGE, encoding="utf-8")
            one = {"ingest": run(LIKEWISE, "ingest", "many", cwd=root)}
            if "embed" in steps:
                run(LIKEWISE, "load", "m", cwd=root)
                one["embed"] = run(*_command("embed"), cwd=root)
            costs.append(one)
            shutil.rmtree(root)
            tar.unlink()
        for name, cost in costs[1].items():
            if name in steps:
                self._row(f"{name} {self._images:,} images", cost, costs[0][name], self._images)

    def _row(self, what: str, cost: Cost, tenth: Cost, rows: int) -> None:
        ours, peer = cost.seconds / rows * 1e6, tenth.seconds / (rows // 10) * 1e6
        self._table.at_most(f"{what}: time a row; peer: a tenth", ours, peer, None, "us")
        self._table.note("... in all", show(cost.seconds), show(tenth.seconds))
        self._table.below("... peak memory", cost.rss_mb, MOST_MB, "MB", tenth.rss_mb)


def main() -> None:
    """Measure the steps, and print a table."""
    made = parser(__doc__)
    made.add_argument("--rows", type=int, default=5_000_000, help="published and searched")
    made.add_argument("--evaluated", type=int, default=12_000_000, help="scored; 0 for none")
    made.add_argument("--images", type=int, default=1_000_000, help="ingested and embedded")
    made.add_argument("--step", action="append", choices=STEPS, help="this one; repeatable")
    made.add_argument("--folder", type=Path, help="work in this folder instead of .work")
    options = made.parse_args()
    if options.small:
        options.rows, options.evaluated, options.images = 3_000, 0, 1_000
    steps = set(options.step or STEPS)
    table = Table(f"Steps with many rows of {DIM} float16 values", small=options.small)
    with data.work() as work:
        folder = options.folder or work
        bench = Bench(folder, table, images=options.images)
        if options.rows and steps & {"publish", "search", "index"}:
            bench.generated(options.rows, steps & {"publish", "search", "index"})
        if options.evaluated and "evaluate" in steps:
            bench.generated(options.evaluated, {"publish", "evaluate"})
        if options.images and steps & {"ingest", "embed"}:
            bench.from_images(steps)
    table.print()


def _bytes_of(folder: Path) -> int:
    """Return the size of all files; one with several hard links, as in a view, counts once."""
    files = [file.stat() for file in folder.rglob("*") if file.is_file()]
    return sum({(one.st_dev, one.st_ino): one.st_size for one in files}.values())


def search() -> None:
    """Search the published vectors of the current folder by a hundred vectors."""
    import likewise

    rng = np.random.default_rng(1)
    dataset = likewise.open("many")
    rows = np.sort(rng.choice(len(dataset), SEARCHES, replace=False))
    queries = dataset.table.vectors("m", rows.tolist()).astype(np.float32)
    hits = likewise.search_many("many", queries, k=10, role="any")
    if len(hits) != 10 * SEARCHES:
        raise SystemExit(f"{len(hits)} hits of {SEARCHES} queries")


def _command(step: str) -> list[object]:
    """Return the command of a step; some are functions of this module."""
    words: dict[str, list[object]] = {
        "publish": [LIKEWISE, "publish", "many"],
        "index": [LIKEWISE, "index", "many", "m", "ivfpq"],
        "embed": [LIKEWISE, "embed", "many", "m"],
        "evaluate": [LIKEWISE, "evaluate", "scored"],
    }
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); "
    return words.get(step) or [
        sys.executable,
        "-c",
        f"{script}import scale_rows; scale_rows.{step}()",
    ]


def _content(row: int) -> str:
    return f"{row * _ODD % 2**64:016x}" * 4


if __name__ == "__main__":
    main()
