"""Croissant: machine-readable metadata for images and a table.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec.html, version 1.0.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from likewise.exports.base import ExportFault, Selection
from likewise.exports.csv import ITEMS_FILE, CsvExport
from likewise.exports.export_files import put_json
from likewise.formats.file_hashes import file_sha256

TYPED_FILE = "items.parquet"
_PARQUET = "application/x-parquet"
_SPDX = re.compile(r"[A-Za-z0-9.-]+")
_SPLITS = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}
_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "JPEG2000": "image/jp2",
    "PPM": "image/x-portable-anymap",
}
_TERMS_1 = ("column", "extract", "field", "fileProperty", "fileObject", "fileSet", "format")
_TERMS_2 = ("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path")
_TERMS_3 = (
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "separator",
)
_TERMS_4 = ("source", "subField", "transform", "citeAs", "equivalentProperty")

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
    **{name: f"cr:{name}" for name in (*_TERMS_1, *_TERMS_2, *_TERMS_3, *_TERMS_4)},
}
"""JSON-LD context of the format, as in its specification."""


class CroissantExport(CsvExport):
    """``croissant.json`` in addition to ``images/`` and ``items.csv`` of the csv export.

    ``items.parquet`` has the same table, from which readers get the types. Record sets:
    ``images`` (path, content), ``items`` (columns of the table; images by path), and ``splits``
    if there are any. The document contains the SHA-256 of both tables.
    """

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        faults = super().write_items(selection, folder)
        _write_types(self.table(selection), folder)
        put_json(
            folder / "croissant.json",
            _document(selection, folder, images=self.images),
        )
        return faults


def croissant_document(selection: Selection, version: str, folder: Path) -> str:
    """Return the ``croissant.json`` of a release, without writing its images.

    The result equals the document that ``write`` creates for the same items, with ``version``
    added, so an export of the release has a table with this SHA-256.

    Args:
        selection: items of the release.
        version: version of the release.
        folder: folder in which the table is written to compute its hash.
    """
    tables = CsvExport(images=False)
    tables.write(selection, folder)
    _write_types(tables.table(selection), folder)
    document = _document(selection, folder, images=True, version=version)
    put_json(folder / "croissant.json", document)
    return (folder / "croissant.json").read_text(encoding="utf-8")


def _document(
    selection: Selection, folder: Path, *, images: bool, version: str = ""
) -> dict[str, Any]:
    card = selection.card
    splits = [s for s in selection.items["split"].unique(maintain_order=True) if s is not None]
    columns = pl.read_csv(folder / ITEMS_FILE, n_rows=0).columns
    record_sets = [_items(selection, columns, splits=bool(splits), images=images)]
    files = [_file(folder / ITEMS_FILE, "text/csv"), _file(folder / TYPED_FILE, _PARQUET)]
    if images:
        record_sets.insert(0, _images())
        files.append(_file_set(selection))
    if splits:
        record_sets.insert(0, _splits(splits))
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": selection.dataset,
        "version": version,
        "description": " ".join((card.title, *(f"Known fault: {f}." for f in card.faults))),
        "license": _licence(card.licence.spdx, card.licence.terms),
        "citeAs": card.citation,
        "url": card.homepage,
        "distribution": files,
        "recordSet": record_sets,
    }
    return {key: value for key, value in document.items() if value}


def _licence(spdx: str, terms: str) -> list[str]:
    """Return the URL of an SPDX identifier (expressions unchanged), and the terms."""
    is_identifier = (
        _SPDX.fullmatch(spdx) and spdx != "NOASSERTION" and not spdx.startswith("License")
    )
    first = f"https://spdx.org/licenses/{spdx}.html" if is_identifier else spdx
    return [first, terms] if terms else [first]


def _write_types(table: pl.DataFrame, folder: Path) -> None:
    """Write the table with its types, which readers of CSV guess ("0002", "NA")."""
    pq.write_table(table.to_arrow(), folder / TYPED_FILE, compression="none")


def _file(table: Path, encoding: str) -> dict[str, Any]:
    sha256 = file_sha256(table)
    return {
        "@type": "cr:FileObject",
        "@id": table.name,
        "name": table.name,
        "contentUrl": table.name,
        "encodingFormat": encoding,
        "contentSize": f"{table.stat().st_size} B",
        "sha256": sha256,
    }


def _file_set(selection: Selection) -> dict[str, Any]:
    formats = sorted(set(selection.images["format"]))
    return {
        "@type": "cr:FileSet",
        "@id": "image-files",
        "name": "image-files",
        "encodingFormat": [_MEDIA_TYPES.get(f, f"image/{f.lower()}") for f in formats],
        "includes": ["images/*", "images/**/*"],
    }


def _images() -> dict[str, Any]:
    def field(name: str, kind: str, file_property: str) -> dict[str, Any]:
        source = {"fileSet": {"@id": "image-files"}, "extract": {"fileProperty": file_property}}
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
        "description": "The splits and their purposes.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [_field("splits/name", "sc:Text"), _field("splits/url", "sc:URL")],
        "data": data,
    }


def _items(
    selection: Selection, columns: list[str], *, splits: bool, images: bool
) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "items",
        "name": "items",
        "description": "One row per item: a whole image, or a box (half-open pixels).",
        "field": list(_fields(selection, columns, splits=splits, images=images)),
    }


def _fields(
    selection: Selection, columns: list[str], *, splits: bool, images: bool
) -> Iterator[dict[str, Any]]:
    references = {"split": "splits/name"} if splits else {}
    if images:
        references["image"] = "images/path"
    for column in columns:
        source = {"fileObject": {"@id": TYPED_FILE}, "extract": {"column": column}}
        field = _field(f"items/{column}", _kind(selection, column), source)
        if column in references:
            field["references"] = {"field": {"@id": references[column]}}
        yield field


def _kind(selection: Selection, column: str) -> str:
    if column in {"x1", "y1", "x2", "y2"}:
        return "sc:Float"
    kind = selection.items.schema.get(column, pl.String())
    if kind.is_integer():
        return "sc:Integer"
    if kind.is_float():
        return "sc:Float"
    return "sc:Boolean" if kind == pl.Boolean else "sc:Text"


def _field(name: str, kind: str, source: dict[str, Any] | None = None) -> dict[str, Any]:
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "dataType": kind,
    }
    return {**field, "source": source} if source else field
