"""Take items down: out of all that is here, never to come back; and say what still has them."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import polars as pl

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.takedowns import Entry, Record, is_hash
from likewise.errors import DataError, bounded, hint
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.retrieval.index_cache import held_contents
from likewise.steps.forget.dvc_files import Holder
from likewise.steps.forget.holders import find_holders, purge_holders
from likewise.steps.forget.removal import Plan, Removal, jobs
from likewise.storage import artefacts, journal, tables, versions
from likewise.storage.workspace import Workspace

__all__ = ["Forgotten", "Holder", "forget"]


@dataclass(frozen=True)
class Forgotten:
    """What was taken down, what has to be made anew, and what still holds it.

    Attributes:
        dataset: its name.
        file: the record, which is to be committed to git.
        items: items that were recorded now: those named, and all others of the same bytes.
        forgotten: all that are recorded.
        remade: the stages that wrote their outputs anew without them.
        repro: the stages whose results went, for ``dvc repro``.
        holders: what still holds any of what is recorded, and what removes it there.
        purged: files that ``purge`` removed from the cache and the remotes.
    """

    dataset: str
    file: str
    items: list[str]
    forgotten: int
    remade: list[str] = field(default_factory=list)
    repro: list[str] = field(default_factory=list)
    holders: list[Holder] = field(default_factory=list)
    purged: int = 0


def forget(
    dataset: str,
    items: Sequence[str] = (),
    *,
    reason: str = "",
    purge: bool = False,
    workspace: StrPath | None = None,
) -> Forgotten:
    """Take ``items`` out of ``dataset`` as it is now, and keep them out.

    An item goes with its image, the other boxes in it, and every image of the same bytes: out
    of images, items, findings, vectors, measures, flags, the published table and its views,
    and out of the files of all these, not only out of their rows. Indexes that are kept,
    results of runs and half-done work go too. ``catalog/<dataset>/forgotten.csv`` records ids,
    SHA-256 and reason, so that no ingest takes them in again. Nothing is read from the source.

    Without ``items`` the record is put into effect again, after a merge say, and what still
    holds anything of it is looked for. A killed forget leaves all as it was, or is finished by
    the next one.

    Args:
        dataset: its name.
        items: ids of items or images, or the SHA-256 of a file's bytes.
        reason: why; it stands in git, so name nobody.
        purge: also remove the files of older versions that hold them from DVC's cache and all
            remotes; those versions cannot be opened whole any more.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set.
        DataError: no such item, no reason, nothing would be left, or something is running.
        MissingArtefactError: the data set was not ingested, or its pixels are not all here.
        VersionError: DVC cannot record it, or a remote not be written.
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    file = ws.forgotten(dataset)
    with _alone(ws, dataset):
        before = takedowns.read(file)
        record = _record(ws, dataset, before, items, " ".join(reason.split()))
        made = _settled(ws, dataset)
        staging = journal.Staging(ws, f"forget-{dataset}")
        removal = Removal(ws, dataset, record, staging)
        if removal.tables() or record != before:
            _decide(ws, dataset, staging, removal.plan())
            made = _settled(ws, dataset)
        _drop_indexes(ws, dataset, record)
        purged = purge_holders(ws, dataset, record) if purge else 0
        holders = find_holders(ws, dataset, record)
        shutil.rmtree(staging.folder, ignore_errors=True)
    known = {entry[:3] for entry in before.entries}
    new = [entry for entry in record.entries if entry[:3] not in known]
    return Forgotten(
        dataset,
        ws.relative(file),
        [entry.item_id or entry.sha256 for entry in new],
        len(record.entries),
        made.stages if made else [],
        made.dropped if made else [],
        holders,
        purged,
    )


@contextmanager
def _alone(ws: Workspace, dataset: str) -> Iterator[None]:
    """Let nothing else write about the data set meanwhile."""
    names = [f"forget-{dataset}", f"correct-{dataset}", *(s.job for s in jobs(ws, dataset))]
    with ExitStack() as locks:
        for name in names:
            locks.enter_context(journal.exclusive_job(ws, name))
        yield


def _record(
    ws: Workspace, dataset: str, before: Record, items: Sequence[str], reason: str
) -> Record:
    """What was forgotten, and what now is: with every id go all images of the same bytes."""
    path = versions.locate(ws, ws.table(dataset, "items"))
    table = tables.open_table(path, artefacts.table(ws, dataset, "items").command)
    rows = table.read(["item_id", "image_id", "content"])
    rows = rows.select("item_id", "image_id", sha256=pl.col("content").str.head(64))
    _refuse(dataset, rows, before, items, reason)
    ids = [*items, *before.images]
    hit = rows.filter(pl.any_horizontal(pl.col(name).is_in(ids) for name in rows.columns))
    hashes = {*hit["sha256"], *before.hashes, *filter(is_hash, items)}
    found = rows.filter(pl.col("sha256").is_in(sorted(hashes)))
    bare = hashes - set(found["sha256"]) - before.hashes
    reasons = {entry.sha256: entry.reason for entry in before.entries}
    entries = [(*row, reasons.get(row[2], reason)) for row in found.iter_rows()]
    entries += [("", "", sha256, reason) for sha256 in bare]
    return before.with_entries(Entry(*entry) for entry in entries)


def _refuse(
    dataset: str, rows: pl.DataFrame, before: Record, items: Sequence[str], reason: str
) -> None:
    """Refuse ids that nothing has, and new ones without a reason."""
    recorded = before.items | before.images | before.hashes
    new = [item for item in dict.fromkeys(items) if item not in recorded]
    known = {*rows["item_id"], *rows["image_id"]}
    absent = [item for item in new if item not in known and not is_hash(item)]
    if absent:
        what = f"{dataset} has no item {bounded(map(repr, absent), len(absent))}"
        raise DataError(f"{what}; {hint(absent[0], rows['item_id'])}; nothing was changed")
    if new and not reason:
        raise DataError("say why, in words that may stand in git for good: --reason TEXT")


def _decide(ws: Workspace, dataset: str, staging: journal.Staging, plan: Plan) -> None:
    """Put the new tables into place, and with them what has to follow."""
    marker = staging.path(ws.forgetting(dataset))
    atomic.write_text(marker, plan.text())
    staging.commit()


def _settled(ws: Workspace, dataset: str) -> Plan | None:
    """Carry out what follows, begun by this process or by one that was killed."""
    marker = ws.forgetting(dataset)
    plan = Plan.read(marker)
    if plan is None:
        return None
    for path in (
        *(ws.root / file for file in plan.files),
        *(ws.staging(stage.job) for stage in jobs(ws, dataset)),
    ):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if ws.dvc.is_dir():
        if plan.stages:
            versions.record_outputs(ws, plan.stages, plan.stale)
        lock = versions.lock_text_without(ws, plan.dropped)
        if lock is not None:
            atomic.write_text(ws.lock, lock)
    versions.remove_unused_views(ws, unused=0)
    marker.unlink()
    return plan


def _drop_indexes(ws: Workspace, dataset: str, record: Record) -> None:
    """Remove the indexes of the data set and its views in which a forgotten vector is."""
    views = [name for name, view in ws.params.views.items() if view.of == dataset]
    for name in (dataset, *views):
        for folder in (ws.indexes / name).glob("*/*"):
            if not record.hashes.isdisjoint(held_contents(folder)):
                shutil.rmtree(folder, ignore_errors=True)
