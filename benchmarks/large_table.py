"""Make a catalogue of any number of items whose tables are written without a pipeline."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from PIL import Image

from likewise.storage import tables
from likewise.storage.schema import IMAGES, PUBLISHED

LABELS = 1000
BLOCK = 50_000
"""Rows that are generated at a time."""

PARAMS = "datasets:\n  made: {path: nowhere, annotations: nowhere}\n"
CARD = "title: Made\nsource: {kind: folder}\nlicence: {spdx: CC0-1.0}\n"


def large_catalogue(root: Path, rows: int) -> Path:
    """Make a catalogue in ``root`` with the data set ``made`` of ``rows`` items.

    Labels follow a Zipf distribution. All pictures have the same pixels.
    """
    (root / "catalog" / "made").mkdir(parents=True)
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (root / "catalog" / "made.yaml").write_text(CARD, encoding="utf-8")
    published = root / "catalog" / "made.lance"
    tables.write(published, tables.lance_schema(PUBLISHED), _items(rows))
    table = tables.open_table(published)
    table.create_scalar_index("label", "BTREE")
    table.create_scalar_index("split", "BITMAP")
    table.create_scalar_index("subset", "BITMAP")
    schema = tables.lance_schema(IMAGES)
    tables.write(root / "catalog" / "made" / "images.lance", schema, _images(rows, schema))
    return root


def item_id(row: int) -> str:
    """Return the id of the item in ``row``."""
    return f"{row % LABELS:04d}/{row:08d}.png"


def _items(rows: int) -> Iterator[pa.RecordBatch]:
    for facts in _facts(rows):
        columns = [c.name for c in PUBLISHED.columns]
        yield from _batches(facts.select(columns), PUBLISHED.arrow())


def _images(rows: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    for facts in _facts(rows):
        images = facts.with_columns(image=pl.lit(picture.getvalue())).select(IMAGES.names())
        for batch in _batches(images, IMAGES.arrow()):
            yield tables.as_blobs(batch, schema)


def _batches(frame: pl.DataFrame, schema: pa.Schema) -> list[pa.RecordBatch]:
    return list(frame.to_arrow().cast(schema).to_batches(max_chunksize=tables.BATCH))


def _facts(rows: int) -> Iterator[pl.DataFrame]:
    """Yield the columns of both tables, block by block."""
    rng = np.random.default_rng(0)
    for start in range(0, rows, BLOCK):
        row = np.arange(start, min(start + BLOCK, rows))
        ids = [item_id(number) for number in row.tolist()]
        digest = pl.Series(row).cast(pl.String).str.zfill(64)
        label = rng.zipf(1.3, len(row)) % LABELS
        yield pl.DataFrame(
            {
                "item_id": ids,
                "image_id": ids,
                "label": pl.Series(label).cast(pl.String).str.zfill(4),
                "subset": [f"s{number % 6}" for number in row.tolist()],
                "split": rng.choice(["train", "val", "test"], len(row), p=[0.8, 0.1, 0.1]),
                "content": digest,
                "sha256": digest,
                "width": rng.integers(200, 4000, len(row)),
                "height": rng.integers(200, 4000, len(row)),
                "nbytes": rng.integers(10_000, 4_000_000, len(row)),
            }
        ).with_columns(
            text="label",
            role=pl.lit(None, pl.String),
            box=pl.lit(None, pl.Array(pl.Float32, 4)),
            format=pl.lit("PNG"),
            mode=pl.lit("RGB"),
            orientation=pl.lit(1, pl.Int8),
            image=pl.lit(b""),
        )
