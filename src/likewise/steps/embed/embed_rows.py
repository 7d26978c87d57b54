"""Compute vectors: of all missing contents in this process, or of one shard anywhere."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from tqdm import tqdm

from likewise.catalogue.base_vectors import base_vectors
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.catalogue.sharded_table import check_positions, write_rows
from likewise.distributed import read_plan
from likewise.errors import DataError, bounded
from likewise.formats.counted_nouns import counted
from likewise.imaging.image_reader import ImageReader
from likewise.models import author_code
from likewise.models.passport import Passport
from likewise.models.recipes import load
from likewise.steps.embed.embed_job import EmbedJob
from likewise.storage import timings
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from likewise.models.training.image_encoder import ImageEncoder

Vectors = npt.NDArray[np.float32]


def numerics_of(passport: Passport) -> str:
    """Return the name of the arithmetic that computes vectors of a model here."""
    if author_code.runs_code(passport):
        return author_code.NUMERICS
    from likewise.models.training import encode

    return encode.numerics(passport, encode.default_device())


def adapt(
    job: EmbedJob,
    present: pl.Series,
    table: IncrementalTable,
    record: Callable[[Iterable[str]], None],
) -> pl.Series:
    """Compute vectors of an adapter from the stored ones of its initial model, and save them.

    Args:
        job: the embedding, by a model of any kind.
        present: the contents that the table has vectors of.
        table: the table.
        record: records the arithmetics of the new vectors, before they are added.

    Returns:
        The contents of the new vectors.
    """
    todo = job.wanted.filter(~pl.col("content").is_in(present.implode()))
    base = base_vectors(job.ws, job.dataset, job.folder, job.roles) if len(todo) else None
    if base is None:
        return present.clear()
    stored = todo.join(base.rows, on="content", maintain_order="left")
    if len(stored):
        from likewise.models.training.adapter_encoder import load_layers

        record(base.numerics)
        with timings.measured(job.ws, timings.stored_job(job.name)) as watch:
            for contents, vectors in base.adapted(stored, load_layers(job.folder)):
                table.append(contents, [_column(vectors, job.entry.dtype)])
            table.save()
            watch.units = len(stored)
    return stored["content"]


def compute(job: EmbedJob, todo: pl.DataFrame, table: IncrementalTable) -> None:
    """Embed the contents in ``todo`` in this process, and save them batch by batch.

    Raises:
        DataError: images cannot be decoded; all other vectors are saved.
    """
    undecodable: list[str] = []
    with (
        tqdm(total=len(todo), unit="img", desc=f"embed {job.dataset}", disable=None) as bar,
        timings.measured(job.ws, job.name) as watch,
    ):
        for contents, vectors in _encoded(job, todo, undecodable):
            table.append(contents, [_column(vectors, job.entry.dtype)])
            bar.update(len(contents))
        watch.units = len(todo)
    table.save()
    refuse_undecodable(job.dataset, undecodable)


def refuse_undecodable(dataset: str, undecodable: list[str]) -> None:
    """Name the images that cannot be decoded.

    Raises:
        DataError: there are any.
    """
    if undecodable:
        raise DataError(
            f"{counted(len(undecodable), 'image')} of {dataset} cannot be decoded: "
            f"{bounded(undecodable, len(undecodable))}; all other vectors are kept; "
            "replace these files, or add them to the card: source: exclude: [...]"
        )


@dataclass(frozen=True)
class EmbedWork:
    """The work of one shard: its vectors.

    Attributes:
        root: the folder of the catalogue.
        dataset: name of the data set.
        model: name of the model.
        plan: the identity of the plan.
        recompute: True if the plan has all contents.
    """

    root: str
    dataset: str
    model: str
    plan: str
    recompute: bool = False

    def __call__(self, shard: int) -> None:
        """Embed the contents of a shard and write its part.

        Raises:
            DataError: the model or the images have changed since the plan, or the model gives
                an invalid vector.
        """
        job = EmbedJob(Workspace(Path(self.root)), self.dataset, self.model, self.recompute)
        plan = read_plan(job.ws, job.name, self.plan)
        roles = plan.facts["roles"]
        if plan.facts != {**job.facts, "roles": roles}:
            raise DataError(
                f"model {self.model!r} or its entry has changed since the shards were "
                "planned; run the same command again"
            )
        with plan.begun(shard):
            rows, undecodable = plan.rows(shard), list[str]()
            check_positions(job.images, rows["row"].to_list(), rows["content"].to_list())
            schema = job.stored_schema(roles)
            batches = [
                pa.record_batch(
                    [pa.array(contents, pa.string()), _column(vectors, job.entry.dtype)],
                    schema=schema,
                )
                for contents, vectors in _encoded(job, rows, undecodable)
            ]
            numerics = numerics_of(job.passport)
            write_rows(plan, shard, schema, batches, numerics=numerics, undecodable=undecodable)


def _encoded(
    job: EmbedJob, rows: pl.DataFrame, undecodable: list[str]
) -> Iterator[tuple[list[str], Vectors]]:
    """Yield contents and their vectors; ``undecodable`` gets the images without one."""
    if author_code.runs_code(job.passport):
        author_code.permit(job.ws, job.passport)
    for (role,), part in rows.group_by("role", maintain_order=True):
        text = job.passport.to_json()
        encoder = _encoder(str(job.folder), text, None if role is None else str(role))
        reader = ImageReader(job.images, part["row"].to_list(), part["box"].to_list())
        contents, bad = part["content"].to_list(), dict[int, str]()
        for numbers, vectors in encoder.encode_stream(reader, unreadable=bad):
            yield [contents[number] for number in numbers], vectors
        undecodable += [f"{part['image_id'][number]} ({why})" for number, why in bad.items()]


@lru_cache(maxsize=2)
def _encoder(folder: str, passport: str, role: str | None) -> "ImageEncoder":
    """Load a model; a process that embeds many shards loads it once.

    ``passport`` is the text of its passport: a model that is made again is loaded again.
    """
    del passport
    return load(Path(folder), role, may_run_code=True)


def forget_encoders() -> None:
    """Free the models that this process keeps in memory."""
    _encoder.cache_clear()


def _column(vectors: Vectors, dtype: str) -> pa.Array:
    values = pa.array(vectors.astype(dtype).ravel())
    return pa.FixedSizeListArray.from_arrays(values, vectors.shape[1])
