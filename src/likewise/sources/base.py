"""What every source does: turn the names of files into items and findings.

A source works on the whole listing at once, as columns: millions of names stay cheap.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl

from likewise.errors import DamagedError, DataError, bounded
from likewise.formats.archives import Files, is_archive, open_files
from likewise.imaging.probe import IMAGE_SUFFIXES
from likewise.registry import Part
from likewise.schema import Column
from likewise.storage.config import Licence

ITEMS: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(
        ("item_id", "image_id", "label", "text", "subset", "split", "role"), pl.String
    ),
    "box": pl.Array(pl.Float32, 4),
}
"""The columns of ``Reading.items``; see ``schema.ITEMS`` for what they mean."""

FINDINGS = ("finding_id", "check", "path", "detail")
"""The columns of ``Reading.findings``; see ``schema.FINDINGS``."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source made of the names: items in canonical order, findings sorted by id."""

    items: pl.DataFrame
    findings: pl.DataFrame
    further: tuple[Column, ...] = ()
    """The source's own columns, which stand in ``items`` after those that every source has."""
    unit: Literal["pixels", "shares"] = "pixels"
    """What boxes are measured in: pixels, or shares of the image's width and height, 0 to 1."""
    sizes: pl.DataFrame | None = None
    """What annotations say of images' sizes: image_id, width, height in pixels, or nulls."""
    wholes: pl.DataFrame | None = None
    """The columns of ``items``, a row an image: what it is as a whole, without its boxes.

    Of images with boxes; where all of them prove to be outside of it, this is its item. One
    that is not here is left out then.
    """


class Source(Part, ABC):
    """One layout of a data set on disk.

    The class variables are what a new card says of data in this layout, and the protocols by
    which such data are scored.
    """

    title: ClassVar[str] = ""
    licence: ClassVar[Licence] = Licence()
    citation: ClassVar[str] = ""
    faults: ClassVar[tuple[str, ...]] = ()
    protocols: ClassVar[tuple[str, ...]] = ()
    further: ClassVar[tuple[Column, ...]] = ()
    """The columns that this layout's items have besides those of every source."""

    exclude: tuple[str, ...] = ()
    """Image ids to leave out, whatever they hold."""

    @classmethod
    def facts(cls) -> dict[str, Any]:
        """What a new card says of the layout's data, besides its title."""
        said = {
            "licence": cls.licence.model_dump(exclude_defaults=True),
            "citation": cls.citation,
            "faults": list(cls.faults),
        }
        return {key: value for key, value in said.items() if value}

    def open(self, path: Path) -> Files:
        """The files at ``path``, as this layout is packed."""
        return open_files(path)

    @abstractmethod
    def read(self, files: Files, annotations: Path) -> Reading:
        """The items that the names of ``files`` tell, and what is wrong with other names.

        No pixel is read. ``annotations`` is the folder, archive or file that explains the
        images, often the place of ``files`` itself.

        Raises:
            DataError: nothing fits the layout, or the annotations contradict it.
        """


def reading(
    files: Files,
    items: pl.DataFrame,
    *faults: pl.DataFrame,
    further: Sequence[Column] = (),
    unit: Literal["pixels", "shares"] = "pixels",
    sizes: pl.DataFrame | None = None,
    wholes: pl.DataFrame | None = None,
) -> Reading:
    """A reading of ``items`` (the columns they have; others become null) and ``faults``.

    An item without an id of its own is its whole image. Names that ``files`` could not take
    become findings too. ``further`` are the items' columns that only this source has; for
    ``unit``, ``sizes`` and ``wholes`` (the columns they have) see ``Reading``.
    """
    odd = [(name, "bad-encoding", "its name is not UTF-8") for name in files.undecodable]
    odd += [(name, "refused", why) for name, why in files.refused]
    found = pl.concat([findings_frame(odd), *faults])
    return Reading(
        _completed(items, further),
        found.unique("finding_id", keep="first", maintain_order=True).sort("finding_id"),
        tuple(further),
        unit,
        sizes,
        None if wholes is None else _completed(wholes, further),
    )


def _completed(items: pl.DataFrame, further: Sequence[Column]) -> pl.DataFrame:
    """``items`` with the columns of every source (or nulls), and the ``further`` ones."""
    if "item_id" not in items.columns:
        items = items.with_columns(item_id="image_id")
    absent = [
        pl.lit(None, dtype).alias(c) for c, dtype in ITEMS.items() if c not in items.columns
    ]
    return items.with_columns(absent).select(
        *(pl.col(c).cast(t) for c, t in ITEMS.items()), *(c.name for c in further)
    )


def as_wholes(items: pl.DataFrame) -> pl.DataFrame:
    """The ``items`` that are a box, as their images; ids, which others may name, stay."""
    boxes = items.drop_nulls("box")
    return boxes.with_columns(box=pl.lit(None, boxes.schema["box"]))


def findings_frame(faults: Iterable[tuple[str, str, str]]) -> pl.DataFrame:
    """Findings of single files: (path, check, detail) each."""
    schema = dict.fromkeys(("path", "check", "detail"), pl.String)
    rows = pl.DataFrame(list(faults), schema=schema, orient="row")
    return as_findings(rows)


def findings(paths: pl.DataFrame, check: str, detail: str | pl.Expr) -> pl.DataFrame:
    """The same finding about every row of ``paths`` (column path)."""
    said = pl.lit(detail) if isinstance(detail, str) else detail
    return as_findings(paths.select("path", check=pl.lit(check), detail=said))


def as_findings(rows: pl.DataFrame) -> pl.DataFrame:
    """A finding a row: path, check, detail."""
    named = rows.with_columns(finding_id=pl.concat_str("check", "path", separator=": "))
    return named.select(FINDINGS)


def hidden(path: str = "path") -> pl.Expr:
    """Whether a path is hidden, or in a hidden folder."""
    # __MACOSX is the shadow that a Mac packs into an archive beside every folder.
    return pl.col(path).str.contains(r"(^|/)(\.|__MACOSX/)")


def is_image(path: str = "path") -> pl.Expr:
    """Whether a path ends as an image's, and neither it nor a folder of it is hidden."""
    suffix = pl.col(path).str.extract(r"(\.[^./]*)\z").str.to_lowercase()
    return suffix.is_in(sorted(IMAGE_SUFFIXES)).fill_null(value=False) & ~hidden(path)


def not_images(paths: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``paths`` (column path) that are no image's by their names, as findings."""
    shadow, other = (
        pl.lit("it is hidden, or in a hidden folder"),
        pl.lit("not an image's suffix"),
    )
    detail = pl.when(hidden()).then(shadow).otherwise(other)
    return findings(paths.filter(~is_image()), "not-an-image", detail)


def no_images(files: Files, expected: str) -> DataError:
    """The error for data that hold nothing of the layout that was ``expected``."""
    names = files.listing()["path"]
    seen = bounded((repr(name) for name in names.head(5)), len(names)) or "nothing"
    if files.refused:
        seen += f"; refused: {len(files.refused):,} members, the first as {files.refused[0][1]}"
    return DataError(f"{files.path}: no image found; expected {expected}; there is: {seen}")


def annotation(files: Files, place: Path, names: Iterable[str]) -> tuple[str, bytes] | None:
    """The one file among ``names`` that lies in ``place``, at its top or a folder below.

    Where ``place`` is itself a file, and no archive, it is that file, whatever its name is.

    Returns:
        Where it lies, for messages, and its bytes; None where there is none.

    Raises:
        DamagedError: ``place`` cannot be read.
        DataError: there are several of them.
    """
    try:
        if place.is_file() and not is_archive(place):
            return str(place), place.read_bytes()
    except OSError as error:
        raise DamagedError(f"{place} cannot be read: {error.strerror}") from error
    there = files if place == files.path else open_files(place)
    paths = there.listing()["path"]
    found = paths.filter(paths.str.extract(r"\A(?:[^/]*/)?([^/]*)\z").is_in(list(names)))
    if len(found) > 1:
        raise DataError(
            f"{place} holds several files that could explain the images: "
            f"{bounded(found, len(found))}; name one of them in the card: source: text: ..."
        )
    return next(((f"{place}/{path}", there.read(path)) for path in found), None)
