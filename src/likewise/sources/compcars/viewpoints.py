"""CompCars' label files: the viewpoint of every web image, and where the car is in it."""

from typing import NamedTuple

import polars as pl

from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import findings, findings_frame
from likewise.sources.list_files import dangling

VIEWPOINTS = {
    -1: "uncertain",
    1: "front",
    2: "rear",
    3: "side",
    4: "front-side",
    5: "rear-side",
}

LABELS: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "viewpoint": pl.String,
    "box": pl.Array(pl.Float32, 4),
}

_FILE = r"(\A|/)label/[0-9]+/[0-9]+/[^/]+/[^/]+\.txt\z"
_KEY = r"(?s)(?:\A|/)label/(.*)\.[^./]*\z"


Box = tuple[float, float, float, float]


class _BadBoxError(ValueError):
    """A box that is none: what the check is called, and what is wrong."""


class _Label(NamedTuple):
    viewpoint: str
    corners: list[str]


def read_labels(
    notes: NotesToo, images: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """What the label files say of ``images`` (path, key of web images), and findings.

    Columns of the result: ``LABELS``; ``key`` without suffix; half-open pixels.
    """
    files = (
        notes.names(_FILE).to_frame("file").with_columns(key=pl.col("file").str.extract(_KEY))
    )
    stems = images.with_columns(stem=stem())
    wanted = files.join(stems, left_on="key", right_on="stem", how="semi")
    rows, faults = [], []
    keys = dict(wanted.iter_rows())
    for path, data in notes.read(wanted["file"]):
        try:
            label = _parsed(data)
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
        said = "no label files: no viewpoints, no boxes"
        absent = findings_frame([("label", "no-label", said)] if len(images) else [])
    else:
        bare = stems.join(files, left_on="stem", right_on="key", how="anti")
        absent = findings(bare, "no-label", "it has no label file: no viewpoint, no box")
    entries = files.select(list=pl.col("file").str.extract(r"\A((?:.*/)?label)/"), text="file")
    lost = entries.join(wanted, left_on="text", right_on="file", how="anti")
    told = [findings_frame(faults), absent, dangling(entries, lost, "of images not here")]
    return pl.DataFrame(rows, schema=LABELS, orient="row"), told


def stem() -> pl.Expr:
    """The key of an image without its suffix, as label files are named."""
    return pl.col("key").str.replace(r"\.[^./]*\z", "")


def _parsed(data: bytes) -> _Label:
    """One label file: viewpoint; number of boxes, always 1; x1 y1 x2 y2.

    Raises:
        ValueError: it is something else; the text says what.
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
    """Corners that count from 1 and are inclusive, as half-open pixels.

    Raises:
        _BadBoxError: they are none.
    """
    told = " ".join(words)[:80]
    try:
        x1, y1, x2, y2 = map(int, words)
    except ValueError:
        raise _BadBoxError("bad-box", f"{told!r} are no four whole numbers") from None
    if x1 > x2 or y1 > y2:
        raise _BadBoxError("reversed-box", f"its corners are reversed: {told}")
    if x1 == x2 or y1 == y2:
        # Of inclusive corners that is one pixel wide, which no car is.
        raise _BadBoxError("empty-box", f"it has no area: {told}")
    if x1 < 1 or y1 < 1 or max(x2, y2) > 1 << 20:
        raise _BadBoxError("bad-box", f"pixels are counted from 1: {told}")
    return x1 - 1, y1 - 1, x2, y2
