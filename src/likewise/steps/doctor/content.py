"""Checks of content: tables against digests, vectors and weights against passports."""

import hashlib
from collections.abc import Iterator, Sequence

import polars as pl
from tqdm import tqdm

from likewise.errors import DataError, LikewiseError, bounded
from likewise.formats.counted_nouns import counted
from likewise.formats.json_documents import read_json
from likewise.models import model_files
from likewise.models.passport import Passport
from likewise.steps.doctor import file_faults
from likewise.steps.doctor.problem import Problem, fault_of, restore
from likewise.storage import artefacts, tables
from likewise.storage.artefacts import Artefact, TableArtefact
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.schema import STORAGE_VERSION, Column, Contract
from likewise.storage.workspace import Workspace

PIXELS_AT_ONCE = 64
"""Number of images that a deep check holds in memory."""


def check(ws: Workspace, *, deep: bool) -> Iterator[Problem]:
    """Check tables, models, and with ``deep`` the bytes of images; skip missing ones."""
    made = artefacts.artefacts(ws)
    present = [a for a in made if isinstance(a, TableArtefact) and a.path.exists()]
    for table in tqdm(present, unit="table", desc="check", disable=None):
        yield from _table(ws, table, deep=deep)
    for result in made:
        if result.path.suffix in (".json", ".parquet") and result.path.is_file():
            yield from _result(ws, result)
    for model in ws.params.recipes():
        if ws.model(model).is_dir():
            yield from _model(ws, model)
    for key in ws.params.vector_entries():
        yield from _embedding(ws, key)


def _table(ws: Workspace, table: TableArtefact, *, deep: bool) -> Iterator[Problem]:
    name = ws.relative(table.path)
    faults: list[str] = []
    digests = _recorded_digests(ws, table)
    if isinstance(digests, Problem):
        yield digests
        digests = None
    try:
        dataset = tables.open_table(table.path, table.command)
        contract = _whole(table.contract, dataset)
        faults = [*_storage(dataset), *_schema(contract, dataset)]
        faults = faults or list(_digests(table, digests, contract, dataset))
        if faults and digests and not file_faults.is_recorded(ws, table.digests):
            what = f"{ws.relative(table.digests)}: it is not the file that dvc.lock records"
            yield Problem("table", what, restore(ws, table.digests, table.stage))
            faults = list(file_faults.check(ws, table.path, packs=deep))
        if deep and not faults:
            faults += list(_pixels(contract, dataset))
        faults = faults or list(file_faults.check(ws, table.path, packs=deep))
    except BaseException as error:  # noqa: BLE001 (see fault_of)
        faults = [fault_of(error)]
    if faults:
        command = restore(ws, table.path, table.stage)
        own = f"{table.path.parent.name}/{table.path.name} "
        texts = (fault.removeprefix(own) for fault in faults)
        yield from (Problem("table", f"{name}: {text}", command) for text in texts)


def _recorded_digests(ws: Workspace, table: TableArtefact) -> Digests | Problem | None:
    """Read the digest file of a table; None if there is none."""
    if not table.digests.is_file():
        return None
    try:
        return Digests.from_yaml(read_yaml(table.digests), table.digests.name)
    except (LikewiseError, OSError) as error:
        what = f"{ws.relative(table.digests)}: {error}"
        return Problem("table", what, restore(ws, table.digests, table.stage))


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


def _digests(
    table: TableArtefact, recorded: Digests | None, contract: Contract, dataset: tables.Table
) -> Iterator[str]:
    """Yield the differences from the digest file; none if that file is missing."""
    computed = dataset.digest(contract)
    if recorded is None:
        return
    if computed.rows != recorded.rows:
        yield (
            f"has {counted(computed.rows, 'row')}, and {table.digests.name} says "
            f"{recorded.rows:,}"
        )
    differing = {*computed.columns, *recorded.columns} - {
        name
        for name, digest in computed.columns.items()
        if recorded.columns.get(name) == digest
    }
    if differing:
        names = bounded(sorted(map(str, differing)), len(differing))
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
        yield (
            f"{counted(len(wrong), 'image', 'differs', 'differ')} from the ingested files: "
            f"{names}"
        )


def _result(ws: Workspace, result: Artefact) -> Iterator[Problem]:
    """Yield a problem if a file of results cannot be read."""
    try:
        if result.path.suffix == ".json":
            read_json(result.path)
        else:
            pl.read_parquet(result.path)
    except BaseException as error:  # noqa: BLE001 (see fault_of)
        what = f"{ws.relative(result.path)}: {fault_of(error)}"
        yield Problem("result", what, restore(ws, result.path, result.stage))


def _model(ws: Workspace, model: str) -> Iterator[Problem]:
    folder = ws.model(model)
    try:
        for name, fault in model_files.file_faults(folder, Passport.read(folder)):
            raise DataError(f"{ws.relative(folder / name)} {fault}")
        changed = list(file_faults.check(ws, folder, packs=True))
        if changed:
            raise DataError(f"{ws.relative(folder)}: {changed[0]}")
    except (LikewiseError, OSError) as error:
        command = restore(ws, folder, artefacts.model(ws, model).stage)
        yield Problem("model", fault_of(error), command)


def _embedding(ws: Workspace, key: str) -> Iterator[Problem]:
    """Yield a problem if another model of the same name made the vectors."""
    entry = ws.params.vector_entries()[key]
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
    except Exception:  # noqa: BLE001
        return  # reported by the checks of the table and of the model
    what = f"{ws.relative(path)} was made by an older version of {ws.relative(folder)}"
    yield Problem("stale", what, vectors.command)
