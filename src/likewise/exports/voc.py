"""Pascal VOC: one XML file per image; the source ``voc`` reads it.

Source: Everingham and Winn, The PASCAL Visual Object Classes Challenge 2012 Development Kit.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

import polars as pl

from likewise.exports.base import ExportFault, Selection, group_rows
from likewise.exports.box_export import BoxExport, copy_images, format_number
from likewise.exports.export_files import put
from likewise.exports.image_export import in_frame
from likewise.exports.image_names import plain_paths, split_file_names, stem
from likewise.formats.paths import inside

_INVALID_IN_XML = r"\A\s|\s\z|[\x00-\x1f\x7f-\x9f\ufffe\uffff]"
_FLAGS = ("truncated", "difficult", "occluded")
_CHANNELS = {"1": 1, "L": 1, "P": 3, "RGBA": 4, "CMYK": 4}
_SIZE = "  <size><width>{}</width><height>{}</height><depth>{}</depth></size>"
_IMAGE_FOLDER = "JPEGImages"


class VocExport(BoxExport):
    """``JPEGImages/``, ``Annotations/{name}.xml`` and ``ImageSets/Main/{split}.txt``.

    Corners are inclusive and count from 1, as in VOC. File names are plain (see
    ``image_names.plain_paths``) and end in ``.jpg``, also of other formats, because readers of
    VOC such as torchvision add it to the names in lists. ``trainval`` lists both splits.
    ``pose``, ``truncated``, ``difficult`` and ``occluded`` are copied from the source if it had
    them.
    """

    corners: Literal["1-based", "half-open"] = "1-based"
    """Convention of corners; some tools expect half-open ones instead of VOC's."""

    year: Literal["", "2007", "2012"] = ""
    """Write to ``VOCdevkit/VOC{year}``, where torchvision's VOCDetection expects it."""

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        selection = in_frame(selection, self.orientation)
        folder = folder / "VOCdevkit" / f"VOC{self.year}" if self.year else folder
        boxes = self.boxes(selection, "voc", _INVALID_IN_XML)
        plain = plain_paths(selection, _IMAGE_FOLDER)
        names = [stem(path).removeprefix(f"{_IMAGE_FOLDER}/") for path in plain]
        paths = [f"{_IMAGE_FOLDER}/{name}.jpg" for name in names]
        objects = dict(_by_image(boxes))
        for row, facts in enumerate(selection.images.iter_rows(named=True)):
            text = self._xml(paths[row], facts, objects.get(row, ()))
            annotation = inside(folder, f"Annotations/{names[row]}.xml", selection.dataset)
            put(annotation, text.encode())
        listed = selection.images.select("split", pl.Series("name", names)).drop_nulls("split")
        files = split_file_names(listed["split"])
        for split, group in group_rows(listed, "split"):
            lines = "".join(f"{name}\n" for name in group["name"])
            list_file = f"ImageSets/Main/{files[split]}.txt"
            put(inside(folder, list_file, selection.dataset), lines.encode())
        both = listed.filter(pl.col("split").is_in(["train", "val"]))["name"]
        if len(both) and "trainval" not in files.values():
            lines = "".join(f"{name}\n" for name in both)
            put(folder / "ImageSets" / "Main" / "trainval.txt", lines.encode())
        copy_images(selection, folder, paths)
        return []

    def _xml(self, path: str, facts: dict[str, Any], objects: Iterable[dict[str, Any]]) -> str:
        lines = [
            "<annotation>",
            f"  <folder>{_IMAGE_FOLDER}</folder>",
            f"  <filename>{path.removeprefix(_IMAGE_FOLDER + '/')}</filename>",
            _SIZE.format(facts["width"], facts["height"], _CHANNELS.get(facts["mode"], 3)),
        ]
        for obj in objects:
            lines += ["  <object>", *self._object(obj), "  </object>"]
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
        corners = "".join(f"<{name}>{format_number(value)}</{name}>" for name, value in edges)
        yield f"    <bndbox>{corners}</bndbox>"


def _by_image(boxes: pl.DataFrame) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    for (image,), part in boxes.group_by(":image", maintain_order=True):
        yield int(str(image)), list(part.iter_rows(named=True))
