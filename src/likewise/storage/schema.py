"""Column contracts: the Arrow type, unit and meaning of every column of every table.

``likewise schemas`` writes ``schemas/*.yaml`` from them; CI compares the files.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

STORAGE_VERSION: Final = "2.2"
"""The Lance file format of new tables; the first one with packed blobs."""

BOX = pa.list_(pa.float32(), 4)


@dataclass(frozen=True)
class Column:
    """A column: its Arrow type, nullability, unit and meaning.

    ``blob`` marks a binary column that Lance stores in separate packed files; scans do not read
    it.
    """

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    nullable: bool = False
    blob: bool = False


@dataclass(frozen=True)
class Contract:
    """The columns of a table and its key column."""

    name: str
    key: str
    meaning: str
    columns: tuple[Column, ...]

    def arrow(self) -> pa.Schema:
        """Return the Arrow schema, with blob columns as plain ``large_binary``."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])

    def names(self) -> list[str]:
        """Return the names of the columns in order."""
        return [c.name for c in self.columns]

    def blobs(self) -> list[str]:
        """Return the names of the blob columns."""
        return [c.name for c in self.columns if c.blob]

    def with_columns(self, *columns: Column) -> "Contract":
        """Return this contract with further columns at its end."""
        return replace(self, columns=(*self.columns, *columns))


def explained(columns: Iterable[Column]) -> dict[str, dict[str, str]]:
    """Return the field metadata (meaning and unit) of the columns of a source."""
    return {c.name: {"meaning": c.meaning, "unit": c.unit} for c in columns}


_FACTS = (
    Column("sha256", pa.string(), "SHA-256 of the file's bytes, 64 hexadecimal digits"),
    Column("width", pa.int32(), "width as stored, before any EXIF rotation", "pixels"),
    Column("height", pa.int32(), "height as stored, before any EXIF rotation", "pixels"),
    Column("format", pa.string(), "encoding of the file, as Pillow names it: JPEG, PNG ..."),
    Column("mode", pa.string(), "pixel layout, as Pillow names it: RGB, L, RGBA, P, CMYK ..."),
    Column(
        "orientation",
        pa.int8(),
        "EXIF orientation, 1 to 8 (1: upright, or none given); recorded, never applied",
    ),
    Column("nbytes", pa.int64(), "size of the file", "bytes"),
)

IMAGES = Contract(
    "images",
    "image_id",
    "one row per image file, with its unchanged bytes; the order of the rows has no meaning",
    (
        Column("image_id", pa.string(), "the file's path in its source, with '/'"),
        *_FACTS,
        Column("image", pa.large_binary(), "the file's bytes, unchanged", blob=True),
    ),
)

ITEMS = Contract(
    "items",
    "item_id",
    "one row per item (the unit that is embedded, searched and scored), in canonical order",
    (
        Column(
            "item_id", pa.string(), "id of the image; for a box followed by '#' and a number"
        ),
        Column("image_id", pa.string(), "the image that the item is in"),
        Column("label", pa.string(), "the class, as the source names it", nullable=True),
        Column("text", pa.string(), "the class in words", nullable=True),
        Column("subset", pa.string(), "the part of the benchmark it is in", nullable=True),
        Column(
            "split", pa.string(), "train, val, test or the source's own name", nullable=True
        ),
        Column("role", pa.string(), "query, gallery, or null for both", nullable=True),
        Column(
            "box",
            BOX,
            "x1, y1, x2, y2, half-open, of the stored image",
            "pixels",
            nullable=True,
        ),
        Column(
            "content",
            pa.string(),
            "identifies the pixels that are embedded: SHA-256 of the image, and the box",
        ),
    ),
)

FINDINGS = Contract(
    "findings",
    "finding_id",
    "one row per fault of the source; its file or item is left out unless detail differs",
    (
        Column("finding_id", pa.string(), "check and path, separated by ': '"),
        Column(
            "check",
            pa.string(),
            "name of the failed check: not-an-image, unreadable, empty-box ...",
        ),
        Column(
            "path",
            pa.string(),
            "file in the source, undecodable bytes as \\xNN; or item; or place in annotations",
        ),
        Column("detail", pa.string(), "description of the fault"),
    ),
)

EMBEDDINGS = Contract(
    "embeddings",
    "content",
    "one row per distinct content (the pixels of an image or box)",
    (Column("content", pa.string(), "embedded content, as in the column content of items"),),
)

MAPS = Contract(
    "maps",
    "content",
    "one row per distinct content that has a place on a map",
    (
        Column("content", pa.string(), "content, as in the column content of items"),
        Column("x", pa.float32(), "first coordinate; for pca the first principal component"),
        Column("y", pa.float32(), "second coordinate"),
        Column(
            "fitted",
            pa.bool_(),
            "true if the method placed it; false if it is between fitted neighbours",
        ),
    ),
)

THUMBS = Contract(
    "thumbs",
    "content",
    "one row per distinct content with a small picture, for machines without the pixels",
    (
        Column("content", pa.string(), "content, as in the column content of items"),
        Column("picture", pa.large_binary(), "a JPEG, upright and cut to the box"),
    ),
)

PUBLISHED = Contract(
    "published",
    "item_id",
    "items, facts about their images, and one vector column per model, in canonical order",
    (*ITEMS.columns, *(c for c in _FACTS if c.name != "sha256"), _FACTS[0]),
)

_IDS = (pa.large_list(pa.string()), pa.large_list(pa.int64()))
PIXELS = Contract(
    "pixels",
    "sha256",
    "one row per distinct file: measures of the quality of its pixels",
    (
        Column("sha256", pa.string(), "the file that was measured"),
        Column(
            "brightness",
            pa.float64(),
            "mean grey value, 0 (black) to 1 (white); null where it cannot be decoded",
            nullable=True,
        ),
        Column(
            "sharpness",
            pa.float64(),
            "variance of the Laplacian of the grey values (0 to 255)",
            nullable=True,
        ),
        Column(
            "phash",
            pa.string(),
            "perceptual hash, 64 hexadecimal digits; few bits differ between similar pictures",
            nullable=True,
        ),
        Column("fault", pa.string(), "why it cannot be decoded", nullable=True),
    ),
)

FLAGS = Contract(
    "flags",
    "flag_id",
    "one row per flag of an image or item; flagged images stay in all other tables",
    (
        Column("flag_id", pa.string(), "flag, and item or image, separated by ': '"),
        Column(
            "flag", pa.string(), "name of the flag: duplicate, near_duplicate, small, leak ..."
        ),
        Column("image_id", pa.string(), "flagged image"),
        Column(
            "item_id",
            pa.string(),
            "flagged item; null if the whole image is flagged",
            nullable=True,
        ),
        Column("value", pa.float64(), "measured value, in the unit of the flag", nullable=True),
        Column("other_dataset", pa.string(), "data set of the other image", nullable=True),
        Column("other", pa.string(), "image or item that it is too similar to", nullable=True),
        Column("detail", pa.string(), "description of the doubt"),
    ),
)

QUERIES = Contract(
    "queries",
    "item_id",
    "one row per query of a run; one column per further metric",
    (
        Column("item_id", pa.string(), "the query"),
        Column("label", pa.string(), "its class", nullable=True),
        Column("subset", pa.string(), "its subset", nullable=True),
        Column(
            "value",
            pa.float64(),
            "the protocol's main metric, 0 to 1; null where it is not scored",
            nullable=True,
        ),
        Column(
            "value_without",
            pa.float64(),
            "value without the re-ranker of the run; absent without a re-ranker",
            nullable=True,
        ),
        Column(
            "first_hit", pa.int64(), "rank of the first relevant item, from 1", nullable=True
        ),
        Column("relevant", pa.int64(), "relevant items in the gallery"),
        Column(
            "by",
            pa.string(),
            "its value of the column by which a run is reported; absent without such a column",
            nullable=True,
        ),
        Column("ranks", _IDS[1], "ranks of the relevant items in the ranking, ascending"),
        Column("hits", _IDS[0], "first items of the ranking, 20 at most"),
        Column("hit_scores", pa.large_list(pa.float32()), "scores of hits, where known"),
        Column("hit_relevant", pa.large_list(pa.bool_()), "true for each hit that is relevant"),
        Column(
            "missed", _IDS[0], "relevant items ranked after hits, nearest first, 20 at most"
        ),
        Column(
            "missed_ranks",
            _IDS[1],
            "ranks of missed; null for items that are not in the ranking",
        ),
    ),
)


def vector(name: str, dim: int, dtype: str) -> Column:
    """Return a vector column of ``dim`` values of ``dtype`` (float32 or float16)."""
    value = {"float32": pa.float32(), "float16": pa.float16()}[dtype]
    meaning = "L2-normalised embedding; the model's passport is in the field's metadata"
    return Column(name, pa.list_(value, dim), meaning, nullable=False)


TABLES = (
    IMAGES,
    ITEMS,
    FINDINGS,
    EMBEDDINGS,
    PIXELS,
    FLAGS,
    MAPS,
    THUMBS,
    PUBLISHED,
    QUERIES,
)
