"""ImageNet's boxes: VOC's XML files, or the tables of Kaggle's localisation task."""

from typing import NamedTuple

import polars as pl

from likewise.formats.counted_nouns import counted
from likewise.sources import voc_xml
from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import findings_about, findings_from_rows
from likewise.sources.box_source import BOX_COLUMNS, CORNERS, box_item_id, first_per_key
from likewise.sources.list_files import missing_entry_findings, read_lines

EXPECTED = (
    "Annotations/CLS-LOC/{train/wnid,val}/{name}.xml, ILSVRC2012_bbox_train_v2.tar.gz and "
    "ILSVRC2012_bbox_val_v3.tgz as they are, or LOC_train_solution.csv"
)

_TASK_FOLDER = "(?:^|/)cls-loc/"
_XML_NAME = r"(?s)\A(?:(.*?)/)?(?:n[0-9]{8}/)?([^/]*)\.[^./]*\z"
_SOLUTION_FILES = r"(\A|/)loc_(train|val)_solution\.csv\z"
_SOLUTION_ROW = r"\A\"?([^\",]+?)(?:\.\w+)?\"?,\"?([^\",]*)\"?\z"
_BOX_GROUPS = r"\A(?:\S*|(?:\S+(?: \S+){4}(?: |\z))*)\z"


class ImageBoxes(NamedTuple):
    """Box annotations of images.

    Attributes:
        boxes: ``BOX_COLUMNS``; a null label means the label of the image.
        sizes: ``image_id``, ``width``, ``height``.
        faults: findings about the annotations.
        files: number of annotation files.
    """

    boxes: pl.DataFrame
    sizes: pl.DataFrame
    faults: list[pl.DataFrame]
    files: int


def read_boxes(
    annotation_files: AnnotationFilesWithFallback,
    images: pl.DataFrame,
    classes: pl.DataFrame,
    corners: voc_xml.CornerConvention,
) -> ImageBoxes:
    """Read the boxes of ``images`` from XML files, or else from solution tables.

    An XML file belongs to the images of its name in any folder: ``val/a.xml`` to
    ``val/a.JPEG`` and to ``val/n02119789/a.JPEG``.

    Args:
        annotation_files: annotation files.
        images: ``path``, ``stem``, ``split``, and ``label``, the class of the image.
        classes: ``wnid`` of the classes to keep, or empty for all. Annotations of other classes
            are not reported.
        corners: convention of the corners.
    """
    all_images = images.select("stem", "split", "label", image_id="path")
    in_classes = all_images.join(classes, left_on="label", right_on="wnid", how="semi")
    kept_images = in_classes if len(classes) else all_images
    xml, sizes, xml_findings, xml_files = _boxes_from_xml(annotation_files, all_images, classes)
    table, table_findings, tables = _boxes_from_tables(annotation_files, all_images, classes)
    table = table.join(sizes, on="image_id", how="anti")
    boxes_of_both = pl.concat([xml, table]).join(kept_images, on="image_id", how="semi")
    boxes = voc_xml.to_half_open(boxes_of_both.sort("image_id", "number"), corners)
    labelled, label_findings = _validated_labels(boxes, kept_images)
    faults = [
        *xml_findings,
        *table_findings,
        *label_findings,
        _images_without_boxes(kept_images, boxes),
    ]
    return ImageBoxes(labelled, sizes, faults, xml_files + tables)


def _boxes_from_xml(
    annotation_files: AnnotationFilesWithFallback, images: pl.DataFrame, classes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame], int]:
    """Return boxes and sizes from XML files, findings, and the number of files."""
    paths = annotation_files.find(r"\.xml\z")
    in_task_folder = paths.str.to_lowercase().str.contains(_TASK_FOLDER)
    paths = paths.filter(in_task_folder) if in_task_folder.any() else paths
    parsed = voc_xml.parse_voc_files(annotation_files.read(paths))
    entries = parsed.images.with_columns(
        list=pl.col("xml").str.extract(_XML_NAME).fill_null("."),
        stem=pl.col("xml").str.extract(_XML_NAME, 2),
    )
    matched = entries.join(images, on="stem", maintain_order="left")
    annotated, twins = first_per_key(matched, "image_id", "xml", "its image has another XML")
    boxes = parsed.boxes.join(annotated.select("xml", "image_id"), on="xml")
    return (
        boxes.select(BOX_COLUMNS.keys()),
        annotated.select("image_id", "width", "height"),
        [
            findings_from_rows(parsed.invalid),
            twins,
            _unmatched_findings(entries, images, classes),
        ],
        len(paths),
    )


def _unmatched_findings(
    entries: pl.DataFrame, images: pl.DataFrame, classes: pl.DataFrame
) -> pl.DataFrame:
    """Return findings about entries (list, stem) without image, for kept classes only."""
    unmatched = entries.join(images, on="stem", how="anti", maintain_order="left")
    if len(classes):
        wnid = pl.col("stem").str.extract(r"\A(n[0-9]{8})_")
        unmatched = unmatched.filter(
            wnid.is_in(classes["wnid"].implode()).fill_null(value=True)
        )
    return missing_entry_findings(
        entries, unmatched.with_columns(text="stem"), "of images that are not here"
    )


def _boxes_from_tables(
    annotation_files: AnnotationFilesWithFallback, images: pl.DataFrame, classes: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame], int]:
    """Return boxes from ``LOC_*_solution.csv``, findings, and the number of files."""
    lines = read_lines(annotation_files, _SOLUTION_FILES).filter(
        ~pl.col("text").str.starts_with("ImageId")
    )
    rows = lines.with_columns(
        stem=pl.col("text").str.extract(_SOLUTION_ROW),
        groups=pl.col("text")
        .str.extract(_SOLUTION_ROW, 2)
        .str.replace_all(r"\s+", " ")
        .str.strip_chars(),
    )
    is_valid = pl.col("groups").str.contains(_BOX_GROUPS)
    invalid = rows.filter(~is_valid.fill_null(value=False))
    groups = (
        rows.filter(is_valid)
        .join(images, on="stem", maintain_order="left")
        .with_columns(part=pl.col("groups").str.extract_all(r"\S+(?: \S+){4}"))
        .explode("part", empty_as_null=False)
        .with_columns(
            pl.col("part").str.split(" ").alias("part"),
            number=pl.int_range(1, pl.len() + 1).over("image_id"),
        )
    )
    values = [
        pl.col("part").list.get(n).cast(pl.Float64, strict=False).alias(c)
        for n, c in enumerate(CORNERS, start=1)
    ]
    boxes = groups.with_columns(*values, label=pl.col("part").list.get(0))
    faults = []
    for (path,), group in invalid.group_by("list", maintain_order=True):
        detail = (
            f"{counted(len(group), 'line')}, first line {group['line'].head(1).item()}: "
            "expected a name and boxes, {wnid} {x1} {y1} {x2} {y2} each"
        )
        faults.append((f"{path}: boxes", "bad-annotation", detail))
    findings = [
        findings_from_rows(faults),
        _unmatched_findings(rows.drop_nulls("stem"), images, classes),
    ]
    return boxes.select(BOX_COLUMNS.keys()), findings, lines["list"].n_unique()


def _validated_labels(
    boxes: pl.DataFrame, images: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return ``boxes`` with invalid labels set to null, and findings about labels."""
    is_wnid = pl.col("label").str.contains(r"\An[0-9]{8}\z")
    invalid = boxes.filter(~is_wnid).with_columns(path=box_item_id())
    validated = boxes.with_columns(pl.when(is_wnid).then("label").alias("label"))
    joined = validated.join(images, on="image_id", suffix="_image", maintain_order="left")
    contradicting = joined.filter(pl.col("label") != pl.col("label_image")).with_columns(
        path=box_item_id()
    )
    return validated, [
        findings_about(
            invalid,
            "unknown-class",
            pl.format("its label {} is no WNID; it has its image's", "label"),
        ),
        findings_about(
            contradicting,
            "contradiction",
            pl.format("it is of {}, in an image of {}", "label", "label_image"),
        ),
    ]


def _images_without_boxes(images: pl.DataFrame, boxes: pl.DataFrame) -> pl.DataFrame:
    """Return one finding per split: number of labelled images without a box."""
    labelled = images.drop_nulls("label").sort("split")
    totals = dict(labelled.group_by("split").len().iter_rows())
    without_box = labelled.join(boxes, on="image_id", how="anti", maintain_order="left")
    return findings_from_rows(
        (
            str(split),
            "no-boxes",
            f"{len(part):,} of {counted(totals[split], 'image', 'has', 'have')} no box",
        )
        for (split,), part in without_box.group_by("split", maintain_order=True)
    )
