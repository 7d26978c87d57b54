"""YOLO: one text file per image, one line per box, in fractions of the image size.

Source: https://docs.ultralytics.com/datasets/detect/, and Darknet before it.
"""

from pathlib import Path

import polars as pl

from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import SourceResult, findings_from_rows, source_result
from likewise.sources.box_source import (
    BoxSource,
    first_per_key,
    reference_findings,
    stray_file_findings,
)
from likewise.sources.image_references import match_references
from likewise.sources.split_lists import list_names, splits_from_lists
from likewise.sources.split_names import split_of_folders, split_rank
from likewise.sources.yolo_data import lists_of_data, read_data, splits_from_data
from likewise.sources.yolo_labels import KeypointShape, parse_label_files

_LISTS = r"\A(?:[^/]*/)?(?:autosplit_)?{}\.txt\z"
_NOT_LABELS = (
    r"(\A|/)(classes|names|readme[^/]*|licen[cs]e|notes|"
    rf"(autosplit_)?({'|'.join(list_names())}))\.txt\z"
)


class YoloSource(BoxSource):
    """YOLO: the label file of ``images/train/a.jpg`` is ``labels/train/a.txt``.

    Label files are in folders called ``labels...`` next to the image folders, or next to their
    images. A line is ``class x y width height``, centre and size as fractions of the image
    size, or a class and a polygon or the corners of an oriented box, whose bounds become the
    box, or a box and keypoints (``kpt_shape``), which are not kept. Ingest converts boxes to
    pixels, rounded to hundredths: six decimals are not more precise for images up to 10,000
    pixels wide. Class names are read from a YAML file with ``names``, ``classes.txt`` or
    ``*.names``; otherwise the class number is the label. Splits are lists (``train.txt``), the
    folders and lists that ``data.yaml`` names, or folders. Items are sorted by split, image and
    line.
    """

    names: str = ""
    """File of class names, if there are several candidates."""

    kpt_shape: KeypointShape | None = None
    """Number of keypoints behind each box, and numbers of each (2 or 3); by default as in
    data.yaml."""

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
        data = read_data(files, annotation_files, self.names)
        parsed = parse_label_files(
            annotation_files.read(labelled["label_file"]),
            data.classes,
            self.kpt_shape or data.keypoints,
        )
        boxes = (
            parsed.boxes.join(labelled, on="label_file")
            .sort("label_file", "number")
            .drop("label_file")
        )
        every = annotation_files.find(r"\.txt\z")
        further_lists, list_doubts = lists_of_data(data.entries, every)
        splits, list_findings = splits_from_lists(
            files, annotation_files, _LISTS, list_names(), images, further_lists
        )
        in_folders, folder_doubts = splits_from_data(data.entries, images["path"])
        doubts = [*parsed.doubts, *data.doubts, *list_doubts, *folder_doubts]
        merged = (
            images.select(image_id="path")
            .join(splits, on="image_id", how="left", maintain_order="left")
            .join(in_folders, on="image_id", how="left", suffix=":data", maintain_order="left")
            .with_columns(
                split=pl.coalesce("split", "split:data", split_of_folders("image_id")),
                listed=pl.col("image_id").is_in(labelled["image_id"].implode()),
            )
            .drop("split:data")
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        result = self.box_items(merged, boxes)
        is_upright = self.orientation == "auto" and data.upright
        is_annotation = (
            pl.col("path").str.to_lowercase().str.contains(r"\.(txt|names|data|ya?ml)\z")
        )
        return source_result(
            files,
            result.items,
            findings_from_rows([*parsed.invalid, *doubts]),
            missing,
            twins,
            list_findings,
            result.faults,
            stray_file_findings(files, images, is_annotation),
            box_unit="fractions",
            whole_images=result.whole_images,
            orientation="upright" if is_upright else self.orientation,
        )


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
