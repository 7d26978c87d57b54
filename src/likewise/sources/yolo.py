"""YOLO: a text file an image, a line a box, as shares of the image's width and height.

Source: https://docs.ultralytics.com/datasets/detect/, and Darknet before it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from likewise.errors import DataError
from likewise.formats.archives import Files
from likewise.sources.annotation_files import Notes, as_text
from likewise.sources.base import Reading, findings_frame, reading
from likewise.sources.box_source import (
    BOXES,
    BoxSource,
    Gathered,
    dangling,
    first_each,
    foreign,
    split_rank,
)
from likewise.sources.folder import SPLITS
from likewise.sources.image_references import match
from likewise.sources.split_lists import from_lists
from likewise.storage.config import parse_yaml

_LISTS = ("train", "val", "valid", "test")
_NOT_LABELS = r"(\A|/)(classes|names|readme[^/]*|licen[cs]e|notes|train|val|valid|test)\.txt\z"
_POINTS = 7
"""So many numbers make the smallest polygon: the class, and three points."""


class Yolo(BoxSource):
    """The layout of YOLO: ``images/train/a.jpg`` is explained by ``labels/train/a.txt``.

    Label files lie in folders called ``labels...`` beside the images' folders, or beside their
    images. A line is ``class x y width height``, the centre and size as shares of the image's
    own, or a class and a polygon, whose bounds are the box. Ingest makes pixels of them,
    rounded to hundredths: six decimals say no more of an image up to 10,000 pixels wide. Names
    of classes are those of a YAML file with ``names``, of ``classes.txt`` or ``*.names``; else
    the class's number is the label. Splits are lists (``train.txt``), or folders. Rows are by
    split, image and line.
    """

    names: str = ""
    """The file of the classes' names, where there are several that could be it."""

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        images = self.images(files)
        notes = Notes(files, annotations)
        paths = notes.names(r"\.txt\z")
        paths = paths.filter(~paths.str.to_lowercase().str.contains(_NOT_LABELS))
        explained, lost = _with_images(paths, images["path"])
        if explained.is_empty():
            raise notes.absent("labels/{name}.txt for images/{name}.jpg")
        explained, twins = first_each(
            explained, "image_id", "note", "its image has another label file"
        )
        lines, broken = _parsed(notes.read(explained["note"]), self._classes(files, notes))
        boxes = lines.join(explained, on="note").sort("note", "number").drop("note")
        splits, unknown = from_lists(files, notes, "", _LISTS, images)
        told = (
            images.select(image_id="path")
            .join(splits, on="image_id", how="left", maintain_order="left")
            .with_columns(
                split=pl.coalesce(pl.col("split").replace(SPLITS), _folder_split()),
                listed=pl.col("image_id").is_in(explained["image_id"].implode()),
            )
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        made = self.boxed(told, boxes)
        used = pl.col("path").str.to_lowercase().str.contains(r"\.(txt|names|data|ya?ml)\z")
        return reading(
            files,
            made.items,
            findings_frame(broken),
            lost,
            twins,
            unknown,
            made.faults,
            foreign(files, images, used),
            unit="shares",
            wholes=made.wholes,
        )

    def _classes(self, files: Files, notes: Notes) -> list[str] | None:
        """The names of the classes, in the order of their numbers; None where nothing says."""
        wanted = rf"(\A|/)({_quoted(self.names) if self.names else _CLASS_FILES})\z"
        for place in (notes, Notes(files, files.path)):
            found = place.names(wanted) if place.is_many else found_none()
            by_depth = sorted(found, key=lambda path: (path.count("/"), path))
            for where, data in place.read(pl.Series(by_depth, dtype=pl.String)):
                names = _names(where, data)
                if names is not None:
                    return names
        if self.names:
            raise DataError(f"no file {self.names!r} with names of classes; correct the card")
        return None


_CLASS_FILES = r"[^/]*\.ya?ml|classes\.txt|names\.txt|[^/]*\.names"


def found_none() -> pl.Series:
    """No paths."""
    return pl.Series(dtype=pl.String)


def _quoted(name: str) -> str:
    return "".join(f"\\{c}" if not c.isalnum() else c for c in name.lower())


def _names(where: str, data: bytes) -> list[str] | None:
    """The classes that a file names; None for a YAML file without ``names``."""
    if not where.lower().endswith((".yaml", ".yml")):
        return [line.strip() for line in as_text(where, data).splitlines() if line.strip()]
    document = parse_yaml(data, where)
    names = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, list):
        return [str(name) for name in names]
    if isinstance(names, dict) and all(isinstance(key, int) for key in names):
        return [str(names.get(n, n)) for n in range(max(names, default=-1) + 1)]
    if names is not None:
        raise DataError(f"{where}: names is neither a list nor numbers -> names")
    return None


def _with_images(notes: pl.Series, paths: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The label files with the images that they mean (note, image_id), findings of others.

    A text file that lies in no folder of labels, and beside no image, is not spoken of.
    """
    stem = pl.col("note").str.replace(r"(?i)\.txt\z", "")
    folder = r"(?i)(\A|/)labels?[^/]*/"
    asked = pl.DataFrame({"note": notes}).with_columns(
        beside=stem.str.replace(folder, "${1}images/"),
        reference=stem.str.replace(r"(?i)\A(?:.*/)?labels?[^/]*/", ""),
    )
    first = match(asked["beside"], paths, stems=True).found.rename({"reference": "beside"})
    rest = asked.join(first, on="beside", how="anti", maintain_order="left")
    second = match(rest["reference"], paths, stems=True)
    hits = pl.concat(
        [asked.join(first, on="beside"), rest.join(second.found, on="reference")],
        how="diagonal",
    )
    labels = rest.filter(pl.col("note").str.contains(folder))
    found = hits.select("note", image_id="path").sort("note")
    return found, dangling(labels, second.faults, pl.col("note"))


def _parsed(
    contents: Iterator[tuple[str, bytes]], classes: Sequence[str] | None
) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
    """The boxes of label files (note, and BOXES without image_id), and what is wrong."""
    columns = {"note": pl.String, **{c: t for c, t in BOXES.items() if c != "image_id"}}
    lines = Gathered(columns)
    broken: list[tuple[str, str, str]] = []
    for path, data in contents:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            broken.append((path, "bad-annotation", f"not UTF-8: {error.reason}"))
            continue
        filled = (line.split() for line in text.splitlines() if line.strip())
        for number, fields in enumerate(filled, start=1):
            try:
                kind, corners = _box(fields)
            except ValueError as error:
                broken.append((f"{path}: line {number}", "bad-annotation", str(error)))
                continue
            label = str(kind)
            if classes is not None:
                label = classes[kind] if kind < len(classes) else ""
            if not label:
                said = f"there are {len(classes or ()):,} classes, and no number {kind}"
                broken.append((f"{path}: line {number}", "unknown-class", said))
            lines.add(path, number, label or None, *corners)
    return lines.frame(), broken


def _box(fields: Sequence[str]) -> tuple[int, tuple[float, float, float, float]]:
    """The class of a line, and its corners as shares.

    Raises:
        ValueError: it is neither a box nor a polygon.
    """
    kind, *values = map(float, fields)
    if kind < 0 or not kind.is_integer():
        raise ValueError(f"its class, {fields[0]}, is no number of a class")
    if len(fields) == 5:
        x, y, w, h = values
        return int(kind), (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    if len(fields) >= _POINTS and len(fields) % 2:
        xs, ys = values[::2], values[1::2]
        return int(kind), (min(xs), min(ys), max(xs), max(ys))
    raise ValueError(f"it has {len(fields)} numbers, not 5 (a box) or a class and points")


def _folder_split() -> pl.Expr:
    """The split that a folder of the image's path is called by, perhaps with a year."""
    words = "|".join(SPLITS)
    return pl.col("image_id").str.extract(rf"(?:\A|/)({words})[0-9]*/").replace(SPLITS)
