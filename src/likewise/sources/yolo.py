"""YOLO: one text file per image, one line per box, in fractions of the image size.

Source: https://docs.ultralytics.com/datasets/detect/, and Darknet before it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from likewise.errors import DataError
from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFiles, decode_text
from likewise.sources.base import SourceResult, findings_from_rows, source_result
from likewise.sources.box_source import (
    BOX_COLUMNS,
    BoxSource,
    RowBuffer,
    first_per_key,
    reference_findings,
    stray_file_findings,
)
from likewise.sources.image_references import match_references
from likewise.sources.split_lists import list_names, splits_from_lists
from likewise.sources.split_names import split_of_folders, split_rank, split_values
from likewise.storage.config import parse_yaml

_LISTS = r"\A(?:[^/]*/)?(?:autosplit_)?{}\.txt\z"
_NOT_LABELS = (
    r"(\A|/)(classes|names|readme[^/]*|licen[cs]e|notes|"
    rf"(autosplit_)?({'|'.join(list_names())}))\.txt\z"
)
_MIN_POLYGON_NUMBERS = 7
"""Numbers in a line of the smallest polygon: the class, and three points."""


class YoloSource(BoxSource):
    """YOLO: the label file of ``images/train/a.jpg`` is ``labels/train/a.txt``.

    Label files are in folders named ``labels...`` next to the image folders, or next to their
    images. A line is ``class x y width height``, centre and size as fractions of the image
    size, or a class and a polygon, whose bounds become the box. Ingest converts boxes to
    pixels, rounded to hundredths: six decimals are not more precise for images up to 10,000
    pixels wide. Class names are read from a YAML file with ``names``, ``classes.txt`` or
    ``*.names``; otherwise the class number is the label. Splits are lists (``train.txt``) or
    folders. Items are sorted by split, image and line.
    """

    names: str = ""
    """File of class names, if there are several candidates."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        images = self.images(files)
        annotation_files = AnnotationFiles(files, annotations)
        paths = annotation_files.find(r"\.txt\z")
        paths = paths.filter(~paths.str.to_lowercase().str.contains(_NOT_LABELS))
        labelled, missing = _join_images(paths, images["path"])
        if labelled.is_empty():
            raise annotation_files.missing_error("labels/{name}.txt for images/{name}.jpg")
        labelled, twins = first_per_key(
            labelled, "image_id", "label_file", "its image has another label file"
        )
        lines, invalid = _parse_label_files(
            annotation_files.read(labelled["label_file"]),
            self._classes(files, annotation_files),
        )
        boxes = (
            lines.join(labelled, on="label_file")
            .sort("label_file", "number")
            .drop("label_file")
        )
        splits, list_findings = splits_from_lists(
            files, annotation_files, _LISTS, list_names(), images
        )
        merged = (
            images.select(image_id="path")
            .join(splits, on="image_id", how="left", maintain_order="left")
            .with_columns(
                split=pl.coalesce(split_values(), split_of_folders("image_id")),
                listed=pl.col("image_id").is_in(labelled["image_id"].implode()),
            )
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        result = self.box_items(merged, boxes)
        is_annotation = (
            pl.col("path").str.to_lowercase().str.contains(r"\.(txt|names|data|ya?ml)\z")
        )
        return source_result(
            files,
            result.items,
            findings_from_rows(invalid),
            missing,
            twins,
            list_findings,
            result.faults,
            stray_file_findings(files, images, is_annotation),
            box_unit="fractions",
            whole_images=result.whole_images,
        )

    def _classes(
        self, files: FileCollection, annotation_files: AnnotationFiles
    ) -> list[str] | None:
        """Return the class names in the order of their numbers; None if no file has them."""
        pattern = rf"(\A|/)({_quoted(self.names) if self.names else _CLASS_FILES})\z"
        for collection in (annotation_files, AnnotationFiles(files, files.path)):
            paths = collection.find(pattern) if collection.is_collection else no_paths()
            sorted_paths = sorted(paths, key=lambda path: (path.count("/"), path))
            for where, data in collection.read(pl.Series(sorted_paths, dtype=pl.String)):
                names = _names(where, data)
                if names is not None:
                    return names
        if self.names:
            raise DataError(f"no file {self.names!r} with names of classes; correct the card")
        return None


_MAX_CLASSES = 1_000_000
"""Maximum number of classes of a data.yaml that numbers them."""

_CLASS_FILES = r"[^/]*\.ya?ml|classes\.txt|names\.txt|[^/]*\.names"


def no_paths() -> pl.Series:
    """Return an empty series of paths."""
    return pl.Series(dtype=pl.String)


def _quoted(name: str) -> str:
    return "".join(f"\\{c}" if not c.isalnum() else c for c in name.lower())


def _names(where: str, data: bytes) -> list[str] | None:
    """Return the class names in a file; None for a YAML file without ``names``."""
    if not where.lower().endswith((".yaml", ".yml")):
        return [line.strip() for line in decode_text(where, data).splitlines() if line.strip()]
    document = parse_yaml(data, where)
    names = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, list):
        return [str(name) for name in names]
    if isinstance(names, dict) and all(isinstance(key, int) for key in names):
        highest = max(names, default=-1)
        if highest >= _MAX_CLASSES:
            raise DataError(
                f"{where}: names has class {highest:,}; at most {_MAX_CLASSES:,} are read"
            )
        return [str(names.get(n, n)) for n in range(highest + 1)]
    if names is not None:
        raise DataError(f"{where}: names is neither a list nor numbers -> names")
    return None


def _join_images(
    annotation_files: pl.Series, paths: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``label_file``, ``image_id`` of the label files; and findings about the others.

    Text files outside label folders that match no image are ignored.
    """
    stem = pl.col("label_file").str.replace(r"(?i)\.txt\z", "")
    folder = r"(?i)(\A|/)labels?[^/]*/"
    label_files = pl.DataFrame({"label_file": annotation_files}).with_columns(
        image_path=stem.str.replace(folder, "${1}images/"),
        reference=stem.str.replace(r"(?i)\A(?:.*/)?labels?[^/]*/", ""),
    )
    by_folder = match_references(label_files["image_path"], paths, stems=True).matched.rename(
        {"reference": "image_path"}
    )
    others = label_files.join(by_folder, on="image_path", how="anti", maintain_order="left")
    by_name = match_references(others["reference"], paths, stems=True)
    matched = pl.concat(
        [
            label_files.join(by_folder, on="image_path"),
            others.join(by_name.matched, on="reference"),
        ],
        how="diagonal",
    )
    in_label_folder = others.filter(pl.col("label_file").str.contains(folder))
    located = matched.select("label_file", image_id="path").sort("label_file")
    return located, reference_findings(in_label_folder, by_name.unmatched, pl.col("label_file"))


def _parse_label_files(
    contents: Iterator[tuple[str, bytes]], classes: Sequence[str] | None
) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
    """Return ``label_file`` and ``BOX_COLUMNS`` without ``image_id``; and rows of findings."""
    columns = {
        "label_file": pl.String,
        **{c: t for c, t in BOX_COLUMNS.items() if c != "image_id"},
    }
    lines = RowBuffer(columns)
    invalid: list[tuple[str, str, str]] = []
    for path, data in contents:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            invalid.append((path, "bad-annotation", f"not UTF-8: {error.reason}"))
            continue
        rows = (line.split() for line in text.splitlines() if line.strip())
        for number, fields in enumerate(rows, start=1):
            try:
                class_number, corners = _box(fields)
            except ValueError as error:
                invalid.append((f"{path}: line {number}", "bad-annotation", str(error)))
                continue
            label = str(class_number)
            if classes is not None:
                label = classes[class_number] if class_number < len(classes) else ""
            if not label:
                detail = (
                    f"there are {len(classes or ()):,} classes, and no number {class_number}"
                )
                invalid.append((f"{path}: line {number}", "unknown-class", detail))
            lines.add(path, number, label or None, *corners)
    return lines.frame(), invalid


def _box(fields: Sequence[str]) -> tuple[int, tuple[float, float, float, float]]:
    """Return the class number of a line, and its corners as fractions of the image size.

    Raises:
        ValueError: the line is neither a box nor a polygon.
    """
    class_number, *values = map(float, fields)
    if class_number < 0 or not class_number.is_integer():
        raise ValueError(f"its class, {fields[0]}, is no number of a class")
    if len(fields) == 5:
        x, y, w, h = values
        return int(class_number), (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    if len(fields) >= _MIN_POLYGON_NUMBERS and len(fields) % 2:
        xs, ys = values[::2], values[1::2]
        return int(class_number), (min(xs), min(ys), max(xs), max(ys))
    raise ValueError(f"it has {len(fields)} numbers, not 5 (a box) or a class and points")
