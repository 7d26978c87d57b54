"""Benchmarks with a corpus, queries and judgements of relevance (qrels).

Sources: https://github.com/embeddings-benchmark/mteb, the image tasks (MIEB); Wei et al.,
UniIR, ECCV 2024 (arXiv:2311.17136), M-BEIR; Thakur et al., BEIR, 2021 (arXiv:2104.08663).
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import polars as pl
import pyarrow as pa
from pydantic import BeforeValidator

from likewise.errors import DataError, bounded
from likewise.formats.archives import FileCollection
from likewise.formats.archives.parquet_images import (
    ParquetImages,
    find_parquet_files,
    image_column,
)
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import (
    LeftOver,
    Source,
    SourceResult,
    findings_from_rows,
    is_image,
    no_images_error,
    source_result,
)
from likewise.sources.judged_items import (
    join_pairs,
    listed_pairs,
    locate_records,
    lone_text_findings,
    stated_pairs,
    with_item_ids,
    with_members,
    with_relevance,
)
from likewise.sources.judgement_tables import CORPUS, JUDGEMENTS, QUERIES, read_tables
from likewise.sources.table_files import TableFile
from likewise.sources.text_table_source import listed
from likewise.storage.schema import Column

_IDS, _NUMBERS = pa.list_(pa.string()), pa.list_(pa.int64())
_RECORD = Column("record", pa.string(), "the row's own id in its table", nullable=True)
_RELEVANT = Column("relevant", _IDS, "of a query: the ids of its judged items", nullable=True)
_GRADES = Column("grades", _NUMBERS, "of a query: the grade of each judged item", nullable=True)
_MEMBERS = Column(
    "members", _IDS, "of a query: the ids of the items of its group", nullable=True
)
_CAPTIONS = Column(
    "captions", _IDS, "texts that are relevant to the image, or the reverse", nullable=True
)

Tables = Annotated[tuple[TableFile, ...], BeforeValidator(listed)]


class TablesWithImages(ParquetImages):
    """The images of those Parquet files of a folder that have images."""

    @cached_property
    def _holding(self) -> dict[str, Path]:
        tables = find_parquet_files(self.path)
        return {n: p for n, p in tables.items() if image_column(p) == self.column}

    @property
    def tables(self) -> dict[str, Path]:
        """See ``ParquetImages``."""
        return self._holding


class QrelsSource(Source):
    """Tables of a corpus, of queries, and of judgements, as mteb's image tasks and M-BEIR.

    Tables are Parquet files, also with the images in them, JSON lines, or delimited text. They
    are found by names (``corpus``, ``cand_pool``; ``queries``, ``query``; ``qrels``), of files
    or of their folders. Rows of the corpus with an image are items with the role gallery, those
    of queries have the role query. A further row of one image is an item of its own. The
    columns ``relevant`` and ``grades`` of a query list its judged items, ``members`` the items
    of its group. A text without an image becomes a caption of the images that it is relevant
    to.
    """

    protocols: ClassVar[tuple[str, ...]] = ("qrels",)
    extra_columns: ClassVar[tuple[Column, ...]] = (
        *(_RECORD, _RELEVANT, _GRADES, _MEMBERS, _CAPTIONS),
    )

    corpus: Tables = ()
    """Tables of the corpus, as ``tables`` of the source ``table``."""

    queries: Tables = ()
    """Tables of the queries; a column ``relevant`` or ``members`` may list ids."""

    judgements: Tables = ()
    """Tables of judgements: query, item, and a grade; without a grade it is 1."""

    @classmethod
    def runs(cls, items: pl.DataFrame) -> dict[str, dict[str, Any]]:
        """See ``Source.runs``; captions are scored in both directions."""
        runs: dict[str, dict[str, Any]] = {}
        if "relevant" in items.columns and items["relevant"].list.len().max():
            runs["qrels"] = {}
        if "captions" in items.columns:
            runs["image-text"] = {}
        return runs

    def open(self, path: Path) -> FileCollection:
        """Open ``path``, or the images in its Parquet files if they contain any."""
        tables = find_parquet_files(path) if path.is_dir() else {}
        columns = sorted({image_column(place) for place in tables.values()} - {""})
        if len(columns) > 1:
            raise DataError(
                f"{path}: its tables have images in different columns: "
                f"{bounded(columns, len(columns))}"
            )
        return TablesWithImages(path, columns[0]) if columns else super().open(path)

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        stated = {CORPUS: self.corpus, QUERIES: self.queries, JUDGEMENTS: self.judgements}
        tables = {k: read_tables(k, v, files, annotations) for k, v in stated.items()}
        for kind in (CORPUS, QUERIES):
            if tables[kind].rows.is_empty():
                expected = f"a table of {kind}, such as {kind}.jsonl or {kind}/test.parquet"
                raise AnnotationFiles(files, annotations).missing_error(expected)
        if not any(_names_images(tables[kind].rows) for kind in (CORPUS, QUERIES)):
            raise DataError(
                f"{files.path}: its corpus and queries are texts without images; retrieval "
                "between texts is not read, because an item of a catalogue is an image"
            )
        listing = files.listing().select("path")
        in_tables = isinstance(files, ParquetImages)
        images = listing if in_tables else listing.filter(is_image())
        if images.is_empty():
            raise no_images_error(files, "the images that the tables name")
        sides: list[pl.DataFrame] = []
        faults: list[pl.DataFrame] = []
        for kind, role in ((CORPUS, "gallery"), (QUERIES, "query")):
            side, lost = locate_records(tables[kind].rows, role, images["path"], files.path)
            sides.append(side)
            faults += lost
        records = with_item_ids(pl.concat(sides))
        stated_by_tables, odd = stated_pairs(tables[JUDGEMENTS].rows)
        pairs = pl.concat([stated_by_tables, listed_pairs(sides[1])])
        pairs, unknown = join_pairs(records, pairs)
        items, strangers = with_members(with_relevance(records, pairs), records)
        notes = [finding for table in tables.values() for finding in table.findings]
        notes += [*odd, *unknown, *strangers]
        items = items.rename({"id": _RECORD.name})
        unread = sorted({name for table in tables.values() for name in table.unread})
        unused = images.join(items, left_on="path", right_on="image_id", how="anti")["path"]
        return source_result(
            files,
            items,
            *faults,
            findings_from_rows(notes),
            lone_text_findings(records, pairs),
            extra_columns=[c for c in self.extra_columns if c.name in items.columns],
            left_over=[
                LeftOver("columns that are not read", len(unread), tuple(unread[:5])),
                LeftOver("images that no table names", len(unused), tuple(unused.head(5))),
            ],
        )


def _names_images(rows: pl.DataFrame) -> bool:
    """Return whether a row names an image."""
    return "image" in rows.columns and rows["image"].null_count() < len(rows)
