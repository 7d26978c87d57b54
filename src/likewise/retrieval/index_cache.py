"""Indexes that are kept: of which vectors they are, and how good they were found to be.

``.likewise/indexes/<dataset>/<model>/<index>/`` holds one index: its file, the contents whose
vectors it holds, and ``facts.json``. Vectors belong to contents, so an index outlives corrected
labels and renamed files, and knows exactly which items it does not cover.
"""

import hashlib
import json
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import ValidationError

from likewise.errors import DataError, StaleArtefactError, UnknownNameError
from likewise.formats import atomic
from likewise.registry import Part
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import Built, Index, Rows, Vectors
from likewise.retrieval.indexes.benchmark import IndexMeasurement
from likewise.retrieval.indexes.partial import Covered, earlier
from likewise.retrieval.published_dataset import PublishedDataset
from likewise.storage.workspace import Workspace

EXACT = "exact"
"""The index that is always there, whatever params.yaml says."""

MOST_UNCOVERED = 0.2
"""An index that misses, or has too many, a larger share of the rows than this is stale."""

_FACTS = "facts.json"
_CONTENTS = "contents.parquet"
_FILE = "index"


class Facts(Part):
    """What is known of an index that is kept.

    ``made_of`` tells how it was made from what: kind, options and model; ``rows`` and ``dim``
    are how many vectors there were, and how long; ``measured`` is what ``likewise index`` saw.
    """

    made_of: str
    rows: int
    dim: int
    measured: IndexMeasurement | None = None


@dataclass(frozen=True)
class Stored:
    """Where one index of a data set's vectors is kept, and what it is to be."""

    ws: Workspace
    dataset: PublishedDataset
    model: str
    index: str

    @property
    def folder(self) -> Path:
        """Its own folder."""
        return self.ws.index(self.dataset.name, self.model, self.index)

    @property
    def command(self) -> str:
        """What makes it anew."""
        return f"likewise index {self.dataset.name} {self.model} {self.index}"

    @property
    def file(self) -> Path:
        """The index itself; some kinds have none."""
        return self.folder / _FILE

    def part(self) -> Index:
        """The entry of params.yaml.

        Raises:
            UnknownNameError: there is none.
            ConfigError: its options are wrong.
        """
        entries = {EXACT: {"kind": "exact"}, **self.ws.params.indexes}
        if self.index not in entries:
            raise UnknownNameError("index", self.index, entries, "params.yaml")
        return INDEXES.build(entries[self.index], f"params.yaml: indexes.{self.index}")

    def vectors(self) -> Vectors:
        """The vectors as they are published now."""
        return Vectors.stored(self.dataset.table, self.model)

    def facts(self) -> Facts | None:
        """What is known of the one that is kept; None where there is none."""
        try:
            return Facts.model_validate_json((self.folder / _FACTS).read_bytes())
        except (OSError, ValidationError):
            return None

    def opened(self) -> Built:
        """The index that is kept, completed by exact search; made where there is none.

        Raises:
            StaleArtefactError: it is of other options, of another model, or of other items.
            ConfigError: the options do not suit the vectors.
        """
        part, facts = self.part(), self.facts()
        if self.ws.is_historic or not part.cached or not facts or not self.file.is_file():
            return self.fresh()
        if facts.made_of != self._made_of(part):
            what = f"index {self.index!r} was made with other options or of other vectors"
            raise StaleArtefactError(what, self.command)
        places, uncovered = self._places()
        vectors = self.vectors()
        if not len(uncovered) and _in_place(places):
            return part.build(vectors, self.file)
        gone = int(np.count_nonzero(places < 0))
        if len(uncovered) + gone > MOST_UNCOVERED * vectors.rows:
            covers = f"{len(places) - gone:,} of {vectors.rows:,} items"
            raise StaleArtefactError(f"index {self.index!r} covers {covers}", self.command)
        inner = part.build(earlier(vectors, places), self.file)
        return Covered(inner, places, uncovered, vectors)

    def fresh(self) -> Built:
        """The index of just these vectors: the one that is kept, or made anew and kept.

        That of an earlier revision is not kept: it would take the place of the present one's.
        """
        part, facts, vectors = self.part(), self.facts(), self.vectors()
        if not part.cached:
            return part.build(vectors)
        if facts and facts.made_of == self._made_of(part) and self.file.is_file():
            places, uncovered = self._places()
            if not len(uncovered) and _in_place(places):
                return part.build(vectors, self.file)
        if self.ws.is_historic:
            return part.build(vectors)
        with ExitStack() as held:
            try:
                building = held.enter_context(atomic.spare_folder(self.folder))
            except DataError:  # it cannot be kept here
                return part.build(vectors)
            built = part.build(vectors, building / _FILE)
            self._keep(building, part, vectors)
        return built

    def nbytes(self) -> int:
        """What the index holds in memory: about its file, or the vectors of a scan."""
        if self.file.is_file():
            return self.file.stat().st_size
        vectors, kind = self.vectors(), self.part().in_memory
        return vectors.rows * vectors.dim * 4 if kind else 0

    def note(self, measured: IndexMeasurement) -> Facts:
        """Write down what was measured."""
        vectors = self.vectors()
        facts = Facts(
            made_of=self._made_of(self.part()),
            rows=vectors.rows,
            dim=vectors.dim,
            measured=measured,
        )
        atomic.write_text(self.folder / _FACTS, _json(facts))
        return facts

    def covered(self) -> tuple[int, int]:
        """How many of the items that are published now it covers, and of how many."""
        _, uncovered = self._places()
        rows = len(self.dataset.items)
        return rows - len(uncovered), rows

    def stale(self) -> bool:
        """Whether it was made with other options, or of another model's vectors."""
        facts = self.facts()
        return facts is not None and facts.made_of != self._made_of(self.part())

    def _keep(self, building: Path, part: Index, vectors: Vectors) -> None:
        """Put what was built in the place of the one before; a full disk stops nothing."""
        if not (building / _FILE).is_file():
            return
        facts = Facts(made_of=self._made_of(part), rows=vectors.rows, dim=vectors.dim)
        with suppress(OSError, DataError):
            self.dataset.items.select("content").write_parquet(building / _CONTENTS)
            (building / _FACTS).write_text(_json(facts), encoding="utf-8")
            atomic.replace_folder(building, self.folder)

    def _places(self) -> tuple[Rows, Rows]:
        """Where each row of the index stands now (-1: nowhere), and the rows it has not."""
        try:
            held = pl.read_parquet(self.folder / _CONTENTS)
        except (OSError, pl.exceptions.PolarsError):
            held = pl.DataFrame({"content": []}, schema={"content": pl.String})
        before, now = _numbered(held), _numbered(self.dataset.items.select("content"))
        joined = before.join(now, on=("content", "nth"), how="left", maintain_order="left")
        places = joined["row_right"].fill_null(-1).cast(pl.Int64).to_numpy()
        new = now.join(before, on=("content", "nth"), how="anti", maintain_order="left")
        return places, new["row"].cast(pl.Int64).to_numpy()

    def _made_of(self, part: Index) -> str:
        """A hash of all that an index is made of but the items: kind, options, vectors."""
        table = self.dataset.table
        options = part.model_dump(mode="json", exclude=set(part.asked))
        made = [type(part).__name__, options, str(table.schema.field(self.model).type)]
        made.append(table.passport(self.model).decode())
        return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:32]


def held_contents(folder: Path) -> set[str]:
    """The SHA-256 of the images whose vectors the index that is kept in ``folder`` holds."""
    try:
        held = pl.read_parquet(folder / _CONTENTS, columns=["content"])
    except (OSError, pl.exceptions.PolarsError):
        return set()
    return set(held["content"].str.head(64))


def _numbered(contents: pl.DataFrame) -> pl.DataFrame:
    """Every content's row, and the how manieth of its kind it is: several items may have it."""
    nth = pl.int_range(pl.len()).over("content").alias("nth")
    return contents.with_row_index("row").with_columns(nth)


def _in_place(places: Rows) -> bool:
    return bool((places == np.arange(len(places))).all())


def _json(facts: Facts) -> str:
    return json.dumps(facts.model_dump(mode="json"), indent=2) + "\n"
