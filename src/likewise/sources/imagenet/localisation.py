"""ImageNet's boxes: VOC's XML of the images, or the tables of Kaggle's localisation task."""

from typing import NamedTuple

import polars as pl

from likewise.sources import voc_xml
from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import findings, findings_frame
from likewise.sources.box_source import BOXES, CORNERS, first_each, item_id
from likewise.sources.list_files import dangling, lines

EXPECTED = (
    "Annotations/CLS-LOC/{train/wnid,val}/{name}.xml, ILSVRC2012_bbox_train_v2.tar.gz and "
    "ILSVRC2012_bbox_val_v3.tgz as they are, or LOC_train_solution.csv"
)

_TASK = "(?:^|/)cls-loc/"
_XML = r"(?s)\A(?:(.*?)/)?(?:n[0-9]{8}/)?([^/]*)\.[^./]*\z"
_SOLUTIONS = r"(\A|/)loc_(train|val)_solution\.csv\z"
_ROW = r"\A\"?([^\",]+?)(?:\.\w+)?\"?,\"?([^\",]*)\"?\z"
_GROUPS = r"\A(?:\S*|(?:\S+(?: \S+){4}(?: |\z))*)\z"


class Boxes(NamedTuple):
    """What annotations say of ``images``.

    Columns of ``boxes``: those of ``BOXES``; the label is null where none but its image's is
    known. ``sizes`` are image_id, width, height. ``files`` counts what explains images at all.
    """

    boxes: pl.DataFrame
    sizes: pl.DataFrame
    faults: list[pl.DataFrame]
    files: int


def read_boxes(
    notes: NotesToo, images: pl.DataFrame, classes: pl.DataFrame, corners: voc_xml.Corners
) -> Boxes:
    """The boxes of ``images``: those of their XML, else those of a table.

    An XML file explains the images of its name, wherever both lie: ``val/a.xml`` is about
    ``val/a.JPEG`` and about ``val/n02119789/a.JPEG``.

    Args:
        notes: where annotations are.
        images: path, stem, split, and label: the image's class.
        classes: those that are wanted, or empty: wnid. Annotations of others are no finding.
        corners: how corners count; see ``voc_xml.Corners``.
    """
    every = images.select("stem", "split", "label", image_id="path")
    wanted = every.join(classes, left_on="label", right_on="wnid", how="semi")
    ours = wanted if len(classes) else every
    xml, sizes, about_xml, files = _of_xml(notes, every, classes)
    table, about_tables, lists = _of_tables(notes, every, classes)
    table = table.join(sizes, on="image_id", how="anti")
    both = pl.concat([xml, table]).join(ours, on="image_id", how="semi")
    boxes = voc_xml.half_open(both.sort("image_id", "number"), corners)
    told, odd = _labelled(boxes, ours)
    faults = [*about_xml, *about_tables, *odd, _bare(ours, boxes)]
    return Boxes(told, sizes, faults, files + lists)


def _of_xml(
    notes: NotesToo, named: pl.DataFrame, classes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame], int]:
    """Boxes and sizes by the XML files, findings about those, and how many there are."""
    names = notes.names(r"\.xml\z")
    task = names.str.to_lowercase().str.contains(_TASK)
    names = names.filter(task) if task.any() else names
    said = voc_xml.parsed(notes.read(names))
    entries = said.images.with_columns(
        list=pl.col("xml").str.extract(_XML).fill_null("."),
        stem=pl.col("xml").str.extract(_XML, 2),
    )
    hits = entries.join(named, on="stem", maintain_order="left")
    explained, twins = first_each(hits, "image_id", "xml", "its image has another XML")
    boxes = said.boxes.join(explained.select("xml", "image_id"), on="xml")
    return (
        boxes.select(BOXES.keys()),
        explained.select("image_id", "width", "height"),
        [
            findings_frame(said.broken),
            twins,
            _lost(entries, named, classes),
        ],
        len(names),
    )


def _lost(entries: pl.DataFrame, named: pl.DataFrame, classes: pl.DataFrame) -> pl.DataFrame:
    """Findings about entries (list, stem) of no image, but of classes that nobody wants."""
    lost = entries.join(named, on="stem", how="anti", maintain_order="left")
    if len(classes):
        own = pl.col("stem").str.extract(r"\A(n[0-9]{8})_")
        lost = lost.filter(own.is_in(classes["wnid"].implode()).fill_null(value=True))
    return dangling(entries, lost.with_columns(text="stem"), "of images that are not here")


def _of_tables(
    notes: NotesToo, named: pl.DataFrame, classes: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame], int]:
    """Boxes by ``LOC_*_solution.csv``, findings, and how many of these there are."""
    told = lines(notes, _SOLUTIONS).filter(~pl.col("text").str.starts_with("ImageId"))
    read = told.with_columns(
        stem=pl.col("text").str.extract(_ROW),
        said=pl.col("text").str.extract(_ROW, 2).str.replace_all(r"\s+", " ").str.strip_chars(),
    )
    whole = pl.col("said").str.contains(_GROUPS)
    broken = read.filter(~whole.fill_null(value=False))
    groups = (
        read.filter(whole)
        .join(named, on="stem", maintain_order="left")
        .with_columns(part=pl.col("said").str.extract_all(r"\S+(?: \S+){4}"))
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
    for (path,), part in broken.group_by("list", maintain_order=True):
        detail = (
            f"{len(part):,} lines, first line {part['line'].head(1).item()}: expected a name "
            "and boxes, {wnid} {x1} {y1} {x2} {y2} each"
        )
        faults.append((f"{path}: boxes", "bad-annotation", detail))
    about = [findings_frame(faults), _lost(read.drop_nulls("stem"), named, classes)]
    return boxes.select(BOXES.keys()), about, told["list"].n_unique()


def _labelled(
    boxes: pl.DataFrame, named: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """``boxes`` with a WNID or no label, and findings about labels."""
    wnid = pl.col("label").str.contains(r"\An[0-9]{8}\z")
    odd = boxes.filter(~wnid).with_columns(path=item_id())
    told = boxes.with_columns(pl.when(wnid).then("label").alias("label"))
    both = told.join(named, on="image_id", suffix="_image", maintain_order="left")
    other = both.filter(pl.col("label") != pl.col("label_image")).with_columns(path=item_id())
    return told, [
        findings(
            odd,
            "unknown-class",
            pl.format("its label {} is no WNID; it has its image's", "label"),
        ),
        findings(
            other,
            "contradiction",
            pl.format("it is of {}, in an image of {}", "label", "label_image"),
        ),
    ]


def _bare(images: pl.DataFrame, boxes: pl.DataFrame) -> pl.DataFrame:
    """A finding a split: how many of its labelled images have no box, as half of ImageNet's."""
    known = images.drop_nulls("label").sort("split")
    totals = dict(known.group_by("split").len().iter_rows())
    bare = known.join(boxes, on="image_id", how="anti", maintain_order="left")
    return findings_frame(
        (
            str(split),
            "no-boxes",
            f"{len(part):,} of {totals[split]:,} images have no box",
        )
        for (split,), part in bare.group_by("split", maintain_order=True)
    )
