"""Measure figures of queries, in which most pictures are shown several times.

    python benchmarks/figures.py [--small]

300 queries with 10 hits each search 400 photographs of 1024 x 768 by random vectors. The peer
of the page decodes and reduces each distinct picture once; the bytes of these small pictures
as ``data:`` URLs are the least bytes of a page. The peer of the image also compresses its
pixels. Times are processor times of one process, medians of the rounds.
"""

import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
import yaml
from data import mosaics, small_files
from measure import Table, medians, parser
from PIL import Image

import likewise
from likewise.imaging.decode import decode_small
from likewise.pages.gallery import SIDE, thumbnail

HITS = 10
PAGE, IMAGE, DECODE, COMPRESS = "page", "image", "decode", "compress"


def catalogue(root: Path, *, small: bool) -> likewise.Dataset:
    """Ingest the photographs, with random vectors."""
    tree = small_files(40) if small else mosaics(400, 4, 3)
    content = {
        "datasets": {"photos": {"path": str(tree), "annotations": str(tree)}},
        "indexes": {"exact": {"kind": "exact"}},
    }
    (root / "catalog").mkdir()
    (root / "params.yaml").write_text(yaml.safe_dump(content), "utf-8")
    card = "title: Photographs\nsource: {kind: folder}\nlicence: {spdx: CC0-1.0}\n"
    (root / "catalog" / "photos.yaml").write_text(card, "utf-8")
    counts = likewise.ingest("photos", workspace=root)
    vectors = np.random.default_rng(0).normal(size=(counts.items, 64))
    np.save(root / "vectors.npy", vectors.astype(np.float32))
    likewise.import_vectors("photos", "random", root / "vectors.npy", workspace=root)
    likewise.publish("photos", workspace=root)
    return likewise.open("photos", workspace=root)


class Bench:
    """Measures a figure of the first queries of a data set."""

    def __init__(self, dataset: likewise.Dataset, folder: Path, queries: int) -> None:
        """Search once; the search is not measured."""
        asked = dataset.items.select(id=pl.col("item_id")).head(queries)
        self.hits = likewise.search_many(
            "photos", asked, k=HITS, model="random", workspace=folder
        )
        self.distinct = sorted({*asked["id"], *self.hits["item_id"]})
        self.page, self.image = folder / "rows.html", folder / "rows.png"
        self._images = dataset.images(self.distinct, encoded=True)

    def rounds(self, number: int) -> dict[str, float]:
        """Return the median processor seconds of each part."""
        parts = {
            DECODE: self._decode,
            PAGE: lambda: self.hits.to_html(self.page),
            IMAGE: lambda: self.hits.to_png(self.image),
            COMPRESS: self._compress,
        }
        return medians({name: _processor(part) for name, part in parts.items()}, number)

    def least_bytes(self) -> int:
        """Return the bytes of the distinct small pictures as URLs."""
        return sum(len(url) for url in set(map(thumbnail, self._images)) if url)

    def _decode(self) -> None:
        for data in self._images:
            decode_small(data, SIDE)

    def _compress(self) -> None:
        with Image.open(self.image) as image:
            image.save(BytesIO(), "PNG")


def _processor(work: Callable[[], None]) -> Callable[[], float]:
    def measured() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return measured


def main() -> None:
    """Draw the figures and print a table."""
    options = parser(__doc__).parse_args()
    queries = 20 if options.small else 300
    table = Table("Figures of queries", small=options.small)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        bench = Bench(catalogue(root, small=options.small), root, queries)
        took = bench.rounds(1 if options.small else 3)
        shown = f"{queries} queries, {HITS} hits each, {len(bench.distinct)} distinct pictures"
        decode, compress = took[DECODE], took[COMPRESS]
        table.at_most(f"page, {shown}; each decoded once", took[PAGE], decode, 1.5)
        sizes = (bench.page.stat().st_size / 1e6, bench.least_bytes() / 1e6)
        table.at_most("bytes of the page; of its pictures, once", *sizes, 1.5, "MB")
        least = decode + compress
        table.at_most("image; each decoded once, compressed", took[IMAGE], least, 1.3)
    table.print()


if __name__ == "__main__":
    main()
