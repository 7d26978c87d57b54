"""Croissant: machine-readable metadata beside the images and a table.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec.html, version 1.0.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from likewise.exports.base import Fault, Selection
from likewise.exports.csv import ITEMS, CsvExport
from likewise.exports.export_files import put_json

_SPDX = re.compile(r"[A-Za-z0-9.-]+")
_SPLITS = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}
_MEDIA = {
    "JPEG": "image/jpeg",
    "JPEG2000": "image/jp2",
    "PPM": "image/x-portable-anymap",
}
_NAMES = ("column", "extract", "field", "fileProperty", "fileObject", "fileSet", "format")
_MORE = ("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path")
_REST = ("recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator")
_LAST = ("source", "subField", "transform", "citeAs", "equivalentProperty")

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in (*_NAMES, *_MORE, *_REST, *_LAST)},
}
"""What the words of the format mean, as its specification has it."""


class Croissant(CsvExport):
    """``croissant.json`` beside what the csv export writes: ``images/`` and ``items.csv``.

    Record sets: ``images`` (path, content), ``items`` (the columns of the table, the image by
    its path), and ``splits``, where there are any. The table is vouched for by its SHA-256.
    """

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        faults = super().write(chosen, folder)
        put_json(
            folder / "croissant.json", _document(chosen, folder / ITEMS, images=self.images)
        )
        return faults


def described(chosen: Selection, version: str, folder: Path) -> str:
    """The ``croissant.json`` of a release, whose table and images are not written beside it.

    It is what ``write`` makes of the same items, and the ``version``: an export of that release
    has the table of this SHA-256. The table is made in ``folder`` to be hashed.
    """
    CsvExport(images=False).write(chosen, folder)
    told = _document(chosen, folder / ITEMS, images=True, version=version)
    put_json(folder / "croissant.json", told)
    return (folder / "croissant.json").read_text(encoding="utf-8")


def _document(
    chosen: Selection, table: Path, *, images: bool, version: str = ""
) -> dict[str, Any]:
    card = chosen.card
    splits = [s for s in chosen.items["split"].unique(maintain_order=True) if s is not None]
    columns = pl.read_csv(table, n_rows=0).columns
    sets = [_items(chosen, columns, splits=bool(splits), images=images)]
    files = [_file(table)]
    if images:
        sets.insert(0, _images())
        files.append(_file_set(chosen))
    if splits:
        sets.insert(0, _splits(splits))
    told = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": chosen.dataset,
        "version": version,
        "description": " ".join((card.title, *(f"Known fault: {f}." for f in card.faults))),
        "license": _licence(card.licence.spdx, card.licence.terms),
        "citeAs": card.citation,
        "distribution": files,
        "recordSet": sets,
    }
    return {key: value for key, value in told.items() if value}


def _licence(spdx: str, terms: str) -> list[str]:
    """An address for an identifier; an expression and terms as they are."""
    plain = _SPDX.fullmatch(spdx) and spdx != "NOASSERTION" and not spdx.startswith("License")
    first = f"https://spdx.org/licenses/{spdx}.html" if plain else spdx
    return [first, terms] if terms else [first]


def _file(table: Path) -> dict[str, Any]:
    with table.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": table.name,
        "name": table.name,
        "contentUrl": table.name,
        "encodingFormat": "text/csv",
        "contentSize": f"{table.stat().st_size} B",
        "sha256": sha256,
    }


def _file_set(chosen: Selection) -> dict[str, Any]:
    formats = sorted(set(chosen.images["format"]))
    return {
        "@type": "cr:FileSet",
        "@id": "image-files",
        "name": "image-files",
        "encodingFormat": [_MEDIA.get(f, f"image/{f.lower()}") for f in formats],
        "includes": ["images/*", "images/**/*"],
    }


def _images() -> dict[str, Any]:
    def field(name: str, kind: str, of: str) -> dict[str, Any]:
        source = {"fileSet": {"@id": "image-files"}, "extract": {"fileProperty": of}}
        return _field(f"images/{name}", kind, source)

    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "description": "The images' files, unchanged.",
        "key": {"@id": "images/path"},
        "field": [
            field("path", "sc:Text", "fullpath"),
            field("content", "sc:ImageObject", "content"),
        ],
    }


def _splits(splits: list[str]) -> dict[str, Any]:
    data = [
        {"splits/name": name, "splits/url": _SPLITS.get(name, "cr:Split")} for name in splits
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The splits, and what they are for.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [_field("splits/name", "sc:Text"), _field("splits/url", "sc:URL")],
        "data": data,
    }


def _items(
    chosen: Selection, columns: list[str], *, splits: bool, images: bool
) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "items",
        "name": "items",
        "description": "A row an item: a whole image, or a box in one (half-open pixels).",
        "field": list(_fields(chosen, columns, splits=splits, images=images)),
    }


def _fields(
    chosen: Selection, columns: list[str], *, splits: bool, images: bool
) -> Iterator[dict[str, Any]]:
    refers = {"split": "splits/name"} if splits else {}
    if images:
        refers["image"] = "images/path"
    for column in columns:
        source = {"fileObject": {"@id": ITEMS}, "extract": {"column": column}}
        found = _field(f"items/{column}", _kind(chosen, column), source)
        if column in refers:
            found["references"] = {"field": {"@id": refers[column]}}
        yield found


def _kind(chosen: Selection, column: str) -> str:
    if column in {"x1", "y1", "x2", "y2"}:
        return "sc:Float"
    kind = chosen.items.schema.get(column, pl.String())
    if kind.is_integer():
        return "sc:Integer"
    if kind.is_float():
        return "sc:Float"
    return "sc:Boolean" if kind == pl.Boolean else "sc:Text"


def _field(name: str, kind: str, source: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "dataType": kind,
    }
    return {**found, "source": source} if source else found
