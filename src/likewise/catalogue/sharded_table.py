"""Tables whose new rows are computed in shards, by any engine, and added by one commit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import polars as pl
import pyarrow as pa

from likewise.distributed import (
    Engine,
    FailedShard,
    ShardCounts,
    ShardPart,
    ShardPlan,
    Work,
    discarded_shards,
    own_shards,
    plans_of,
    refuse_failed,
    run_missing,
    run_shards,
)
from likewise.distributed.engines.here import Here
from likewise.errors import DataError
from likewise.formats.paths import refuse_links
from likewise.storage import tables
from likewise.storage.workspace import Workspace

_FRAGMENTS, _PACKS = "fragments", "packs"
"""The entries of a part about its fragments; the first is also the folder of a plan."""

Parts = Mapping[int, ShardPart]
"""Number of a shard -> its part."""


class FilledTable(NamedTuple):
    """A table with the rows of complete shards.

    Attributes:
        plan: the plan.
        counts: the counts of its shards.
        parts: the parts of the complete shards.
        computed: the numbers of the shards that this call computed.
    """

    plan: ShardPlan
    counts: ShardCounts
    parts: Parts
    computed: tuple[int, ...]


class GrowingTable(Protocol):
    """A staged table to which rows of shards are added."""

    @property
    def path(self) -> Path:
        """The folder of the table."""
        ...

    def keys(self) -> pl.Series:
        """Return the keys of the rows that are up to date."""
        ...

    def adopt(self, written: Sequence[tables.WrittenFragments], keys: pl.Series) -> None:
        """Add fragments by one commit; rows with one of their ``keys`` are replaced."""
        ...


def write_rows(
    plan: ShardPlan,
    shard: int,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    **results: Any,
) -> None:
    """Write the rows of a shard as fragments, and then its part.

    Args:
        plan: the plan.
        shard: the number of the shard.
        schema: the schema of the table.
        batches: the rows.
        results: further results of the shard, as JSON.

    Raises:
        DataError: the files cannot be written.
    """
    plan.write_part(shard, {**results, **stored_rows(plan, schema, batches)})


def stored_rows(
    plan: ShardPlan, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> dict[str, list[str]]:
    """Write rows of a shard as fragments; return the entries of its part about them.

    Only a few of the ``batches`` are in memory at a time.

    Raises:
        DataError: the files cannot be written.
    """
    rows = iter(batches)
    first = next(rows, None)
    if first is None:
        return {_FRAGMENTS: [], _PACKS: []}
    refuse_links(plan.ws.home, plan.folder / _FRAGMENTS)
    stored = tables.write_fragments(plan.folder / _FRAGMENTS, schema, chain([first], rows))
    return {_FRAGMENTS: list(stored.fragments), _PACKS: list(stored.packs)}


def check_positions(images: Path, rows: Sequence[int], hashes: Sequence[str]) -> None:
    """Check that the images table still has these files at these rows.

    Args:
        images: the images table.
        rows: positions in the table.
        hashes: texts that begin with the SHA-256 of the file at each position.

    Raises:
        DataError: the table has changed since the rows were planned.
    """
    stored = tables.open_table(images, "").take(rows, ["sha256"]).column(0).to_pylist()
    if any(one[:64] != other[:64] for one, other in zip(stored, hashes, strict=True)):
        raise DataError(
            f"{images.name} has changed since the shards were planned; "
            "run the same command again"
        )


@dataclass(frozen=True)
class TableJob:
    """A job that computes the missing rows of a table in shards.

    Attributes:
        ws: the checkout.
        name: the name of the job.
        key: the key column of the table, and of the rows of the plan.
        plan: makes the plan of the rows that the last version of the table does not have.
        work: makes the work of the shards of a plan.
    """

    ws: Workspace
    name: str
    key: str
    plan: Callable[[], ShardPlan]
    work: Callable[[ShardPlan], Work]

    def fill(
        self, table: GrowingTable, engine: Engine, prepare: Callable[[Parts], None]
    ) -> FilledTable | None:
        """Add the rows of complete shards to a staged table.

        An engine other than ``here`` computes the missing shards first. A shard whose rows the
        table has is not missing.

        Args:
            table: the staged table.
            engine: who computes.
            prepare: called with the parts whose rows are added next.

        Returns:
            The counts and the parts; None if the engine is ``here`` and there is no plan.

        Raises:
            DataError: shards failed; the rows of all others are in the table.
        """
        if isinstance(engine, Here) and not plans_of(self.ws, self.name):
            return None
        plan = self.plan()
        before = complete_parts(plan)
        failed: list[FailedShard] = []
        if not isinstance(engine, Here):
            failed = run_shards(plan, self.work(plan), engine, self._missing(plan, table))
        parts = complete_parts(plan)
        self._adopt(plan, parts, table, prepare)
        refuse_failed(plan, failed)
        computed = tuple(shard for shard in parts if shard not in before)
        rows = sum(plan.sizes[shard] for shard in computed)
        counts = ShardCounts(
            len(plan.sizes), len(before), len(computed), rows, discarded_shards(plan)
        )
        return FilledTable(plan, counts, parts, computed)

    def own_shards(self, shard: tuple[int, int], engine: Engine) -> ShardCounts:
        """Compute the shards of process K of N: those whose number modulo N is K.

        Raises:
            DataError: a shard failed; all others are kept.
        """
        plan = self.plan()
        mine = own_shards(plan, shard)
        return run_missing(plan, self.work(plan), engine, mine, complete_parts(plan))

    def _missing(self, plan: ShardPlan, table: GrowingTable) -> list[int]:
        """Return the shards that are neither complete nor in the table."""
        parts, stored = complete_parts(plan), table.keys().implode()
        return [
            shard
            for shard in plan.shards
            if shard not in parts and not plan.rows(shard)[self.key].is_in(stored).all()
        ]

    def _adopt(
        self,
        plan: ShardPlan,
        parts: Parts,
        table: GrowingTable,
        prepare: Callable[[Parts], None],
    ) -> None:
        """Add the rows of parts that the table does not have, by one commit."""
        fragments = {shard: written(plan, part) for shard, part in parts.items()}
        present = tables.data_files(table.path)
        new = [shard for shard, one in fragments.items() if not present.issuperset(one.files())]
        if new:
            prepare({shard: parts[shard] for shard in new})
            keys = pl.concat([plan.rows(shard)[self.key] for shard in new])
            table.adopt([fragments[shard] for shard in new], keys)


def complete_parts(plan: ShardPlan) -> dict[int, ShardPart]:
    """Return the parts of a plan whose fragments are on disk."""
    parts = plan.parts()
    return {n: part for n, part in parts.items() if written(plan, part).are_complete()}


def written(plan: ShardPlan, part: ShardPart) -> tables.WrittenFragments:
    """Return the fragments of a part."""
    fragments, packs = (tuple(part.data.get(name, ())) for name in (_FRAGMENTS, _PACKS))
    return tables.WrittenFragments(plan.folder / _FRAGMENTS, fragments, packs)
