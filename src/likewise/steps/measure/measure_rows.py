"""The inputs of the measures of pixels, and the work of one shard."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa

from likewise.catalogue.sharded_table import check_positions, write_rows
from likewise.distributed import ShardPlan, make_plan, read_plan, shard_sizes
from likewise.errors import DataError
from likewise.imaging.measure_many import MeasuredRows, measure_all
from likewise.imaging.pixel_statistics import VERSION
from likewise.storage import artefacts, tables, versions
from likewise.storage.schema import PIXELS
from likewise.storage.workspace import Workspace

_MEASURED = "phash"
"""The column whose metadata record the version of the measures."""


@dataclass(frozen=True)
class MeasureJob:
    """The measures of a data set, and what they depend on."""

    ws: Workspace
    dataset: str

    @property
    def name(self) -> str:
        """The name of the job: of its lock, staging folder and plans."""
        return f"measure-{self.dataset}"

    @property
    def path(self) -> Path:
        """The table of the measures."""
        return self.ws.table(self.dataset, "pixels")

    @property
    def schema(self) -> pa.Schema:
        """The schema of the table."""
        return tables.lance_schema(PIXELS, {_MEASURED: {"version": VERSION}})

    @property
    def images(self) -> Path:
        """The images table."""
        return versions.locate(self.ws, self.ws.table(self.dataset, "images"))

    @property
    def earlier(self) -> Path:
        """The measures of the last version."""
        return versions.locate_earlier(self.ws, self.path)

    @cached_property
    def wanted(self) -> pl.DataFrame:
        """Each distinct file with the first row of the images table that holds it."""
        command = artefacts.table(self.ws, self.dataset, "images").command
        table = tables.open_table(self.images, command)
        rows = table.read(["image_id", "sha256", "nbytes"]).with_row_index("row")
        return rows.sort("image_id").unique("sha256", keep="first").sort("row")

    @staticmethod
    def is_current(table: Path) -> bool:
        """Return True if the rows in ``table`` have the present version of the measures."""
        if not tables.exists(table):
            return False
        return tables.open_table(table).metadata(_MEASURED).get("version") == VERSION

    def plan(self) -> ShardPlan:
        """Make the plan of the files that the last version has no measures of."""
        rows = self.wanted
        if self.is_current(self.earlier):
            keys = tables.open_table(self.earlier).read(["sha256"])["sha256"]
            rows = rows.filter(~pl.col("sha256").is_in(keys.implode()))
        sizes = shard_sizes(rows["nbytes"], len(rows))
        facts = {"version": VERSION}
        return make_plan(self.ws, self.name, facts=facts, rows=rows, sizes=sizes)


@dataclass(frozen=True)
class MeasureWork:
    """The work of one shard: the measures of its files.

    Attributes:
        root: the folder of the catalogue.
        dataset: name of the data set.
        plan: the identity of the plan.
    """

    root: str
    dataset: str
    plan: str

    def __call__(self, shard: int) -> None:
        """Measure the files of a shard and write its part.

        Raises:
            DataError: the images, or the version of the measures, have changed since the plan.
        """
        job = MeasureJob(Workspace(Path(self.root)), self.dataset)
        plan = read_plan(job.ws, job.name, self.plan)
        if plan.facts != {"version": VERSION}:
            raise DataError(
                f"the plan of {job.name} is of another version of Likewise; run the same "
                "command again"
            )
        with plan.begun(shard):
            rows = plan.rows(shard)
            positions, hashes = rows["row"].to_list(), rows["sha256"].to_list()
            check_positions(job.images, positions, hashes)
            names = dict(zip(positions, hashes, strict=True))
            parts = measure_all(job.images, positions, rows["nbytes"].to_list())
            batches = [
                pa.record_batch(
                    [pa.array([names[row] for row, _ in part]), *pixel_columns(part)],
                    schema=job.schema,
                )
                for part in parts
            ]
            write_rows(plan, shard, job.schema, batches)


def pixel_columns(part: MeasuredRows) -> list[pa.Array]:
    """Return the columns of the pixels table without its key."""
    pixels = [measured for _, measured in part]
    return [
        pa.array([getattr(p, field.name) for p in pixels], field.type)
        for field in list(PIXELS.arrow())[1:]
    ]
