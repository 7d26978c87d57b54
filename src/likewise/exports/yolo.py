"""YOLO: a text file an image, a line a box; the source ``yolo`` reads it.

Source: https://docs.ultralytics.com/datasets/detect/, and Darknet before it.
"""

import json
from pathlib import Path

import polars as pl

from likewise.exports.base import Fault, Selection
from likewise.exports.box_export import BoxExport, copy_images, number
from likewise.exports.export_files import put
from likewise.exports.image_names import plain, stem

_NOT_IN_YAML = r"\A\s|\s\z|\A\z|[\x00-\x1f\x7f-\x9f\ufffe\uffff]"
_LISTS = {"train": "train", "val": "val", "test": "test"}


class YoloExport(BoxExport):
    """``images/``, ``labels/``, ``data.yaml``, and ``train.txt``, ``val.txt``, ``test.txt``.

    A line is ``class x y width height``: the centre and size as shares of the stored image.
    Classes are numbered from 0 in the order of their names, which ``data.yaml`` lists. Names of
    files are plain (see ``names.plain``). Images of other splits, or of none, are in no list.
    """

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        boxes = self.boxes(chosen, "yolo", _NOT_IN_YAML)
        paths = plain(chosen, "images")
        classes = sorted(boxes["label"].unique())
        numbers = {name: n for n, name in enumerate(classes)}
        lines: dict[int, list[str]] = {}
        for row in boxes.iter_rows(named=True):
            shares = _shares(row[":x1"], row[":x2"], row["width"])
            tall = _shares(row[":y1"], row[":y2"], row["height"])
            values = (shares[0], tall[0], shares[1], tall[1])
            line = " ".join([str(numbers[row["label"]]), *map(number, values)])
            lines.setdefault(row[":image"], []).append(f"{line}\n")
        for image, path in enumerate(paths):
            name = stem(path).removeprefix("images/")
            put(folder / "labels" / f"{name}.txt", "".join(lines.get(image, ())).encode())
        lists = self._lists(chosen, folder, paths)
        names = "".join(
            f"  {n}: {json.dumps(name, ensure_ascii=False)}\n" for n, name in enumerate(classes)
        )
        head = "".join(f"{split}: {split}.txt\n" for split in lists)
        put(folder / "data.yaml", f"path: .\n{head}names:\n{names or '  {}'}".encode())
        copy_images(chosen, folder, paths)
        return []

    def _lists(self, chosen: Selection, folder: Path, paths: list[str]) -> list[str]:
        """Write the lists of the splits; which there are."""
        placed = chosen.images.select("split", path=pl.Series(paths))
        there = []
        for split in _LISTS:
            inside = placed.filter(pl.col("split") == split)["path"]
            if len(inside):
                put(folder / f"{split}.txt", "".join(f"./{p}\n" for p in inside).encode())
                there.append(split)
        return there


def _shares(low: float, high: float, whole: int) -> tuple[float, float]:
    """The centre and the size of an edge, as shares of the ``whole``."""
    return (low + high) / 2 / whole, (high - low) / whole
