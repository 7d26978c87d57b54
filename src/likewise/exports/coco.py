"""COCO: one JSON file per split; the source ``coco`` reads it.

Source: https://cocodataset.org/#format-data, "object detection".
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import polars as pl

from likewise.exports.base import ExportFault, Selection, group_rows
from likewise.exports.box_export import BoxExport, copy_images
from likewise.exports.image_export import in_frame
from likewise.exports.image_names import paths_below, split_file_names


class CocoExport(BoxExport):
    """``images/`` and ``annotations/instances_{split}.json`` ("all" for images without split).

    ``file_name`` is relative to the top of the export. Categories are numbered from 1 in the
    order of their names, images and annotations from 1 in canonical order. ``iscrowd``,
    ``area`` and ``supercategory`` are copied from the source if it had them; otherwise they are
    0, the area of the box, and missing.
    """

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        selection = in_frame(selection, self.orientation)
        boxes = self.boxes(selection, "coco")
        paths = paths_below(selection, "images")
        images = selection.images.with_columns(pl.Series(":path", paths)).with_row_index(
            ":image"
        )
        numbers = {name: n for n, name in enumerate(sorted(boxes["label"].unique()), start=1)}
        categories = list(_categories(boxes, numbers))
        annotated = boxes.with_row_index(":id", offset=1)
        (folder / "annotations").mkdir()
        files = split_file_names(images["split"])
        for split, group in group_rows(images, "split"):
            path = folder / "annotations" / f"instances_{files[split]}.json"
            inside = annotated.join(group.select(":image"), on=":image", maintain_order="left")
            licences = (
                sorted(set(group["licence"].drop_nulls())) if "licence" in group.columns else []
            )
            with path.open("w", encoding="utf-8") as out:
                _write(out, _sections(selection, group, inside, numbers, categories, licences))
        copy_images(selection, folder, paths)
        return []


def _categories(boxes: pl.DataFrame, numbers: dict[str, int]) -> Iterator[dict[str, Any]]:
    supercategories: dict[str, str | None] = {}
    if "supercategory" in boxes.columns:
        supercategories = dict(
            boxes.select("label", "supercategory").unique("label", keep="first").rows()
        )
    for name, number in numbers.items():
        yield {
            "id": number,
            "name": name,
            **({"supercategory": a} if (a := supercategories.get(name)) else {}),
        }


def _sections(
    selection: Selection,
    images: pl.DataFrame,
    boxes: pl.DataFrame,
    numbers: dict[str, int],
    categories: list[dict[str, Any]],
    licences: list[str],
) -> dict[str, Any]:
    """Return the sections of a file; long ones as generators."""
    ids = {name: number for number, name in enumerate(licences, start=1)}
    card = selection.card
    return {
        "info": {"description": card.title, "url": card.homepage, "contributor": card.citation},
        "licenses": [{"id": number, "name": name, "url": ""} for name, number in ids.items()],
        "images": (_image(row, ids) for row in images.iter_rows(named=True)),
        "categories": categories,
        "annotations": (_annotation(row, numbers) for row in boxes.iter_rows(named=True)),
    }


def _image(row: dict[str, Any], licences: dict[str, int]) -> dict[str, Any]:
    entry = {
        "id": row[":image"] + 1,
        "file_name": row[":path"],
        "width": row["width"],
        "height": row["height"],
    }
    licence = licences.get(row.get("licence") or "")
    return {**entry, "license": licence} if licence else entry


def _annotation(row: dict[str, Any], numbers: dict[str, int]) -> dict[str, Any]:
    width, height = row[":x2"] - row[":x1"], row[":y2"] - row[":y1"]
    area = row.get("area")
    return {
        "id": row[":id"],
        "image_id": row[":image"] + 1,
        "category_id": numbers[row["label"]],
        "bbox": [row[":x1"], row[":y1"], width, height],
        "area": width * height if area is None else area,
        "iscrowd": int(bool(row.get("iscrowd"))),
    }


def _write(out: IO[str], sections: dict[str, Any]) -> None:
    """Write a JSON object whose values may be generators."""
    out.write("{")
    for number, (name, value) in enumerate(sections.items()):
        out.write(f'{"," if number else ""}\n"{name}": ')
        if isinstance(value, dict):
            out.write(json.dumps(value, ensure_ascii=False))
        else:
            _write_list(out, value)
    out.write("\n}\n")


def _write_list(out: IO[str], values: Iterable[Any]) -> None:
    out.write("[")
    for number, value in enumerate(values):
        out.write(f"{',' if number else ''}\n{json.dumps(value, ensure_ascii=False)}")
    out.write("]")
