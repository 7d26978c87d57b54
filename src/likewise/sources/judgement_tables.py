"""The tables of a retrieval benchmark: corpus, queries, and judgements of relevance."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from likewise.errors import DataError, hint
from likewise.formats.archives import FileCollection, open_files
from likewise.formats.archives.file_collection import damaged_error
from likewise.formats.archives.parquet_images import ParquetImages, opened, validated_table
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.delimited_text import FindingRow
from likewise.sources.option_values import with_constants
from likewise.sources.split_names import split_of_file
from likewise.sources.table_files import TableFile, find_table_files, read_table_file
from likewise.sources.text_lines import TextFormat

CORPUS, QUERIES, JUDGEMENTS = "corpus", "queries", "judgements"

_WORDS = {
    "qrel": JUDGEMENTS,
    "judgement": JUDGEMENTS,
    "cand": CORPUS,
    "corpus": CORPUS,
    "quer": QUERIES,
}
"""Part of the name of a file or folder -> the table."""

_RECORD: dict[str, tuple[str, ...]] = {
    "id": ("id", "_id"),
    "image": ("image", "img", "img_path", "image_path", "file_name", "path"),
    "text": ("text", "txt", "caption", "captions"),
    "label": ("label",),
    "subset": ("subset",),
    "split": ("split",),
}
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    CORPUS: {
        **_RECORD,
        "id": (*_RECORD["id"], "corpus-id", "corpus_id", "did", "doc_id", "docid"),
    },
    QUERIES: {
        **_RECORD,
        "id": (*_RECORD["id"], "query-id", "query_id", "qid", "pairid"),
        "image": (*_RECORD["image"], "query_img_path", "candidate", "reference"),
        "text": (*_RECORD["text"], "query_txt", "query"),
        "relevant": ("relevant", "pos_cand_list", "target", "target_hard"),
        "members": ("members", "img_set"),
    },
    JUDGEMENTS: {
        "query": ("query-id", "query_id", "qid", "query"),
        "item": ("corpus-id", "corpus_id", "did", "doc_id", "docid", "item"),
        "grade": ("score", "relevance", "rel", "grade"),
    },
}
"""Table -> column -> its usual names, the best first."""

_SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".json", ".tsv", ".csv", ".txt")
_TREC = ("query-id", "_", "corpus-id", "score")
"""Columns of a file in the format of TREC."""


@dataclass
class TableRows:
    """Rows of the tables of one kind, and what reading them revealed.

    Attributes:
        rows: the columns of ``NAMES`` that the tables have, as text, ``:where`` (the place of
            the row) and ``:table``.
        findings: finding rows.
        unread: columns that are not read.
        paths: the tables.
    """

    rows: pl.DataFrame
    findings: list[FindingRow] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    paths: list[str] = field(default_factory=list)


def table_kind(path: str) -> str | None:
    """Return the kind of table that the name of a file, or of its folder, means.

    Example:
        >>> table_kind("qrels/test.tsv"), table_kind("queries/test-0.parquet")
        ('judgements', 'queries')
        >>> table_kind("query/mbeir_cand_pool.jsonl"), table_kind("a.csv")
        ('corpus', None)
    """
    if not path.lower().endswith(_SUFFIXES):
        return None
    for component in reversed(path.lower().split("/")):
        hits = [kind for word, kind in _WORDS.items() if word in component]
        if hits:
            return hits[0]
    return None


def read_tables(
    kind: str, stated: Sequence[TableFile], files: FileCollection, place: Path
) -> TableRows:
    """Read the tables of a kind: the stated ones, or those whose name means it.

    Args:
        kind: corpus, queries or judgements.
        stated: tables of the options.
        files: files of the images.
        place: folder, archive or file of the tables.

    Raises:
        DamagedError: a table cannot be read.
        DataError: a stated table does not exist, or a table lacks a column.
    """
    plain = open_files(place) if isinstance(files, ParquetImages) else files
    tables = AnnotationFiles(plain, place)
    names = tables.find("")
    chosen = [(table, n) for table in stated for n in find_table_files(tables, table.file)]
    if not stated:
        chosen = [(TableFile(file=n), n) for n in names if table_kind(n) == kind]
    result = TableRows(pl.DataFrame(schema={":where": pl.String}))
    frames = []
    for table, name in chosen:
        if name.lower().endswith(".parquet"):
            frame = _parquet(name, place / name if place.is_dir() else place, table, files)
        else:
            ((_, data),) = tables.read(pl.Series([name]))
            frame, faults = _text(name, data, table, kind)
            result.findings += faults
        frames.append(_renamed(kind, name, frame, result))
        result.paths.append(name)
    if frames:
        result.rows = pl.concat(frames, how="diagonal")
    return result


def _text(
    name: str, data: bytes, table: TableFile, kind: str
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Read a table of text; judgements without a header are those of TREC."""
    if kind == JUDGEMENTS and table.columns is None and name.endswith((".txt", ".tsv")):
        fields = data[:10_000].partition(b"\n")[0].decode("utf-8", "replace").split()
        known = {one for names in NAMES[JUDGEMENTS].values() for one in names}
        if len(fields) >= len(_TREC) and not known & {*map(str.lower, fields)}:
            columns = (*_TREC, *"_" * (len(fields) - len(_TREC)))
            table = table.model_copy(update={"columns": columns, "header": False})
    return read_table_file(name, data, table, TextFormat())


def _parquet(name: str, place: Path, table: TableFile, files: FileCollection) -> pl.DataFrame:
    """Read a Parquet file as columns of text; for images in it, their ids."""
    images = files if isinstance(files, ParquetImages) and name in files.tables else None
    with damaged_error(place):
        schema = pq.read_schema(opened(place))
        columns = [n for n in schema.names if images is None or n != images.column]
        frame = pl.DataFrame(
            pl.from_arrow(validated_table(pq.read_table(opened(place), columns=columns)))
        )
        rows = pl.DataFrame([_as_text(frame[column]) for column in frame.columns])
    if images is not None:
        ids = images.listing()["path"]
        rows = rows.with_columns(ids.filter(ids.str.starts_with(f"{name}/")).alias("image"))
    if isinstance(table.columns, Mapping):
        rows = rows.rename(dict(table.columns), strict=False)
    number = pl.int_range(pl.len()).cast(pl.String)
    rows = rows.with_columns((pl.lit(f"{name}: row ") + number).alias(":where"))
    return with_constants(rows, table.constants)


def _as_text(values: pl.Series) -> pl.Series:
    """Return a column as text: lists as JSON, images as their paths, other bytes as null."""
    kind = values.dtype
    if isinstance(kind, pl.Struct) and "path" in {part.name for part in kind.fields}:
        return values.struct.field("path").cast(pl.String).alias(values.name)
    if isinstance(kind, pl.List):
        cells = [None if c is None else json.dumps(c, default=str) for c in values.to_list()]
        return pl.Series(values.name, cells, pl.String)
    if isinstance(kind, pl.Struct) or kind == pl.Binary:
        return pl.Series(values.name, [None] * len(values), pl.String)
    return values.cast(pl.String)


def _renamed(kind: str, name: str, frame: pl.DataFrame, result: TableRows) -> pl.DataFrame:
    """Return the columns of ``NAMES``; the others are ``unread``.

    Raises:
        DataError: a column that the table needs is missing.
    """
    given = {column.lower(): column for column in reversed(frame.columns)}
    columns: dict[str, str] = {}
    for column, names in NAMES[kind].items():
        present = [given[one] for one in (column, *names) if one in given]
        present = [one for one in present if one not in columns.values()]
        if present:
            columns[column] = present[0]
    shown = [column for column in frame.columns if not column.startswith(":")]
    needed = ("query", "item") if kind == JUDGEMENTS else ()
    for column in needed:
        if column not in columns:
            raise DataError(
                f"{name}: no column of {column} ids, such as {NAMES[kind][column][0]!r}; "
                f"{hint(column, shown)}; name it by columns: in the card"
            )
    if kind != JUDGEMENTS and not {"image", "text"} & {*columns}:
        raise DataError(
            f"{name}: no column of images or texts; {hint('image', shown)}; name it by "
            "columns: in the card"
        )
    result.unread |= {*shown} - {*columns.values()}
    rows = frame.select(":where", *(pl.col(old).alias(new) for new, old in columns.items()))
    if "split" not in columns:
        split = split_of_file(name).split
        rows = rows.with_columns(split=pl.lit(split, pl.String))
    return rows.with_columns(pl.lit(name).alias(":table"))
