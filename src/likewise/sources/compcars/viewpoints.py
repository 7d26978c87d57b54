"""CompCars' label files: viewpoint and bounding box of each web image."""

from typing import NamedTuple

import polars as pl

from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import findings_about, findings_from_rows
from likewise.sources.list_files import missing_entry_findings

VIEWPOINTS = {
    -1: "uncertain",
    1: "front",
    2: "rear",
    3: "side",
    4: "front-side",
    5: "rear-side",
}

FRONTS = ("front", "front-side")
"""The viewpoints that the CompCars image-retrieval system ranks."""

MIN_IMAGES = 58
"""Images of these viewpoints that a class needs in that system, or it is a minor class."""

LABELS: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "viewpoint": pl.String,
    "box": pl.Array(pl.Float32, 4),
}

_FILE = r"(\A|/)label/[0-9]+/[0-9]+/[^/]+/[^/]+\.txt\z"
_KEY = r"(?s)(?:\A|/)label/(.*)\.[^./]*\z"


Box = tuple[float, float, float, float]


class _BadBoxError(ValueError):
    """An invalid box; its arguments are the check and the detail of the finding."""


class _Label(NamedTuple):
    viewpoint: str
    corners: list[str]


def read_labels(
    annotation_files: AnnotationFilesWithFallback, images: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Read the label files of ``images`` (``path``, ``key`` of web images), and findings.

    Returns:
        ``LABELS``: ``key`` is without suffix, boxes are half-open pixels; and findings.
    """
    files = (
        annotation_files.find(_FILE)
        .to_frame("file")
        .with_columns(key=pl.col("file").str.extract(_KEY))
    )
    stems = images.with_columns(stem=key_stem())
    label_files = files.join(stems, left_on="key", right_on="stem", how="semi")
    rows, faults = [], []
    keys = dict(label_files.iter_rows())
    for path, data in annotation_files.read(label_files["file"]):
        try:
            label = _parse_label(data)
        except ValueError as error:
            faults.append((path, "bad-annotation", str(error)))
            continue
        box = None
        try:
            box = _box(label.corners)
        except _BadBoxError as error:
            faults.append((path, *error.args))
        rows.append((keys[path], label.viewpoint, box))
    if files.is_empty():
        detail = "no label files: no viewpoints, no boxes"
        no_label_findings = findings_from_rows(
            [("label", "no-label", detail)] if len(images) else []
        )
    else:
        unlabelled = stems.join(files, left_on="stem", right_on="key", how="anti")
        no_label_findings = findings_about(
            unlabelled, "no-label", "it has no label file: no viewpoint, no box"
        )
    entries = files.select(list=pl.col("file").str.extract(r"\A((?:.*/)?label)/"), text="file")
    missing = entries.join(label_files, left_on="text", right_on="file", how="anti")
    findings = [
        findings_from_rows(faults),
        no_label_findings,
        missing_entry_findings(entries, missing, "of images not here"),
    ]
    return pl.DataFrame(rows, schema=LABELS, orient="row"), findings


def key_stem() -> pl.Expr:
    """Return the expression for the key without suffix, which is the name of label files."""
    return pl.col("key").str.replace(r"\.[^./]*\z", "")


def _parse_label(data: bytes) -> _Label:
    """Parse a label file: viewpoint; number of boxes, always 1; x1 y1 x2 y2.

    Raises:
        ValueError: the file has another structure.
    """
    words = [line.split() for line in data.decode("ascii", "replace").split("\n")]
    lines = [line for line in words if line]
    if len(lines) != 3 or len(lines[0]) != 1 or len(lines[2]) != 4:
        raise ValueError("expected three lines: viewpoint, 1, and x1 y1 x2 y2")
    try:
        viewpoint = VIEWPOINTS[int(lines[0][0])]
    except (ValueError, KeyError):
        raise ValueError(f"{lines[0][0][:20]!r} is no viewpoint: -1, or 1 to 5") from None
    if lines[1] != ["1"]:
        raise ValueError(f"it has {' '.join(lines[1])[:20]!r} boxes, not 1")
    return _Label(viewpoint, lines[2])


def _box(words: list[str]) -> Box:
    """Convert inclusive corners from 1 to half-open pixels.

    Raises:
        _BadBoxError: the corners are invalid.
    """
    text = " ".join(words)[:80]
    try:
        x1, y1, x2, y2 = map(int, words)
    except ValueError:
        raise _BadBoxError("bad-box", f"{text!r} are no four whole numbers") from None
    if x1 > x2 or y1 > y2:
        raise _BadBoxError("reversed-box", f"its corners are reversed: {text}")
    if x1 == x2 or y1 == y2:
        # With inclusive corners the box is one pixel wide, too small for a car.
        raise _BadBoxError("empty-box", f"it has no area: {text}")
    if x1 < 1 or y1 < 1 or max(x2, y2) > 1 << 20:
        raise _BadBoxError("bad-box", f"pixels are counted from 1: {text}")
    return x1 - 1, y1 - 1, x2, y2
