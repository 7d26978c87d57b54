"""Embed the items of a data set with a model, incrementally."""

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from tqdm import tqdm

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.embedding_roles import roles_digest
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.catalogue.name_clashes import check_model
from likewise.catalogue.text_models import text_tower_digest
from likewise.errors import DataError, MissingArtefactError, bounded
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.imaging.image_reader import ImageReader
from likewise.models import author_code
from likewise.models.passport import Passport
from likewise.models.recipes import load
from likewise.registry import check
from likewise.retrieval.indexes.lance import Ann
from likewise.schema import EMBEDDINGS, vector
from likewise.storage import artefacts, journal, tables, timings, versions
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Embedded:
    """Result of an embed.

    Attributes:
        dataset: name of the data set.
        model: name of the model.
        computed: number of vectors that were computed.
        taken_over: number of vectors that were reused.
        dropped: number of obsolete vectors that were removed.
        numerics: the arithmetics that computed the vectors, as the digest file records them.
            Vectors of several differ by rounding, about 1e-6 in float32.
    """

    dataset: str
    model: str
    computed: int
    taken_over: int
    dropped: int
    numerics: tuple[str, ...] = ()


NOT_RECORDED = "not recorded"
"""The numerics of vectors of older versions, which depended on the number of threads."""


def embed(
    dataset: str, model: str, *, recompute: bool = False, workspace: StrPath | None = None
) -> Embedded:
    """Compute a vector of ``model`` for every distinct content of ``dataset``.

    A content is the pixels of an image, or of a box in it. Vectors of the same content by the
    same model are reused from the last version, and from an interrupted run.

    A model of ``functions`` runs the code of its author.

    On a CPU, vectors do not depend on the number of threads or on the other images. The digest
    file lists the arithmetics ("numerics") that computed the vectors of the table: several, if
    a table has grown on a CPU and on a GPU.

    Args:
        dataset: name of the data set.
        model: name of the model.
        recompute: compute all vectors again, by one arithmetic.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no embedding of ``dataset`` by ``model``.
        MissingArtefactError: the data set was not ingested, or the model not made.
        DataError: images cannot be decoded; all other vectors are kept. Or the data
            set has a column with the name of the model, or a function fails.

    Example:
        All vectors are up to date, so none is computed:

        >>> done = likewise.embed("emoji", "tiny")
        >>> done.computed, done.taken_over, done.dropped
        (0, 23, 0)
        >>> done.numerics
        ('cpu float32, 4 images per pass of one thread',)
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    key = ws.params.embedding(dataset, model)
    entry = ws.params.embeddings[key]
    ann = check(Ann, entry.ann, f"params.yaml: embeddings.{key}.ann")
    folder = _model(ws, model)
    passport, vectors = Passport.read(folder), ws.embeddings(dataset, model)
    contract = EMBEDDINGS.with_columns(vector("vector", passport.dim, entry.dtype))
    wanted = _contents(ws, dataset, by_role=passport.by_role)
    metadata = {"passport": passport.to_json()}
    if passport.by_role:
        metadata["roles"] = roles_digest(wanted)
    schema = tables.lance_schema(contract, {"vector": metadata})
    job = f"embed-{dataset}-{model}"
    with journal.exclusive_job(ws, job):
        staging = journal.Staging(ws, job, keep=(vectors.name,))
        path = staging.path(vectors)
        table = IncrementalTable(path, schema, "content")
        is_current = partial(_same_make, schema, recompute=recompute)
        kept = table.start(versions.locate_earlier(ws, vectors), wanted["content"], is_current)
        table.erase(takedowns.read(ws.forgotten(dataset)))
        todo = wanted.filter(~pl.col("content").is_in(kept.keys.implode()))
        numerics = _record_making(table, passport, kept=len(kept.keys), new=len(todo))
        if len(todo):
            _compute(ws, dataset, folder, todo, _VectorWriter(table, entry.dtype))
        table.finish()
        # publish depends on this file, and so on the options of the index of the vectors, and
        # on the text tower of the model.
        digests = replace(
            tables.open_table(path, "").digest(contract),
            ann={model: {**ann.model_dump(), **text_tower_digest(passport)}},
            numerics=() if numerics == (NOT_RECORDED,) else numerics,
        )
        atomic.write_text(staging.path(ws.digests(dataset, model)), digests.to_yaml())
        staging.commit()
    return Embedded(dataset, model, len(todo), len(kept.keys), kept.dropped, numerics)


def _model(ws: Workspace, model: str) -> Path:
    check_model(ws, model)
    folder = versions.locate(ws, ws.model(model))
    if not folder.is_dir():
        raise MissingArtefactError(
            f"model {model!r} is not made yet", artefacts.model(ws, model).command
        )
    return folder


def _record_making(
    table: IncrementalTable, passport: Passport, *, kept: int, new: int
) -> tuple[str, ...]:
    """Record and return the arithmetics of ``kept`` vectors and of ``new`` ones to compute.

    If the templates of the text tower have changed, record the passport too.
    """
    numerics: tuple[str, ...] = ()
    if kept:
        metadata = tables.open_table(table.path).metadata("vector")
        recorded = metadata.get("numerics")
        numerics = tuple(json.loads(recorded)) if recorded else (NOT_RECORDED,)
        earlier = Passport.from_json(metadata["passport"], table.path.name)
        if earlier.text != passport.text:
            table.set_metadata("vector", {**metadata, "passport": passport.to_json()})
    if new:
        current = _numerics(passport)
        numerics = tuple(sorted({*numerics, current}))
        table.set_metadata("vector", {"numerics": json.dumps(numerics)})
    return numerics


def _numerics(passport: Passport) -> str:
    """Return the name of the arithmetic that computes vectors of a model here."""
    if author_code.runs_code(passport):
        return author_code.NUMERICS
    from likewise.models.training import encode

    return encode.numerics(passport, encode.default_device())


def _contents(ws: Workspace, dataset: str, *, by_role: bool) -> pl.DataFrame:
    """Return every content with its row in the images table, in the order of these rows.

    Pictures are then read in the order of their pack files.

    ``role`` is null unless the model embeds queries and gallery differently.

    Raises:
        DataError: the model embeds them differently, and a content has both roles.
    """
    command = artefacts.table(ws, dataset, "items").command
    items = tables.open_table(versions.locate(ws, ws.table(dataset, "items")), command)
    images = tables.open_table(versions.locate(ws, ws.table(dataset, "images")), command)
    rows = images.read(["image_id"]).with_row_index("row")
    item_rows = items.read(["content", "image_id", "box", "role"])
    if not by_role:
        item_rows = item_rows.with_columns(role=pl.lit(None, pl.String))
    if item_rows.select("content", "role").n_unique() > item_rows["content"].n_unique():
        raise DataError(
            f"some pictures of {dataset} are both query and gallery item, and this model "
            "embeds the two differently; use a model with shared_encoder: true and gallery: "
            "picture"
        )
    return (
        item_rows.join(rows, on="image_id", maintain_order="left")
        .unique("content", keep="first")
        .sort("row", "content")
    )


def _same_make(schema: pa.Schema, table: Path, *, recompute: bool = False) -> bool:
    """Return True if the vectors in ``table`` have the type and the model of ``schema``.

    With ``recompute`` no vectors do.
    """
    if recompute or not tables.exists(table):
        return False
    opened = tables.open_table(table)
    made, asked = opened.schema.field("vector"), schema.field("vector")
    roles = {(field.metadata or {}).get(b"roles") for field in (made, asked)}
    identities = {
        Passport.from_json(field.metadata[b"passport"], table.name).identity()
        for field in (made, asked)
    }
    return made.type == asked.type and len(identities) == len(roles) == 1


def _compute(
    ws: Workspace, dataset: str, model: Path, todo: pl.DataFrame, table: "_VectorWriter"
) -> None:
    """Embed the contents in ``todo`` and save them batch by batch."""
    passport = Passport.read(model)
    if author_code.runs_code(passport):
        author_code.permit(ws, passport)
    images = versions.locate(ws, ws.table(dataset, "images"))
    undecodable: list[str] = []
    with (
        tqdm(total=len(todo), unit="img", desc=f"embed {dataset}", disable=None) as bar,
        timings.measured(ws, f"embed-{dataset}-{model.name}") as watch,
    ):
        for (role,), part in todo.group_by("role", maintain_order=True):
            encoder = load(model, None if role is None else str(role), may_run_code=True)
            reader = ImageReader(images, part["row"].to_list(), part["box"].to_list())
            contents, bad = part["content"].to_list(), dict[int, str]()
            for numbers, vectors in encoder.encode_stream(reader, unreadable=bad):
                table.add([contents[n] for n in numbers], vectors)
                bar.update(len(numbers))
            undecodable += [
                f"{part['image_id'][number]} ({why})" for number, why in bad.items()
            ]
        watch.units = len(todo)
    table.save()
    if undecodable:
        raise DataError(
            f"{len(undecodable):,} images of {dataset} cannot be decoded: "
            f"{bounded(undecodable, len(undecodable))}; all other vectors are kept; "
            "replace these files, or add them to the card: source: exclude: [...]"
        )


class _VectorWriter:
    """Writer of the staged table of vectors, with the element type of params.yaml."""

    def __init__(self, table: IncrementalTable, dtype: str) -> None:
        self._table, self._dtype = table, dtype

    def add(self, contents: list[str], vectors: npt.NDArray[np.float32]) -> None:
        values = pa.array(vectors.astype(self._dtype).ravel())
        self._table.append(
            contents, [pa.FixedSizeListArray.from_arrays(values, vectors.shape[1])]
        )

    def save(self) -> None:
        self._table.save()
