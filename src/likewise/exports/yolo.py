"""YOLO: one text file per image, one line per box; the source ``yolo`` reads it.

Source: https://docs.ultralytics.com/datasets/detect/, and Darknet before it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from likewise.exports.base import ExportFault, Selection
from likewise.exports.box_export import BoxExport, copy_images, format_number
from likewise.exports.export_files import put
from likewise.exports.image_export import Frame, has_turned_boxes, in_frame
from likewise.exports.image_names import plain_paths, stem
from likewise.formats.paths import inside

_EMPTY = "  {}\n"
_INVALID_IN_YAML = r"\A\s|\s\z|\A\z|[\x00-\x1f\x7f-\x9f\ufffe\uffff]"
_LISTS = {"train": "train", "val": "val", "test": "test"}


class YoloExport(BoxExport):
    """``images/``, ``labels/``, ``data.yaml``, and ``train.txt``, ``val.txt``, ``test.txt``.

    ``data.yaml`` always has ``train`` and ``val``, which trainers need: without images of one,
    it names another list, or all images. Boxes are those of upright pictures, as Ultralytics
    reads them; ``data.yaml`` says so to the source ``yolo``.

    A line is ``class x y width height``: centre and size as fractions of the stored image.
    Classes are numbered from 0 in the order of their names, which ``data.yaml`` lists. File
    names are plain (see ``image_names.plain_paths``). Images of other splits, and images
    without split, are in no list.
    """

    orientation: Frame = "upright"
    """Frame of boxes: upright, because trainers apply EXIF, or stored pixels."""

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        is_turned = self.orientation == "upright" and has_turned_boxes(selection)
        selection = in_frame(selection, self.orientation)
        boxes = self.boxes(selection, "yolo", _INVALID_IN_YAML)
        paths = plain_paths(selection, "images")
        classes = sorted(boxes["label"].unique())
        numbers = {name: n for n, name in enumerate(classes)}
        lines: dict[int, list[str]] = {}
        for row in boxes.iter_rows(named=True):
            horizontal = _centre_and_size(row[":x1"], row[":x2"], row["width"])
            vertical = _centre_and_size(row[":y1"], row[":y2"], row["height"])
            values = (horizontal[0], vertical[0], horizontal[1], vertical[1])
            line = " ".join([str(numbers[row["label"]]), *map(format_number, values)])
            lines.setdefault(row[":image"], []).append(f"{line}\n")
        for image, path in enumerate(paths):
            name = stem(path).removeprefix("images/")
            labels = inside(folder, f"labels/{name}.txt", selection.dataset)
            put(labels, "".join(lines.get(image, ())).encode())
        lists = self._lists(selection, folder, paths)
        names = "".join(
            f"  {n}: {json.dumps(name, ensure_ascii=False)}\n" for n, name in enumerate(classes)
        )
        head = "".join(f"{split}: {place}\n" for split, place in _places(lists).items())
        own = f"likewise: {json.dumps(_notes(lists, is_turned=is_turned))}\n"
        put(folder / "data.yaml", f"{head}names:\n{names or _EMPTY}{own}".encode())
        copy_images(selection, folder, paths)
        return []

    def _lists(self, selection: Selection, folder: Path, paths: list[str]) -> list[str]:
        """Write the lists of the splits, and return the splits that have images."""
        placed = selection.images.select("split", path=pl.Series(paths))
        written = []
        for split in _LISTS:
            paths_in_split = placed.filter(pl.col("split") == split)["path"]
            if len(paths_in_split):
                put(
                    folder / f"{split}.txt",
                    "".join(f"./{p}\n" for p in paths_in_split).encode(),
                )
                written.append(split)
        return written


def _places(lists: Sequence[str]) -> dict[str, str]:
    """Return split -> its list, relative to data.yaml; train and val are always there."""
    first = f"{lists[0]}.txt" if lists else "images"
    places = {split: f"{split}.txt" for split in lists}
    train = places.get("train", first)
    val = places.get("val", places.get("test", train))
    return {"train": train, "val": val, **places}


def _notes(lists: Sequence[str], *, is_turned: bool) -> dict[str, Any]:
    """Return what the source ``yolo`` needs to read the export unchanged."""
    turned = {"orientation": "upright"} if is_turned else {}
    return {"splits": list(lists), **turned}


def _centre_and_size(low: float, high: float, whole: int) -> tuple[float, float]:
    """Return centre and size of the interval [low, high] as fractions of ``whole``."""
    return (low + high) / 2 / whole, (high - low) / whole
