"""Tables of annotations: which column is what, and what of other columns is kept."""

import difflib
import re
from abc import ABC
from collections.abc import Sequence
from typing import Literal

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, hint
from likewise.files import Files
from likewise.schema import PUBLISHED, Column
from likewise.sources.base import Reading, as_findings, findings, reading
from likewise.sources.boxes import CORNERS, BoxSource, dangling, foreign, split_rank
from likewise.sources.folder import SPLITS
from likewise.sources.references import match

TEXTS = ("label", "text", "split", "subset", "role")
"""What a column of text may be, besides the image's name."""

_SIZES = ("w", "h")

_KNOWN: dict[str, tuple[str, ...]] = {
    "image": ("image", "path", "filename", "file_name", "file", "image_path", "img", "name"),
    "label": ("label", "class", "class_name", "category", "category_name"),
    "text": ("text", "caption", "description"),
    "split": ("split", "set", "partition"),
    "subset": ("subset", "group"),
    "role": ("role",),
    "x1": ("x1", "xmin", "x_min", "left"),
    "y1": ("y1", "ymin", "y_min", "top"),
    "x2": ("x2", "xmax", "x_max", "right"),
    "y2": ("y2", "ymax", "y_max", "bottom"),
    "w": ("w", "box_width", "bbox_width"),
    "h": ("h", "box_height", "bbox_height"),
    "width": ("width", "image_width"),
    "height": ("height", "image_height"),
}
"""What a column is -> the names that it is known by, in lower case, the best first."""

_NEAR = 0.8


class TableSource(BoxSource, ABC):
    """A layout with a table: a row a box, or an image.

    Columns are found by their names, upper or lower case; an option names another. A row with
    corners is a box; one without says its image's label. ``width`` and ``height`` are the
    image's size, which ingest compares with the true one. Every other column is kept under its
    own name, in lower case, its type told by its values: whole numbers, numbers, true or false,
    else text. Rows are by split (train, val, test, any other), image and row.
    """

    image: str = ""
    """The column of images' names."""
    label: str = ""
    """The column of classes."""
    text: str = ""
    """The column of the classes in words."""
    split: str = ""
    """The column of splits; without one, the split that the table's file name says."""
    subset: str = ""
    """The column of subsets."""
    role: str = ""
    """The column of roles: query or gallery."""
    x1: str = ""
    y1: str = ""
    x2: str = ""
    y2: str = ""
    """The columns of corners."""
    w: str = ""
    h: str = ""
    """The columns of widths and heights of boxes, in place of x2 and y2."""

    corners: Literal["half-open", "1-based"] = "half-open"
    """How corners count: half-open from 0, or from 1 and inclusive."""

    def mapped(self, table: pl.DataFrame, where: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """``table`` with its columns called as what they are, and findings about odd names.

        Other columns are called ``further:NAME``.

        Raises:
            DataError: no column says the image, or only some corners have columns.
        """
        names = [name for name in table.columns if name != ":where"]
        chosen = {kind: self._column(kind, names, where) for kind in _KNOWN}
        there = {column: kind for kind, column in chosen.items() if column}
        if not chosen["image"]:
            near = hint("image", names) if names else "there is none"
            raise DataError(
                f"{where}: no column says the image; {near}; name it in the card: image: COLUMN"
            )
        self._need_corners(chosen, where)
        rest = [name for name in names if name not in there]
        renamed = {**there, **{name: f"further:{name}" for name in rest}}
        return table.rename(renamed), _near_misses(rest, chosen, where)

    def _column(self, kind: str, names: Sequence[str], where: str) -> str:
        """The column that is ``kind``; "" where there is none."""
        named = getattr(self, kind, "")
        if named and named not in names:
            raise DataError(f"{where}: no column {named!r} ({kind}); {hint(named, names)}")
        lower = {name.lower().strip(): name for name in reversed(names)}
        return named or next((lower[n] for n in _KNOWN[kind] if n in lower), "")

    def _need_corners(self, chosen: dict[str, str], where: str) -> None:
        far = [kind for kind in (*CORNERS[2:], *_SIZES) if chosen[kind]]
        near = [kind for kind in CORNERS[:2] if chosen[kind]]
        if not near and not far:
            return
        if len(near) < 2 or not ({"x2", "y2"} <= set(far) or {"w", "h"} <= set(far)):
            there = ", ".join(f"{chosen[kind]!r} ({kind})" for kind in near + far)
            raise DataError(
                f"{where}: of a box's corners there is only {there}; "
                "name the others in the card: x1, y1, and x2, y2 or w, h"
            )

    def assembled(
        self, files: Files, rows: pl.DataFrame, faults: Sequence[pl.DataFrame], used: pl.Expr
    ) -> Reading:
        """A reading of ``rows`` whose columns are called as what they are; see ``mapped``."""
        images = self.images(files)
        rows, further = _with_types(_complete(rows))
        found = match(rows["image"], images["path"], top=files.path)
        lost = dangling(
            rows.rename({"image": "reference"}), found.faults, pl.concat_str(":where")
        )
        nameless = findings(
            rows.filter(pl.col("image").is_null()).select(path=":where"),
            "bad-row",
            "it names no image",
        )
        placed = rows.join(
            found.found.rename({"path": "image_id"}),
            left_on="image",
            right_on="reference",
            maintain_order="left",
        )
        own = [column.name for column in further]
        told, twins = _images(images, placed, own)
        items, wrong = self.boxed(
            told.drop("width", "height"), _boxes(placed, own, one=self.corners == "1-based")
        )
        return reading(
            files,
            items,
            *faults,
            lost,
            nameless,
            twins,
            wrong,
            foreign(files, images, used),
            further=further,
            sizes=told.select("image_id", "width", "height"),
        )


def _near_misses(rest: Sequence[str], chosen: dict[str, str], where: str) -> pl.DataFrame:
    """Findings about columns that are nearly called as one that there is not."""
    absent = {n: kind for kind, column in chosen.items() if not column for n in _KNOWN[kind]}
    rows = []
    for name in rest:
        near = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=_NEAR)
        if near:
            rows.append((f"{where}: {name}", f"kept as it is; did you mean {near[0]!r}?"))
    frame = pl.DataFrame(rows, schema={"path": pl.String, "detail": pl.String}, orient="row")
    return as_findings(frame.with_columns(check=pl.lit("odd-column")))


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with every column that there might be, texts and numbers as such."""
    numbers = (*CORNERS, *_SIZES, "width", "height")
    absent = [c for c in ("image", *TEXTS, *numbers) if c not in rows.columns]
    full = rows.with_columns(pl.lit(None, pl.String).alias(c) for c in absent)
    boxed = pl.any_horizontal(pl.col(c).is_not_null() for c in (*CORNERS, *_SIZES))
    split = pl.col("split").str.to_lowercase().replace(SPLITS)
    known = pl.when(split.is_in(list(SPLITS.values()))).then(split).otherwise("split")
    return full.with_columns(boxed=boxed).with_columns(
        *(pl.col(c).cast(pl.Float64, strict=False) for c in numbers), split=known
    )


def _boxes(placed: pl.DataFrame, own: list[str], *, one: bool) -> pl.DataFrame:
    """The rows that are boxes, half-open; ``one`` where their corners count from 1."""
    low = 1 if one else 0
    inside = placed.filter("boxed")
    return inside.select(
        "image_id",
        "label",
        "text",
        *own,
        number=pl.int_range(1, pl.len() + 1).over("image_id"),
        x1=pl.col("x1") - low,
        y1=pl.col("y1") - low,
        x2=pl.coalesce("x2", pl.col("x1") - low + pl.col("w")),
        y2=pl.coalesce("y2", pl.col("y1") - low + pl.col("h")),
    )


def _images(
    images: pl.DataFrame, placed: pl.DataFrame, own: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A row an image, with what its rows say of it; findings where two rows disagree."""
    plain = placed.filter(~pl.col("boxed"))
    first = plain.unique("image_id", keep="first", maintain_order=True)
    again = plain.join(first.select(":where"), on=":where", how="anti", maintain_order="left")
    shared = ("split", "subset", "role", "width", "height")
    said = placed.group_by("image_id", maintain_order=True).agg(
        pl.col(c).drop_nulls().first() for c in shared
    )
    other = placed.join(
        said.select("image_id", taken="split"), on="image_id", maintain_order="left"
    ).filter(pl.col("split") != pl.col("taken"))
    told = (
        images.select(image_id="path")
        .join(said.with_columns(listed=True), on="image_id", how="left")
        .join(first.select("image_id", "label", "text", *own), on="image_id", how="left")
        .with_columns(pl.col("listed").fill_null(value=False))
        .sort(split_rank(), "split", "image_id", nulls_last=True)
    )
    return told, pl.concat(
        [
            findings(
                again.select(path=":where"), "twin", "a row before it is of the same image"
            ),
            findings(
                other.select("taken", path=":where"),
                "two-splits",
                pl.concat_str(pl.lit("another row has its image in, and it is in, "), "taken"),
            ),
        ]
    )


def _with_types(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Column, ...]]:
    """``rows`` with its further columns typed and named as fields are, and what they are."""
    taken = {*PUBLISHED.names(), "vector", "number", "listed", *rows.columns}
    columns, values = [], []
    for name in [n for n in rows.columns if n.startswith("further:")]:
        said = name.removeprefix("further:")
        field = field_name(said, taken)
        taken.add(field)
        series = typed(rows[name]).alias(field)
        values.append(series)
        meaning = f"the table's column {said!r}"
        columns.append(Column(field, _ARROW[series.dtype], meaning, nullable=True))
    bare = rows.select(n for n in rows.columns if not n.startswith("further:"))
    return bare.with_columns(values), tuple(columns)


_ARROW: dict[object, pa.DataType] = {
    pl.String: pa.string(),
    pl.Int64: pa.int64(),
    pl.Float64: pa.float64(),
    pl.Boolean: pa.bool_(),
}


def field_name(name: str, taken: set[str]) -> str:
    """A name of a column as a field has it: letters, digits and '_', and not yet ``taken``."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "column"
    if plain[0].isdigit() or plain in taken:
        plain = f"given_{plain}"
    number = 2
    field = plain
    while field in taken:
        field, number = f"{plain}_{number}", number + 1
    return field


def typed(values: pl.Series) -> pl.Series:
    """``values`` in the type that all of them are of; "007" and 10**19 are text."""
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    if values.dtype.is_float():
        return values.cast(pl.Float64)
    if values.dtype == pl.Boolean:
        return values
    texts = values.cast(pl.String)
    there = texts.drop_nulls()
    kind = next((kind for kind, says in _SAYS.items() if there.str.contains(says).all()), None)
    if kind is None or there.is_empty():
        return texts
    return texts.str.to_lowercase() == "true" if kind == pl.Boolean else texts.cast(kind)


_SAYS: dict[type[pl.DataType], str] = {
    pl.Int64: r"\A(?:0|-?[1-9][0-9]{0,17})\z",
    pl.Float64: r"\A-?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,2})?\z",
    pl.Boolean: r"(?i)\A(?:true|false)\z",
}
"""A type, and how all values of it are written."""
