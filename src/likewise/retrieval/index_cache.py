"""Cache of indexes, with the contents that they cover and their measured recall and speed.

``.likewise/indexes/<dataset>/<model>/<index>/`` contains one index: its file, the contents
whose vectors are in it, and ``facts.json``. Vectors belong to contents, so an index stays valid
when labels are corrected or files renamed, and the items that it does not cover are known.

Native code reads the file, so ``facts.json`` seals all three (see ``storage.seals``). An index
that this checkout did not write is not read: it is built again.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from likewise.errors import (
    ConfigError,
    DataError,
    StaleArtefactError,
    UnknownNameError,
    cannot_write,
)
from likewise.formats import atomic
from likewise.formats.array_types import Int64Array
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import refuse_links
from likewise.retrieval.index_facts import (
    CONTENTS,
    FACTS,
    FILE,
    IndexMetadata,
    facts_text,
    purpose_of,
    read_facts,
)
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import BuiltIndex, Index, Vectors
from likewise.retrieval.indexes.benchmark import IndexMeasurement
from likewise.retrieval.indexes.partial import CompletedIndex, earlier_vectors
from likewise.retrieval.published_dataset import PublishedDataset
from likewise.storage import artefacts, seals
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.workspace import Workspace

EXACT = "exact"
"""Name of the index that needs no entry in params.yaml."""

MOST_UNCOVERED = 0.2
"""Largest share of missing and removed rows with which a cached index is still used."""


def exact_entry(ws: Workspace) -> str | None:
    """Return the name of the first exact index of params.yaml; None if there is none.

    Some protocols score vectors only, which needs an exact index.
    """
    entries = ws.params.indexes.items()
    return next((name for name, entry in entries if entry.get("kind") == EXACT), None)


@dataclass(frozen=True)
class CachedIndex:
    """One index of params.yaml over the vectors of a data set, and its place in the cache."""

    ws: Workspace
    dataset: PublishedDataset
    model: str
    index: str

    @property
    def folder(self) -> Path:
        """Folder of the index in the cache."""
        return self.ws.index(self.dataset.name, self.model, self.index)

    @property
    def command(self) -> str:
        """Command that builds the index again."""
        return f"likewise index {self.dataset.name} {self.model} {self.index}"

    @property
    def file(self) -> Path:
        """File of the index; some kinds have none."""
        return self.folder / FILE

    def options(self) -> Index:
        """Return the entry of the index in params.yaml.

        Raises:
            UnknownNameError: there is no such entry.
            ConfigError: the options are wrong.
        """
        entries = {EXACT: {"kind": "exact"}, **self.ws.params.indexes}
        if self.index not in entries:
            self.ws.params.refuse_broken(self.index, ("indexes",))
            raise UnknownNameError("index", self.index, entries, "params.yaml")
        return INDEXES.build(entries[self.index], self._place)

    def _build(self, options: Index, vectors: Vectors, file: Path | None = None) -> BuiltIndex:
        """Build or load the index; errors of its options name the entry."""
        try:
            return options.build(vectors, file)
        except ConfigError as error:
            raise ConfigError(f"{self._place}: {error}") from error

    @property
    def _place(self) -> str:
        return f"params.yaml: indexes.{self.index}"

    def vectors(self) -> Vectors:
        """Return the vectors that are published now."""
        return Vectors.from_column(self.dataset.table, self.model, self.ws.params.memory)

    def metadata(self) -> IndexMetadata | None:
        """Return the metadata of the cached index; None if this checkout wrote none."""
        return read_facts(self.ws, self.folder, self._purpose)

    def open(self) -> BuiltIndex:
        """Return the cached index, completed by exact search; build the index if it is missing.

        Raises:
            StaleArtefactError: the options or the model changed, or too many items did.
            ConfigError: the options do not suit the vectors.
        """
        options, metadata = self.options(), self.metadata()
        if (
            self.ws.is_historic
            or not options.is_cached
            or not metadata
            or not self.file.is_file()
        ):
            return self.build_current()
        if metadata.made_of != self.fingerprint(options):
            what = f"index {self.index!r} was built with other options or from other vectors"
            raise StaleArtefactError(what, self.command)
        positions, uncovered = self._positions()
        vectors = self.vectors()
        if not len(uncovered) and _is_identity(positions):
            return self._build(options, vectors, self.file)
        removed = int(np.count_nonzero(positions < 0))
        if len(uncovered) + removed > MOST_UNCOVERED * vectors.rows:
            covers = f"covers {len(positions) - removed:,} of {counted(vectors.rows, 'item')}"
            raise StaleArtefactError(f"index {self.index!r} {covers}", self.command)
        earlier = self._build(options, earlier_vectors(vectors, positions), self.file)
        return CompletedIndex(earlier, positions, uncovered, vectors)

    def is_current(self) -> bool:
        """Return True if the cached index is of exactly the present vectors and options."""
        options, metadata = self.options(), self.metadata()
        made_of = metadata.made_of if metadata else ""
        if made_of != self.fingerprint(options) or not self.file.is_file():
            return False
        positions, uncovered = self._positions()
        return not len(uncovered) and _is_identity(positions)

    def build_current(
        self, *, keep: bool = False, fill: Callable[[Path], None] | None = None
    ) -> BuiltIndex:
        """Return an index of exactly the present vectors, from the cache or built and cached.

        An index of an earlier revision is not cached, because it would replace the present one.

        Args:
            keep: raise an error if the index cannot be cached; otherwise it is only returned.
            fill: writes the file of a new index, which is then loaded.

        Raises:
            DataError: the cache cannot be written.
        """
        options, vectors = self.options(), self.vectors()
        if not options.is_cached:
            return self._build(options, vectors)
        if self.is_current():
            return self._build(options, vectors, self.file)
        if self.ws.is_historic:
            return self._build(options, vectors)
        job = artefacts.index_job(self.dataset.name, self.model, self.index)
        with ExitStack() as stack:
            try:
                refuse_links(self.ws.home, self.folder)
                stack.enter_context(no_takedown(self.ws, self.dataset.name, job))
                building = stack.enter_context(atomic.spare_folder(self.folder))
            except DataError:  # the cache cannot be written, or a take-down is running
                if keep:
                    raise
                return self._build(options, vectors)
            if fill is not None:
                fill(building / FILE)
            built = self._build(options, vectors, building / FILE)
            fault = self._store(building, options, vectors)
        if keep and fault:
            raise DataError(f"index {self.index!r} cannot be kept in {self.folder}: {fault}")
        return built

    def nbytes(self) -> int:
        """Return the approximate size in memory: of the file, or of the vectors of a scan."""
        if self.file.is_file():
            return self.file.stat().st_size
        vectors, in_memory = self.vectors(), self.options().in_memory
        return vectors.rows * vectors.dim * 4 if in_memory else 0

    def record(self, measured: IndexMeasurement) -> IndexMetadata:
        """Write the measured recall and speed to the metadata.

        Raises:
            DataError: the cached index is not of this checkout.
        """
        if self.file.is_file() and self.metadata() is None:
            raise DataError(seals.unsealed(self.ws, self.folder))
        vectors = self.vectors()
        metadata = IndexMetadata(
            made_of=self.fingerprint(self.options()),
            rows=vectors.rows,
            dim=vectors.dim,
            measured=measured,
        )
        atomic.write_text(self.folder / FACTS, self._text(self.folder, metadata))
        return metadata

    def coverage(self) -> tuple[int, int]:
        """Return the number of published items that the index covers, and of all of them."""
        _, uncovered = self._positions()
        rows = self.dataset.table.rows
        return rows - len(uncovered), rows

    def is_stale(self) -> bool:
        """Return True if the cached index has other options or vectors of another model."""
        metadata = self.metadata()
        return metadata is not None and metadata.made_of != self.fingerprint(self.options())

    def _store(self, building: Path, options: Index, vectors: Vectors) -> str:
        """Replace the cached index by the one in ``building``; return why not, or ""."""
        if not (building / FILE).is_file():
            return "its file cannot be written"
        made_of = self.fingerprint(options)
        metadata = IndexMetadata(made_of=made_of, rows=vectors.rows, dim=vectors.dim)
        contents = self.dataset.table.read(["content"])
        try:
            if not self.dataset.taken_down().isdisjoint(contents["content"].str.head(64)):
                return "items were taken down since the data set was opened; open it again"
            contents.write_parquet(building / CONTENTS)
            (building / FACTS).write_text(self._text(building, metadata), encoding="utf-8")
            atomic.replace_folder(building, self.folder)
        except (OSError, DataError) as error:
            return cannot_write(error) or str(error)
        return ""

    def _text(self, folder: Path, metadata: IndexMetadata) -> str:
        """Return the text of ``facts.json``, which seals the files in ``folder`` too."""
        return facts_text(self.ws, folder, self._purpose, metadata)

    @property
    def _purpose(self) -> str:
        return purpose_of(self.dataset.name, self.model, self.index)

    def _positions(self) -> tuple[Int64Array, Int64Array]:
        """Return the present row of each row of the index (-1: removed), and uncovered rows."""
        try:
            contents = pl.read_parquet(self.folder / CONTENTS)
        except (OSError, pl.exceptions.PolarsError):
            contents = pl.DataFrame({"content": []}, schema={"content": pl.String})
        before = _number_contents(contents)
        now = _number_contents(self.dataset.table.read(["content"]))
        joined = before.join(now, on=("content", "nth"), how="left", maintain_order="left")
        positions = joined["row_right"].fill_null(-1).cast(pl.Int64).to_numpy()
        new = now.join(before, on=("content", "nth"), how="anti", maintain_order="left")
        return positions, new["row"].cast(pl.Int64).to_numpy()

    def fingerprint(self, index: Index) -> str:
        """Return a hash of the index's kind and options, and of the vectors' type and model."""
        table = self.dataset.table
        options = index.model_dump(mode="json", exclude=set(index.search_options))
        inputs = [type(index).__name__, options, str(table.schema.field(self.model).type)]
        inputs.append(table.passport(self.model).decode())
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:32]


def cached_contents(folder: Path) -> set[str] | None:
    """Return the SHA-256 of the images in a cached index; None if it is not complete."""
    try:
        contents = pl.read_parquet(folder / CONTENTS, columns=["content"])
    except (OSError, pl.exceptions.PolarsError):
        return None if (folder / FILE).exists() else set()
    return set(contents["content"].str.head(64))


def _number_contents(contents: pl.DataFrame) -> pl.DataFrame:
    """Add columns row and nth; nth numbers the items with the same content, from 0."""
    nth = pl.int_range(pl.len()).over("content").alias("nth")
    return contents.with_row_index("row").with_columns(nth)


def _is_identity(positions: Int64Array) -> bool:
    return bool((positions == np.arange(len(positions))).all())
