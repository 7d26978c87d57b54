"""Recognise the columns of annotation tables by their names, or as options name them."""

import difflib
from collections.abc import Mapping, Sequence

import polars as pl

from likewise.errors import DataError, hint
from likewise.sources.base import with_finding_ids
from likewise.sources.box_source import CORNERS
from likewise.sources.delimited_text import looks_like_row
from likewise.sources.table_rows import SIZES

COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "image": (
        *("image", "path", "filename", "file_name", "file", "image_path", "file_path"),
        *("filepath", "img_path", "image_name", "img", "name", "image_id"),
        *("imageid", "image_file", "image_filename", "img_name", "#filename", "#image"),
    ),
    "label": (
        *("label", "class", "class_name", "category", "category_name"),
        *("label_name", "labelname", "classname", "region_attributes"),
    ),
    "text": ("text", "caption", "description"),
    "split": ("split", "set", "partition"),
    "subset": ("subset", "group"),
    "role": ("role",),
    "x1": ("x1", "xmin", "x_min", "left", "x_1", "bbox_x1", "bbox_xmin", "box_x1", "xtl"),
    "y1": ("y1", "ymin", "y_min", "top", "y_1", "bbox_y1", "bbox_ymin", "box_y1", "ytl"),
    "x2": ("x2", "xmax", "x_max", "right", "x_2", "bbox_x2", "bbox_xmax", "box_x2", "xbr"),
    "y2": ("y2", "ymax", "y_max", "bottom", "y_2", "bbox_y2", "bbox_ymax", "box_y2", "ybr"),
    "cx": ("cx", "x_center", "xcenter", "center_x", "x_centre"),
    "cy": ("cy", "y_center", "ycenter", "center_y", "y_centre"),
    "w": ("w", "box_width", "bbox_width", "bbox_w", "box_w"),
    "h": ("h", "box_height", "bbox_height", "bbox_h", "box_h"),
    "width": ("width", "image_width", "img_width"),
    "height": ("height", "image_height", "img_height"),
    "box": ("bbox", "box", "bounding_box", "bndbox", "bboxes", "region_shape_attributes"),
    "polygon": ("polygon", "segmentation"),
    "keypoints": ("keypoints",),
}
"""Kind of column -> lower-case names that it is recognised by, the preferred one first."""

CELLS = ("box", "polygon", "keypoints")
"""Kinds of columns with all numbers of a box in one cell."""

_BEGINNINGS = {"x1": ("x", "bbox_x", "box_x", "bb_x"), "y1": ("y", "bbox_y", "box_y", "bb_y")}
"""Names of the first corner if a table also has sizes of boxes; alone, they may be points."""

_BOX_KINDS = (*CORNERS, "cx", "cy", *SIZES)
_SIMILARITY = 0.8


def find_columns(
    options: Mapping[str, str], names: Sequence[str], where: str
) -> dict[str, str]:
    """Return the column of each kind; "" if there is none.

    ``width`` and ``height`` are the size of the box if the table has the first corner of a box
    and no other sizes or corners; otherwise they are the size of the image.

    Args:
        options: kind -> column that the user chose.
        names: columns of the table.
        where: name of the table, for messages.

    Raises:
        DataError: a chosen column does not exist, there is no column of image names, or only a
            part of the columns of a box.
    """
    columns = {
        kind: _column(kind, options.get(kind, ""), names, where) for kind in COLUMN_NAMES
    }
    if not any(options.get(kind) for kind in _BOX_KINDS):
        columns = _with_beginnings(columns, names)
        columns = _drop_stray_corners(columns)
    if not columns["image"]:
        raise DataError(
            f"{where}: no column of image names; {_suggestion(names)}; name it by --option "
            "image=COLUMN, or in the card"
        )
    _check_corners(columns, where)
    return columns


def column_of(kind: str, options: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the column of one kind; "" if there is none."""
    chosen = options.get(kind, "")
    return chosen if chosen in names else _recognised(COLUMN_NAMES.get(kind, ()), names)


def holds_box(names: Sequence[str], options: Mapping[str, str]) -> bool:
    """Return True if one of ``names`` is a column of a box."""
    kinds = (*_BOX_KINDS, *CELLS)
    known = {name for kind in kinds for name in COLUMN_NAMES[kind]}
    known |= {name for group in _BEGINNINGS.values() for name in group}
    chosen = {options.get(kind) for kind in kinds}
    return any(name.lower().strip() in known or name in chosen for name in names)


def _column(kind: str, option: str, names: Sequence[str], where: str) -> str:
    if option and option not in names:
        raise DataError(f"{where}: no column {option!r} ({kind}); {hint(option, names)}")
    return option or _recognised(COLUMN_NAMES[kind], names)


def _recognised(known: Sequence[str], names: Sequence[str]) -> str:
    by_lower_name = {name.lower().strip(): name for name in reversed(names)}
    return next((by_lower_name[n] for n in known if n in by_lower_name), "")


def _with_beginnings(columns: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    """Read x and y as the first corner of a box if the table has the size of the box."""
    first = {c: columns[c] or _recognised(_BEGINNINGS[c], names) for c in _BEGINNINGS}
    if not all(first.values()) or columns["x2"] or columns["y2"]:
        return columns
    if columns["w"] and columns["h"]:
        return {**columns, **first}
    plain = {kind: columns[kind].lower().strip() for kind in ("width", "height")}
    if any(columns[kind] for kind in SIZES) or plain != {"width": "width", "height": "height"}:
        return columns
    sizes = {"w": columns["width"], "h": columns["height"]}
    others = [name for name in names if name not in sizes.values()]
    of_image = {kind: _recognised(COLUMN_NAMES[kind], others) for kind in ("width", "height")}
    return {**columns, **first, **sizes, **of_image}


def _drop_stray_corners(columns: dict[str, str]) -> dict[str, str]:
    """Ignore box columns if too few are recognised, such as a single column ``top``."""
    box_kinds = [kind for kind in _BOX_KINDS if columns[kind]]
    is_stray = len(box_kinds) < 2 or not {"x1", "y1", "cx", "cy"} & set(box_kinds)
    centre = {"cx", "cy"} & set(box_kinds)
    if centre and not all(columns[kind] for kind in ("cx", "cy", "w", "h")):
        columns = {**columns, "cx": "", "cy": ""}
    return {**columns, **dict.fromkeys(box_kinds if is_stray else [], "")}


def _check_corners(columns: dict[str, str], where: str) -> None:
    second = [kind for kind in (*CORNERS[2:], *SIZES) if columns[kind]]
    first = [kind for kind in (*CORNERS[:2], "cx", "cy") if columns[kind]]
    if not first and not second:
        return
    corner = {"x1", "y1"} <= set(first)
    centre = {"cx", "cy"} <= set(first) and {"w", "h"} <= set(second)
    if not centre and not (
        corner and ({"x2", "y2"} <= set(second) or {"w", "h"} <= set(second))
    ):
        present = ", ".join(f"{columns[kind]!r} ({kind})" for kind in first + second)
        raise DataError(
            f"{where}: incomplete box columns: only {present}; name the others by --option "
            "or in the card: x1, y1, and x2, y2 or w, h"
        )


def _suggestion(names: Sequence[str]) -> str:
    """Suggest a column of image names."""
    if looks_like_row(names):
        return (
            "its first line looks like a row; name the columns in their order by --option "
            "columns='image label' (more names: docs/layouts.md)"
        )
    similar = [
        n
        for n in names
        if difflib.get_close_matches(n.lower(), COLUMN_NAMES["image"], 1, _SIMILARITY)
    ]
    return f"did you mean {similar[0]!r}?" if similar else hint("image", names)


def misspelling_findings(
    others: Sequence[str], columns: Mapping[str, str], where: str
) -> pl.DataFrame:
    """Return findings about columns whose name is similar to that of a missing kind."""
    absent = [
        name
        for kind, column in columns.items()
        if not column and kind not in (*CELLS, "cx", "cy")
        for name in COLUMN_NAMES[kind]
    ]
    known = {name for names in COLUMN_NAMES.values() for name in names}
    rows = []
    for name in others:
        if name.lower().strip() in known:
            continue
        similar = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=_SIMILARITY)
        if similar and similar[0] != name.lower():
            rows.append((f"{where}: {name}", f"kept as it is; did you mean {similar[0]!r}?"))
    frame = pl.DataFrame(rows, schema={"path": pl.String, "detail": pl.String}, orient="row")
    return with_finding_ids(frame.with_columns(check=pl.lit("odd-column")))
