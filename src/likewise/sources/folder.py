"""A folder tree: the folder is the label, and the first folder may be the split."""

from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.archives import FileCollection
from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import (
    Source,
    SourceResult,
    findings_from_rows,
    is_image,
    no_images_error,
    non_image_findings,
    source_result,
)
from likewise.sources.split_lists import find_split_lists, splits_of_lists
from likewise.sources.split_names import split_expr, split_of, split_rank, split_values

_IMAGES = "images/"
FindingRows = list[tuple[str, str, str]]


class FolderSource(Source):
    """Images in folders named after their labels: ``cat/1.jpg``, ``train/cat/tabby/1.jpg``.

    The label is the path of the folder with '/'; an image without a label folder has none.
    Items are sorted by split (train, val, test, others by name, none), label and path. Folders
    around all images are not a part of labels, and neither is a folder ``images`` around or in
    all of them. Lists such as ``meta/train.txt`` give the splits where no folder does.
    """

    protocols: ClassVar[tuple[str, ...]] = ("leave-one-out",)

    splits: Literal["auto", "yes", "no"] = "auto"
    """Use the first folder as the split; ``auto``: if all first folders are names of splits."""

    root: str = ""
    """Folder of the layout inside the source; files elsewhere are ignored."""

    wrapping: Literal["strip", "keep"] = "strip"
    """Leave the folders that hold all images out of the labels, or keep them."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``; only lists of splits are read from the annotations."""
        paths = self._files_below_root(files)
        images = paths.filter(is_image())
        if images.is_empty():
            raise no_images_error(files, "{label}/{name}.jpg or train/{label}/{name}.jpg")
        folder = pl.col("name").str.extract(r"(?s)\A(.*)/")
        first, rest = folder.str.extract(r"\A([^/]*)"), folder.str.extract(r"(?s)\A[^/]*/(.*)")
        labelled = images.with_columns(image_id="path", first=first, rest=rest)
        by_folder = self._is_split(labelled["first"].drop_nulls().unique())
        used = pl.Series(dtype=pl.String)
        faults: list[pl.DataFrame] = []
        if by_folder:
            split = split_values("first")
            labelled = labelled.with_columns(split=split, label=rest)
        else:
            labelled = labelled.with_columns(split=pl.lit(None, pl.String), label=folder)
            lists = AnnotationFiles(files, files.path)
            used = find_split_lists(lists) if self.splits == "auto" else used
            listed, faults, used = splits_of_lists(lists, used, images, files.path)
            labelled = labelled.drop("split").join(
                listed, on="image_id", how="left", maintain_order="left"
            )
            faults.append(findings_from_rows(self._doubts(labelled)))
        labelled = labelled.with_columns(label=_without_images(labelled["label"]))
        items = labelled.select("image_id", "label", "split")
        ordered = items.sort(split_rank(), "split", "label", "image_id", nulls_last=True)
        others = paths.filter(~pl.col("path").is_in(used.implode()))
        return source_result(files, ordered, non_image_findings(others), *faults)

    def _files_below_root(self, files: FileCollection) -> pl.DataFrame:
        """Return the files below the root: ``path``, and ``name`` relative to the root."""
        top = f"{self.root.strip('/')}/" if self.root.strip("/") else ""
        paths = files.listing().select("path").filter(pl.col("path").str.starts_with(top))
        if paths.is_empty() and top:
            raise DataError(f"{files.path} has no folder {top!r}; correct root in the card")
        names = paths.filter(is_image())["path"].str.strip_prefix(top)
        around = folders_around(names) if self.wrapping == "strip" and not top else ""
        if not around and not top and _all_in_images(names):
            around = names[0][: len(_IMAGES)]
        if around.lower() == _IMAGES:  # other files are next to the images of an export
            paths = paths.filter(pl.col("path").str.starts_with(around))
        below = pl.col("path").str.strip_prefix(top).str.strip_prefix(around)
        return paths.with_columns(name=below)

    def _is_split(self, folders: pl.Series) -> bool:
        if self.splits == "auto":
            known = pl.DataFrame({"f": folders}).select(split_expr(pl.col("f")).is_not_null())
            return len(folders) > 0 and bool(known.to_series().all())
        return self.splits == "yes"

    def _doubts(self, images: pl.DataFrame) -> FindingRows:
        """Return findings about folders that may be splits, or no labels."""
        if self.splits == "no":
            return []
        firsts = images["first"].drop_nulls().unique().sort().to_list()
        known = [name for name in firsts if split_of(name)]
        if known and len(known) < len(firsts):
            others = [name for name in firsts if name not in known]
            shown, rest = bounded(known, len(known), 3), bounded(others, len(others), 3)
            detail = f"{shown}: names of splits, next to {rest}; they are a part of the labels"
            return [(known[0], "split-folders", f"{detail}; {_SET_SPLITS}")]
        shared = images.drop_nulls("rest").group_by("rest").agg(pl.col("first").unique().sort())
        shared = shared.filter(pl.col("first").list.len() > 1).sort("rest")
        if len(shared):
            label, tops = shared.row(0)
            detail = (
                f"{counted(len(shared), 'class', 'is', 'are')} in several folders "
                f"({', '.join(tops[:3])}), with a label for each, such as {tops[0]}/{label}; "
                f"{_SET_SPLITS}"
            )
            return [(label, "same-class", detail)]
        is_export = images.select(_in_images_folder().all()).item()
        if (
            len(firsts) == 1
            and len(images) > 1
            and images["first"].null_count() == 0
            and (not is_export)
        ):
            detail = (
                f"the label of all {counted(len(images), 'image')} begins with their one "
                f"folder; if it is no label, set --option root={firsts[0]}, or read labels "
                "from the names by --source pattern"
            )
            return [(firsts[0], "one-label", detail)]
        return []


_SET_SPLITS = "set --option splits=yes if the first folder is the split, or splits=no"


def folders_around(names: pl.Series) -> str:
    """Return the folders around all images, unless one is a split or would leave no label."""
    around = ""
    while len(names):
        first, rest = names.str.extract(r"\A([^/]*)/"), names.str.extract(r"(?s)\A[^/]*/(.*)")
        deeper = rest.str.contains("/", literal=True).all()
        if first.null_count() or first.n_unique() > 1 or split_of(first[0]) or not deeper:
            break
        around, names = f"{around}{first[0]}/", rest
    return around + (names[0][: len(_IMAGES)] if around and _all_in_images(names) else "")


def _in_images_folder() -> pl.Expr:
    """Return whether ``name`` begins below a folder "images", as in exports."""
    lower = pl.col("path").str.to_lowercase()
    return lower.str.ends_with(
        pl.concat_str(pl.lit(_IMAGES), pl.col("name").str.to_lowercase())
    )


def _all_in_images(names: pl.Series) -> bool:
    return len(names) > 0 and bool(names.str.to_lowercase().str.starts_with(_IMAGES).all())


def _without_images(labels: pl.Series) -> pl.Series:
    """Remove a last folder "images" that all labels have, as in ``n01443537/images``."""
    ends = labels.str.to_lowercase().str.contains(r"(\A|/)images\z")
    if labels.null_count() or not len(labels) or not ends.all():
        return labels
    plain = labels.str.replace(r"(?i)(\A|/)images\z", "")
    return plain.replace("", None)
