"""Checks of content: tables against digests, vectors and weights against passports."""

import hashlib
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from likewise.errors import DataError, LikewiseError, bounded
from likewise.models.passport import WEIGHTS, Passport
from likewise.schema import STORAGE_VERSION, Column, Contract
from likewise.steps.doctor.problem import Problem, restore
from likewise.storage import artefacts, tables
from likewise.storage.artefacts import TableArtefact
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace

PIXELS_AT_ONCE = 64
"""Number of images that a deep check holds in memory."""


def check(ws: Workspace, *, deep: bool) -> Iterator[Problem]:
    """Check tables, models, and with ``deep`` the bytes of images; skip missing ones."""
    present = [
        made
        for made in artefacts.artefacts(ws)
        if isinstance(made, TableArtefact) and tables.exists(made.path)
    ]
    for table in tqdm(present, unit="table", desc="check", disable=None):
        yield from _table(ws, table, deep=deep)
    for model in ws.params.recipes():
        if ws.model(model).is_dir():
            yield from _model(ws, model)
    for key in ws.params.embeddings:
        yield from _embedding(ws, key)


def _table(ws: Workspace, table: TableArtefact, *, deep: bool) -> Iterator[Problem]:
    name, command = ws.relative(table.path), restore(ws, table.path, table.stage)
    try:
        dataset = tables.open_table(table.path, table.command)
        contract = _whole(table.contract, dataset)
        faults = [*_storage(dataset), *_schema(contract, dataset)]
        faults = faults or list(_digests(table, contract, dataset))
        if deep:
            faults += list(_pixels(contract, dataset))
    except LikewiseError as error:
        faults = [str(error)]
    yield from (Problem("table", f"{name}: {fault}", command) for fault in faults)


def _whole(contract: Contract, dataset: tables.Table) -> Contract:
    """Return the contract extended by the columns of the source and of vectors."""
    vectors = [dataset.schema.field(name) for name in dataset.vector_columns]
    further = dataset.source_columns
    return contract.with_columns(*further, *(Column(v.name, v.type, "") for v in vectors))


def _storage(dataset: tables.Table) -> Iterator[str]:
    written = dataset.storage_version
    if written != STORAGE_VERSION:
        yield f"written in Lance's format {written}, not {STORAGE_VERSION}"


def _schema(contract: Contract, dataset: tables.Table) -> Iterator[str]:
    differing = set(contract.names()) ^ set(dataset.columns)
    if differing:
        names = bounded(sorted(differing), len(differing))
        yield f"its columns differ from the contract: {names}"


def _digests(table: TableArtefact, contract: Contract, dataset: tables.Table) -> Iterator[str]:
    """Yield the differences from the digest file; none if that file is missing."""
    if not table.digests.is_file():
        return
    recorded = Digests.from_yaml(read_yaml(table.digests), table.digests.name)
    computed = dataset.digest(contract)
    if computed.rows != recorded.rows:
        yield f"has {computed.rows:,} rows, and {table.digests.name} says {recorded.rows:,}"
    differing = {*computed.columns, *recorded.columns} - {
        name
        for name, digest in computed.columns.items()
        if recorded.columns.get(name) == digest
    }
    if differing:
        names = bounded(sorted(differing), len(differing))
        yield f"differs from {table.digests.name}: {names}"


def _pixels(contract: Contract, dataset: tables.Table) -> Iterator[str]:
    """Yield the images whose bytes do not have the sha256 of their row."""
    if not contract.blobs():
        return
    facts = dataset.read(["image_id", "sha256"])
    wrong: list[str] = []
    for start in tqdm(range(0, len(facts), PIXELS_AT_ONCE), unit="part", disable=None):
        part = facts.slice(start, PIXELS_AT_ONCE)
        rows: Sequence[int] = range(start, start + len(part))
        blobs = dataset.blobs(contract.blobs()[0], rows)
        for (image, sha256), data in zip(part.iter_rows(), blobs, strict=True):
            if hashlib.sha256(data).hexdigest() != sha256:
                wrong.append(image)
    if wrong:
        names = bounded(wrong, len(wrong))
        yield f"{len(wrong):,} images differ from the ingested files: {names}"


def _model(ws: Workspace, model: str) -> Iterator[Problem]:
    folder = ws.model(model)
    command = restore(ws, folder, artefacts.model(ws, model).stage)
    try:
        recorded = Passport.read(folder).weights_sha256
        with (folder / WEIGHTS).open("rb") as weights:
            computed = hashlib.file_digest(weights, "sha256").hexdigest()
        if computed != recorded:
            raise DataError(f"{ws.relative(folder / WEIGHTS)} differs from its passport")
    except (LikewiseError, FileNotFoundError) as error:
        yield Problem("model", str(error), command)


def _embedding(ws: Workspace, key: str) -> Iterator[Problem]:
    """Yield a problem if another model of the same name made the vectors."""
    entry = ws.params.embeddings[key]
    vectors, folder = (
        artefacts.embeddings(ws, entry.dataset, entry.model),
        ws.model(entry.model),
    )
    path = vectors.path
    if not tables.exists(path) or not folder.is_dir():
        return
    try:
        table = tables.open_table(path, vectors.command)
        made_by = Passport.from_json(table.passport("vector"), ws.relative(path))
        if made_by.identity() == Passport.read(folder).identity():
            return
    except LikewiseError:
        return  # reported by the checks of the table and of the model
    what = f"{ws.relative(path)} was made by an older version of {ws.relative(folder)}"
    yield Problem("stale", what, vectors.command)
