"""Base class of layouts of annotation tools, which draw shapes in images."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from likewise.errors import DataError
from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import SourceResult, findings_from_rows
from likewise.sources.extra_columns import RESERVED
from likewise.sources.json_annotations import JsonAnnotations
from likewise.sources.split_names import split_of_folders, split_rank
from likewise.sources.table_source import TableSource

_TEXTS = ("subset", "role")
_OWN_KEYS = frozenset(("path", "label", "text", "split", "subset", "role", "boxes", "box"))


SHAPE_ERRORS = (ValueError, KeyError, TypeError, IndexError, AttributeError)
"""Exceptions of reading a shape whose values have other types than the tool writes."""


def as_object(value: Any) -> dict[str, Any]:
    """Return ``value`` if it is an object of JSON, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return ``value`` if it is a list, the values of an object, else an empty list."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


class WrongFormat(ValueError):  # noqa: N818 (it is not an error of the data set)
    """A file that has not the form of the tool."""


class ToolEntries(JsonAnnotations):
    """Collects the annotated images of a tool."""

    def add_image(  # noqa: PLR0913 (fields of an annotation)
        self,
        where: str,
        image: str,
        boxes: Sequence[Mapping[str, Any]],
        *,
        label: str | None = None,
        text: str | None = None,
        split: str | None = None,
        size: tuple[Any, Any] = (None, None),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an image.

        Args:
            where: location of the annotation, for messages.
            image: name of the image, also relative to the folder of the annotation.
            boxes: ``box`` (x1, y1, x2, y2), ``label``, and further values.
            label: class of the image.
            text: class in words, or a caption.
            split: split of the image.
            size: width and height of the image.
            extra: further values of the image, also ``subset`` and ``role``.
        """
        file = where.partition(": ")[0]
        entry: dict[str, Any] = {
            **free_keys({k: v for k, v in (extra or {}).items() if k not in _TEXTS}),
            **{k: str(extra[k]) for k in _TEXTS if extra and extra.get(k) not in (None, "")},
            "label": label,
            "text": text,
            "split": split,
            "width": size[0],
            "height": size[1],
            "boxes": list(boxes),
        }
        self.add(where, entry, image, file[: file.rfind("/") + 1])

    def fault(self, where: str, detail: str) -> None:
        """Add a finding about a shape or entry that is left out."""
        self.faults.append((where, "bad-annotation", detail))


def free_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` without nulls; names with a meaning here get the prefix ``given_``."""
    return {
        f"given_{key}" if key in _OWN_KEYS else key: value
        for key, value in values.items()
        if value is not None and value != ""
    }


class ToolSource(TableSource, ABC):
    """Base class of the layouts of annotation tools.

    An item is a box: the bounds of a rectangle, polygon, circle or another shape. Further
    values of shapes and images become columns.

    Attributes:
        suffixes: regular expression of the tool's files, in lower case.
        expected: description of the files, for messages.
    """

    prefixed: ClassVar[frozenset[str]] = RESERVED
    suffixes: ClassVar[str] = r"\.json\z"
    expected: ClassVar[str]

    @abstractmethod
    def parse(self, where: str, data: bytes, entries: ToolEntries) -> None:
        """Add the images of a file to ``entries``.

        Args:
            where: path of the file.
            data: its bytes.
            entries: collects images, and findings about shapes that cannot be read.

        Raises:
            WrongFormat: the file is none of the tool.
        """

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        images = self.images(files)
        annotation_files = AnnotationFiles(files, annotations)
        paths = annotation_files.find(self.suffixes)
        if paths.is_empty():
            raise annotation_files.missing_error(self.expected)
        entries, foreign = ToolEntries(), []
        for where, data in annotation_files.read(paths):
            try:
                self.parse(where, data, entries)
            except WrongFormat as error:
                foreign.append((where, "bad-annotation", str(error)))
        if len(foreign) == len(paths):
            where, _, detail = foreign[0]
            raise DataError(
                f"{annotation_files.location(where)}: {detail}; expected {self.expected}"
            )
        rows, faults = entries.frame()
        file = rows[":where"].str.extract(r"(?s)\A(.*?): ").fill_null(rows[":where"])
        if not file.is_sorted():  # an archive may choose the order of files
            rows = rows.sort(file, maintain_order=True)
        is_annotation = pl.col("path").str.to_lowercase().str.contains(self.suffixes)
        placed = images.select("path", name="path", split=split_of_folders())
        placed = placed.sort(split_rank(), "split", "path", nulls_last=True)
        findings = [faults, findings_from_rows(foreign)]
        return self.build_result(files, rows, findings, is_annotation, placed)
