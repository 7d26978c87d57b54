"""Turn cells that hold boxes, and labels that are JSON, into plain rows."""

from collections.abc import Sequence

import msgspec
import polars as pl

from likewise.sources.annotation_files import JSON_ERRORS
from likewise.sources.box_cells import BoxFormat, CellBox, boxes_in_cell
from likewise.sources.box_source import CORNERS
from likewise.sources.delimited_text import FindingRow
from likewise.sources.extra_columns import PREFIX

MARK = ":cell "
"""Prefix of columns with boxes in cells: ``:cell {kind} {name in the table}``."""

_SAMPLE = 200
_LABEL_KEYS = ("class", "label", "name", "type", "category", "value", "class_name")
_SHOWN = 60


def holds_boxes(values: pl.Series, kind: str) -> bool:
    """Return True if the first texts of a column are cells with boxes."""
    sample = values.drop_nulls().head(_SAMPLE).cast(pl.String)
    if sample.is_empty():
        return False
    try:
        counts = [len(boxes_in_cell(text, kind)) for text in sample]
    except ValueError:
        return False
    return sum(counts) > 0


def unfold_cells(rows: pl.DataFrame, form: BoxFormat) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Give each box of a cell a row of its own, with numbers in ``x1`` ... or ``w``, ``h``.

    Args:
        rows: rows with ``:where``, and columns named with ``MARK``; ``width`` and ``height``
            are the size of the image.
        form: order of four plain numbers; ``auto`` takes the only order that is possible.

    Returns:
        The rows, without those columns. If the order of numbers cannot be known, the column is
        an extra column, and a finding says how to state it.
    """
    findings: list[FindingRow] = []
    for column in [name for name in rows.columns if name.startswith(MARK)]:
        kind, _, name = column.removeprefix(MARK).partition(" ")
        cells, invalid = _parse(rows, column, kind)
        order = form if form != "auto" else _order(rows, cells)
        if not order:
            detail = (
                f"the column {name!r} has boxes, whose order of numbers cannot be known; say "
                "it by --option box_format=xywh or xyxy, or in the card"
            )
            findings.append((f"{_table(rows, column)}: {name}", "unread-boxes", detail))
            rows = rows.rename({column: f"{PREFIX}{name}"})
            continue
        findings += invalid
        rows = _with_boxes(rows.drop(column), cells, order)
    return rows, findings


_Cells = list[list[CellBox] | None]
"""The boxes of each row; None where the cell is empty."""


def _parse(rows: pl.DataFrame, column: str, kind: str) -> tuple[_Cells, list[FindingRow]]:
    cells: _Cells = []
    invalid: list[FindingRow] = []
    for text, where in rows.select(column, ":where").iter_rows():
        try:
            cells.append(None if text is None else boxes_in_cell(text, kind))
        except ValueError as error:
            invalid.append((where, "bad-box", str(error)))
            cells.append(None)
    return cells, invalid


def _table(rows: pl.DataFrame, column: str) -> str:
    """Return the path of the first table with values in ``column``."""
    where = rows.filter(pl.col(column).is_not_null())[":where"]
    return str(where[0]).rpartition(": ")[0] if len(where) else "table"


def _order(rows: pl.DataFrame, cells: _Cells) -> str:
    """Return the only possible order of plain numbers; "" if it is not known."""
    plain = [
        (box.numbers, at)
        for at, boxes in enumerate(cells)
        for box in boxes or ()
        if not box.form
    ]
    if not plain:
        return "xyxy"
    corners = all(x2 > x1 and y2 > y1 for (x1, y1, x2, y2), _ in plain)
    sizes = all(w > 0 and h > 0 for (_, _, w, h), _ in plain)
    known = [name for name in ("width", "height") if name in rows.columns]
    if sizes and len(known) == 2:
        limits = rows.select(pl.col(known).cast(pl.Float64, strict=False)).rows()
        sizes = all(
            x + w <= (limits[at][0] or float("inf")) + 1
            and y + h <= (limits[at][1] or float("inf")) + 1
            for (x, y, w, h), at in plain
        )
    if corners == sizes:
        return ""
    return "xyxy" if corners else "xywh"


def _with_boxes(rows: pl.DataFrame, cells: _Cells, order: str) -> pl.DataFrame:
    """Return one row per box; rows without a box stay."""
    numbers, counts, sides, labels = [], [], [], []
    for at, boxes in enumerate(cells):
        for count, box in enumerate(boxes or (None,), start=1):
            numbers.append(at)
            counts.append(count if len(boxes or ()) > 1 else 0)
            sides.append((None,) * 6 if box is None else _sides(box, order))
            labels.append(None if box is None else box.label)
    unfolded = rows[numbers]
    nth = pl.Series(counts, dtype=pl.Int64)
    place = pl.when(nth > 0).then(pl.format("{}, box {}", ":where", nth.cast(pl.String)))
    boxes_frame = pl.DataFrame(sides, schema=dict.fromkeys(_SIDES, pl.Float64), orient="row")
    new = [name for name in _SIDES if name not in rows.columns]
    unfolded = unfolded.with_columns(
        place.otherwise(":where").alias(":where"), *(boxes_frame[name] for name in new)
    )
    if any(label is not None for label in labels):
        label = pl.Series(labels, dtype=pl.String)
        old = unfolded["label"] if "label" in rows.columns else pl.lit(None, pl.String)
        unfolded = unfolded.with_columns(pl.coalesce(label, old).alias("label"))
    return unfolded


_SIDES = (*CORNERS, "w", "h")


def _sides(box: CellBox, order: str) -> tuple[float | None, ...]:
    """Return x1, y1, x2, y2, w, h; null for those that the others define."""
    a, b, c, d = box.numbers
    form = box.form or order
    if form == "xyxy":
        return a, b, c, d, None, None
    return (
        (a, b, None, None, c, d) if form == "xywh" else (a - c / 2, b - d / 2, None, None, c, d)
    )


def unfold_labels(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Read labels that are JSON: boxes of Label Studio, or an object with one label.

    A label that is another JSON object is left out, with a finding.
    """
    if "label" not in rows.columns or rows.schema["label"] != pl.String:
        return rows, []
    is_json = rows["label"].str.contains(r"\A\s*(\[\s*)?\{").fill_null(value=False)
    if not is_json.any():
        return rows, []
    cells: _Cells = [None] * len(rows)
    labels = rows["label"].to_list()
    findings: list[FindingRow] = []
    for at in is_json.arg_true():
        text = labels[at]
        value = _decoded(text)
        if value is None:
            continue  # a text that only begins like JSON
        labels[at], problem = None, f"without a class: {text[:_SHOWN]}"
        try:
            if isinstance(value, list):
                cells[at] = boxes_in_cell(text)
            else:
                labels[at] = _only_label(value)
        except ValueError as error:
            problem = f"and {error}"
        if cells[at] is None and labels[at] is None:
            findings.append((rows[":where"][at], "bad-label", f"its label is JSON, {problem}"))
    rows = rows.with_columns(pl.Series("label", labels, dtype=pl.String))
    return (_with_boxes(rows, cells, "xyxy") if any(cells) else rows), findings


def _decoded(text: str) -> dict[str, object] | list[object] | None:
    """Return a JSON object with values, or a list of objects; None for anything else."""
    try:
        value = msgspec.json.decode(text)
    except JSON_ERRORS:
        return None
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        return value
    return value if isinstance(value, dict) and value else None


def _only_label(value: dict[str, object]) -> str | None:
    known: Sequence[object] = [value[key] for key in _LABEL_KEYS if key in value]
    texts = [str(v) for v in (known or list(value.values())) if isinstance(v, str | int)]
    return texts[0] if len(texts) == 1 or (texts and known) else None
