"""ImageNet's classes: their ids and words, from whichever tables of the devkits are there."""

import csv
import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import polars as pl

from likewise.errors import DamagedError, DataError, bounded
from likewise.formats.matlab import structs, whole
from likewise.sources.annotation_files import NotesToo, as_text

CLASSES: dict[str, type[pl.DataType]] = {
    "wnid": pl.String,
    "devkit_id": pl.Int32,
    "text": pl.String,
    "words": pl.String,
    "gloss": pl.String,
    "train_images": pl.Int32,
}
"""A class: its WordNet id, its id in the devkit (1 to 1000), its human label (which is not
unique), its words, what it is, and how many training images it has in ILSVRC."""

Row = dict[str, Any]


def classes(notes: NotesToo) -> pl.DataFrame:
    """Every class that a table in ``notes`` names, sorted by WNID; columns ``CLASSES``.

    A fact that several tables have is taken from the first in the order of ``_TABLES``.

    Raises:
        DamagedError: a table is not what its name says.
        DataError: a table names a class twice.
    """
    frames = [pl.DataFrame(schema=CLASSES)]
    for pattern, parse in _TABLES.items():
        for path, data in notes.read(notes.names(pattern)[:1]):
            frames.append(_table(notes.where(path), data, parse))
    facts = [pl.col(c).drop_nulls().first() for c in CLASSES if c != "wnid"]
    return pl.concat(frames).group_by("wnid", maintain_order=True).agg(facts).sort("wnid")


def _table(
    where: str, data: bytes, parse: Callable[[str, bytes], Iterator[Row]]
) -> pl.DataFrame:
    try:
        rows = list(parse(where, data))
        frame = pl.DataFrame(rows, schema=CLASSES)
    except DataError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, csv.Error) as error:
        said = " ".join(str(error).split())[:200]
        raise DamagedError(f"{where} is no table of ImageNet's classes: {said}") from error
    odd = frame.filter(~pl.col("wnid").str.contains(r"\An[0-9]{8}\z"))["wnid"]
    if len(odd):
        shown = bounded(map(repr, odd), len(odd))
        raise DamagedError(f"{where} has what is no WNID: {shown}")
    twins = frame.filter(pl.col("wnid").is_duplicated())["wnid"].unique().sort()
    if len(twins):
        raise DataError(f"{where} names a class twice: {bounded(twins, len(twins))}")
    return frame


def _meta(where: str, data: bytes) -> Iterator[Row]:
    for row in csv.DictReader(StringIO(as_text(where, data), newline="")):
        yield {
            "wnid": row["WNID"],
            "devkit_id": int(row["ILSVRC2015_CLSLOC_ID"]),
            "text": row["human_label"],
            "words": row["name"],
            "gloss": row["description"],
            "train_images": int(row["num_train_images"]),
        }


def _map(where: str, data: bytes) -> Iterator[Row]:
    for line in as_text(where, data).splitlines():
        if line.strip():
            wnid, number, label = line.split()
            yield {"wnid": wnid, "devkit_id": int(number), "text": label}


def _index(where: str, data: bytes) -> Iterator[Row]:
    value = json.loads(as_text(where, data))
    for pair in value.values() if isinstance(value, dict) else value:
        wnid, label = pair
        yield {"wnid": wnid, "text": label}


def _synsets(where: str, data: bytes) -> Iterator[Row]:
    for line in as_text(where, data).splitlines():
        if line.strip():
            wnid, _, words = line.strip().partition(" ")
            yield {"wnid": wnid, "words": words, "text": words.split(",")[0]}


def _devkit(where: str, data: bytes) -> Iterator[Row]:
    """The struct array of ILSVRC2012's meta.mat: the first 1000 synsets are the classes."""
    for row in structs(where, data, "synsets"):
        said = {name: whole(where, name, row[name]) for name in _SYNSET}
        if int(said["ILSVRC2012_ID"]) <= 1000:
            yield {
                "wnid": str(said["WNID"]),
                "devkit_id": int(said["ILSVRC2012_ID"]),
                "text": str(said["words"]).split(",")[0],
                "words": str(said["words"]),
                "gloss": str(said["gloss"]),
                "train_images": int(said["num_train_images"]),
            }


_SYNSET = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_train_images")

_TABLES: dict[str, Callable[[str, bytes], Iterator[Row]]] = {
    r"(\A|/)meta_clsloc\.csv\z": _meta,
    r"(\A|/)map_clsloc\.txt\z": _map,
    r"(\A|/)(imagenet_)?class_index\.json\z": _index,
    r"(\A|/)meta\.mat\z": _devkit,
    r"(\A|/)loc_synset_mapping\.txt\z": _synsets,
}
"""The tables that are known, by their names in lower case."""
