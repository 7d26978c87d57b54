"""ImageNet's classes: ids and words from the tables of the devkits that are present."""

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from likewise.errors import DamagedError, DataError, bounded
from likewise.formats.json_documents import parse_json
from likewise.formats.matlab import read_structs, text_or_int
from likewise.sources.annotation_files import AnnotationFilesWithFallback, decode_text
from likewise.sources.delimited_text import read_every_row
from likewise.sources.text_lines import TextFormat

CLASS_COLUMNS: dict[str, type[pl.DataType]] = {
    "wnid": pl.String,
    "devkit_id": pl.Int32,
    "text": pl.String,
    "words": pl.String,
    "gloss": pl.String,
    "train_images": pl.Int32,
}
"""WordNet id, devkit id (1 to 1000), human-readable label (not unique), all words, definition,
and number of training images in ILSVRC."""

Row = dict[str, Any]


def read_classes(annotation_files: AnnotationFilesWithFallback) -> pl.DataFrame:
    """Read all classes, sorted by WNID; columns ``CLASS_COLUMNS``.

    If several tables define a value, it is read from the first table in ``_TABLE_PARSERS``.

    Raises:
        DamagedError: a table does not have the structure that its name implies.
        DataError: a table repeats a class.
    """
    frames = [pl.DataFrame(schema=CLASS_COLUMNS)]
    for pattern, parse in _TABLE_PARSERS.items():
        for path, data in annotation_files.read(annotation_files.find(pattern)[:1]):
            frames.append(_parse_table(annotation_files.location(path), data, parse))
    facts = [pl.col(c).drop_nulls().first() for c in CLASS_COLUMNS if c != "wnid"]
    return pl.concat(frames).group_by("wnid", maintain_order=True).agg(facts).sort("wnid")


def _parse_table(
    where: str, data: bytes, parse: Callable[[str, bytes], Iterator[Row]]
) -> pl.DataFrame:
    try:
        rows = list(parse(where, data))
        frame = pl.DataFrame(rows, schema=CLASS_COLUMNS)
    except DataError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        message = " ".join(str(error).split())[:200]
        raise DamagedError(
            f"{where} is not a table of ImageNet's classes: {message}"
        ) from error
    invalid = frame.filter(~pl.col("wnid").str.contains(r"\An[0-9]{8}\z"))["wnid"]
    if len(invalid):
        examples = bounded(map(repr, invalid), len(invalid))
        raise DamagedError(f"{where} contains invalid WNIDs: {examples}")
    repeated = frame.filter(pl.col("wnid").is_duplicated())["wnid"].unique().sort()
    if len(repeated):
        raise DataError(f"{where} repeats classes: {bounded(repeated, len(repeated))}")
    return frame


def _parse_meta_csv(where: str, data: bytes) -> Iterator[Row]:
    table = read_every_row(where, data, TextFormat(delimiter=","))
    for row in table.fill_null("").iter_rows(named=True):
        yield {
            "wnid": row["WNID"],
            "devkit_id": int(row["ILSVRC2015_CLSLOC_ID"]),
            "text": row["human_label"],
            "words": row["name"],
            "gloss": row["description"],
            "train_images": int(row["num_train_images"]),
        }


def _parse_map(where: str, data: bytes) -> Iterator[Row]:
    columns = ("wnid", "number", "label")
    form = TextFormat(delimiter="whitespace", columns=columns)
    for wnid, number, label in read_every_row(where, data, form).select(columns).iter_rows():
        yield {"wnid": wnid, "devkit_id": int(number), "text": label}


def _parse_index(where: str, data: bytes) -> Iterator[Row]:
    value = parse_json(decode_text(where, data), where)
    for pair in value.values() if isinstance(value, dict) else value:
        wnid, label = pair
        yield {"wnid": wnid, "text": label}


def _parse_synset_words(where: str, data: bytes) -> Iterator[Row]:
    form = TextFormat(delimiter="whitespace", columns=("wnid", "words..."))
    for wnid, words in read_every_row(where, data, form).select("wnid", "words").iter_rows():
        yield {"wnid": wnid, "words": words, "text": words.split(",")[0]}


def _parse_meta_mat(where: str, data: bytes) -> Iterator[Row]:
    """Parse ILSVRC2012's meta.mat; its first 1000 synsets are the classes."""
    for row in read_structs(where, data, "synsets"):
        synset = {name: text_or_int(where, name, row[name]) for name in _SYNSET_FIELDS}
        if int(synset["ILSVRC2012_ID"]) <= 1000:
            yield {
                "wnid": str(synset["WNID"]),
                "devkit_id": int(synset["ILSVRC2012_ID"]),
                "text": str(synset["words"]).split(",")[0],
                "words": str(synset["words"]),
                "gloss": str(synset["gloss"]),
                "train_images": int(synset["num_train_images"]),
            }


_SYNSET_FIELDS = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_train_images")

_TABLE_PARSERS: dict[str, Callable[[str, bytes], Iterator[Row]]] = {
    r"(\A|/)meta_clsloc\.csv\z": _parse_meta_csv,
    r"(\A|/)map_clsloc\.txt\z": _parse_map,
    r"(\A|/)(imagenet_)?class_index\.json\z": _parse_index,
    r"(\A|/)meta\.mat\z": _parse_meta_mat,
    r"(\A|/)loc_synset_mapping\.txt\z": _parse_synset_words,
}
"""Pattern of the lower-case file name -> parser."""
