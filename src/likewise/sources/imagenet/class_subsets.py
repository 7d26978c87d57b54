"""Named subsets of ImageNet's classes: lists of WNIDs in the order of the labels."""

import hashlib
import re
from importlib.resources import files
from typing import NamedTuple

from likewise.errors import DataError, UnknownNameError, bounded
from likewise.sources.annotation_files import AnnotationFilesWithFallback, decode_text

BUNDLED = ("imagenet30", "imagenet100")
"""Subsets whose lists are part of the package (``wnids/``); others are files of the user."""

_WNID = re.compile(r"n[0-9]{8}")
_TABLE = re.compile(r"\A(loc_|ilsvrc|meta|map_clsloc)|class_index|cls|\.(xml|csv|json|mat)\Z")
"""File names of ImageNet's own tables and lists, in lower case."""


class ClassSubset(NamedTuple):
    """Classes in the order of their labels.

    Attributes:
        name: name of the subset.
        wnids: the classes.
        sha256: digest of the WNIDs joined by line feeds; it does not depend on the line endings
            of the file.
        faults: findings about lines that are not a WNID: path, check and detail.
    """

    name: str
    wnids: list[str]
    sha256: str
    faults: list[tuple[str, str, str]]


def read_subset(name: str, annotation_files: AnnotationFilesWithFallback) -> ClassSubset:
    """Return the subset ``name``: one of ``BUNDLED``, or the file name of a list.

    Raises:
        UnknownNameError: the subset is unknown, and no such file exists.
        DataError: the file is not a list of distinct WNIDs, one per line.
    """
    if name in BUNDLED:
        place = files("likewise.sources.imagenet").joinpath("wnids", f"{name}.txt")
        return _parse_subset(name, name, place.read_bytes())
    pattern = rf"(\A|/){re.escape(name.lower())}\z"
    paths = annotation_files.find(pattern)
    if len(paths) > 1:
        raise DataError(
            f"{annotation_files.place} has several files {name}: {bounded(paths, len(paths))}"
        )
    for path, data in annotation_files.read(paths):
        stem = name.rpartition("/")[2].rpartition(".")[0]
        return _parse_subset(stem or name, annotation_files.location(path), data)
    raise UnknownNameError("subset, and no list,", name, BUNDLED, str(annotation_files.place))


def list_in_place_of_annotations(
    annotation_files: AnnotationFilesWithFallback,
) -> ClassSubset | None:
    """Return the subset if the annotations are one file that is not a table of ImageNet.

    Raises:
        DataError: the file is not a list of distinct WNIDs.
    """
    place = annotation_files.place
    if annotation_files.own_is_collection or _TABLE.search(place.name.lower()):
        return None
    return _parse_subset(place.stem, str(place), place.read_bytes())


def _parse_subset(name: str, where: str, data: bytes) -> ClassSubset:
    lines = [line.strip() for line in decode_text(where, data).splitlines()]
    wnids = [line for line in lines if _WNID.fullmatch(line)]
    if not wnids:
        invalid = [repr(line[:40]) for line in lines if line]
        problem = bounded(invalid, len(invalid)) or "it is empty"
        raise DataError(
            f"{where} is not a list of WNIDs, one per line such as n02119789: {problem}"
        )
    repeated = sorted({wnid for wnid in wnids if wnids.count(wnid) > 1})
    if repeated:
        raise DataError(
            f"{where} repeats classes, so their labels are ambiguous: "
            f"{bounded(repeated, len(repeated))}"
        )
    faults = [
        (f"{where}: line {number}", "bad-annotation", _line_fault(line))
        for number, line in enumerate(lines, start=1)
        if not _WNID.fullmatch(line)
    ]
    digest = hashlib.sha256("\n".join(wnids).encode()).hexdigest()
    return ClassSubset(name, wnids, digest, faults)


def _line_fault(line: str) -> str:
    if not line:
        return "the line is blank and is skipped; it does not count as a class"
    return f"expected a WNID such as n02119789, found {line[:40]!r}; the line is left out"
