"""Pascal VOC: an XML file an image; the source ``voc`` reads it.

Source: Everingham and Winn, The PASCAL Visual Object Classes Challenge 2012 Development Kit.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

import polars as pl

from likewise.exports.base import Fault, Selection, parts
from likewise.exports.box_export import BoxExport, copy_images, number
from likewise.exports.export_files import put
from likewise.exports.image_names import files_of_splits, plain, stem

_NOT_IN_XML = r"\A\s|\s\z|[\x00-\x1f\x7f-\x9f\ufffe\uffff]"
_FLAGS = ("truncated", "difficult", "occluded")
_DEPTH = {"1": 1, "L": 1, "P": 3, "RGBA": 4, "CMYK": 4}
_SIZE = "  <size><width>{}</width><height>{}</height><depth>{}</depth></size>"
_TOP = "JPEGImages"


class VocExport(BoxExport):
    """``JPEGImages/``, ``Annotations/{name}.xml`` and ``ImageSets/Main/{split}.txt``.

    Corners are pixels counted from 1 and inclusive, as VOC has them. Names of files are plain
    (see ``names.plain``). ``pose``, ``truncated``, ``difficult`` and ``occluded`` are the
    source's where it had them.
    """

    corners: Literal["1-based", "half-open"] = "1-based"
    """How corners count; half-open ones are what some tools expect, and not VOC."""

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        boxes = self.boxes(chosen, "voc", _NOT_IN_XML)
        paths = plain(chosen, _TOP)
        names = [stem(path).removeprefix(f"{_TOP}/") for path in paths]
        objects = dict(_by_image(boxes))
        for row, facts in enumerate(chosen.images.iter_rows(named=True)):
            text = self._xml(paths[row], facts, objects.get(row, ()))
            put(folder / "Annotations" / f"{names[row]}.xml", text.encode())
        listed = chosen.images.select("split", pl.Series("name", names)).drop_nulls("split")
        files = files_of_splits(listed["split"])
        for split, part in parts(listed, "split"):
            lines = "".join(f"{name}\n" for name in part["name"])
            put(folder / "ImageSets" / "Main" / f"{files[split]}.txt", lines.encode())
        copy_images(chosen, folder, paths)
        return []

    def _xml(self, path: str, facts: dict[str, Any], objects: Iterable[dict[str, Any]]) -> str:
        lines = [
            "<annotation>",
            f"  <folder>{_TOP}</folder>",
            f"  <filename>{path.removeprefix(_TOP + '/')}</filename>",
            _SIZE.format(facts["width"], facts["height"], _DEPTH.get(facts["mode"], 3)),
        ]
        for found in objects:
            lines += ["  <object>", *self._object(found), "  </object>"]
        return "\n".join([*lines, "</annotation>", ""])

    def _object(self, row: dict[str, Any]) -> Iterator[str]:
        first = 1 if self.corners == "1-based" else 0
        yield f"    <name>{escape(row['label'])}</name>"
        if row.get("pose"):
            yield f"    <pose>{escape(row['pose'])}</pose>"
        for flag in _FLAGS:
            if row.get(flag) is not None:
                yield f"    <{flag}>{int(row[flag])}</{flag}>"
        low, high = (row[":x1"] + first, row[":y1"] + first), (row[":x2"], row[":y2"])
        edges = zip(("xmin", "ymin", "xmax", "ymax"), (*low, *high), strict=True)
        corners = "".join(f"<{name}>{number(value)}</{name}>" for name, value in edges)
        yield f"    <bndbox>{corners}</bndbox>"


def _by_image(boxes: pl.DataFrame) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    for (image,), part in boxes.group_by(":image", maintain_order=True):
        yield int(str(image)), list(part.iter_rows(named=True))
