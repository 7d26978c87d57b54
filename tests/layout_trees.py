"""Small trees of ordinary exports, and what is read of them."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

SIZE = (40, 20)


def picture(size: tuple[int, int] = SIZE, orientation: int = 1) -> bytes:
    """Return a JPEG, with an EXIF orientation if it is not 1."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    options = {"exif": exif} if orientation != 1 else {}
    Image.new("RGB", size).save(stream, "JPEG", **options)
    return stream.getvalue()


def tree(top: Path, files: Mapping[str, object], *images: str) -> Path:
    """Write texts, JSON documents and bytes to ``top``, and the pictures ``images``."""
    contents: dict[str, object] = {**files, **dict.fromkeys(images, picture())}
    for name, content in contents.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return top


def read(kind: str, path: Path, **options: Any) -> SourceResult:
    """Read ``path`` by the layout ``kind``."""
    source = SOURCES.build({"kind": kind, **options}, "card")
    return source.read(source.open(path), path)


def facts(reading: SourceResult, *columns: str) -> dict[str, Any]:
    """Return item -> its values; corners are rounded to hundredths."""
    rows = {}
    for row in reading.items.iter_rows(named=True):
        if row["box"] is not None:
            row["box"] = [round(corner, 2) for corner in row["box"]]
        values = tuple(row[column] for column in columns)
        rows[row["item_id"]] = values if len(values) > 1 else values[0]
    return rows


def checks(reading: SourceResult) -> list[str]:
    """Return the names of all findings."""
    return reading.findings["check"].to_list()


def detail(reading: SourceResult, check: str) -> str:
    """Return the detail of the first finding ``check``."""
    return str(reading.findings.filter(pl.col("check") == check)["detail"][0])
