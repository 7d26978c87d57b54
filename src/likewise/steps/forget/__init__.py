"""Take items down: remove them from the catalogue for good, and list remaining copies."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import polars as pl

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.takedowns import Entry, Record, is_hash
from likewise.catalogue.thumbnail_cache import erase_thumbnails
from likewise.errors import DataError, bounded, hint
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.retrieval.index_cache import cached_contents
from likewise.steps.forget.dvc_files import Holder
from likewise.steps.forget.holders import find_holders, purge_holders
from likewise.steps.forget.removal import Removal, jobs, views_of
from likewise.steps.forget.removal_plan import Plan
from likewise.storage import artefacts, journal, tables, versions
from likewise.storage.takedown_lock import alone
from likewise.storage.workspace import Workspace

__all__ = ["Forgotten", "Holder", "forget"]


@dataclass(frozen=True)
class Forgotten:
    """Result of a take-down.

    Attributes:
        dataset: name of the data set.
        file: file of the record; commit it to git.
        items: items that were newly recorded: those named, and all others of the same bytes.
        forgotten: number of all recorded entries.
        remade: stages whose outputs were rewritten without the items.
        repro: stages whose results were removed; ``dvc repro`` runs them.
        holders: remaining copies of anything on record, and the commands that remove them.
        purged: number of files that ``purge`` removed from the cache and the remotes.
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
    """Remove ``items`` from the present version of ``dataset``, and keep them out.

    The image of an item is removed, with the other boxes in it and every image of the same
    bytes: from images, items, findings, vectors, measures, flags, the published table and its
    views. The files of these tables are rewritten, so that no data of deleted rows remain.
    Stored indexes, results of runs and unfinished work are removed too.
    ``catalog/<dataset>/forgotten.csv`` records ids, SHA-256 and reason; later ingests leave
    these images out. The source is not read.

    Without ``items``, the record is applied again, e.g. after a merge, and remaining copies
    are listed. An interrupted call has either changed nothing, or is completed by the next
    call.

    Args:
        dataset: name of the data set.
        items: ids of items or images, or the SHA-256 of a file's bytes.
        reason: reason of the take-down. It is committed to git: do not name persons.
        purge: also remove the files of older versions that contain the items from DVC's cache
            and all remotes. These versions cannot be opened completely any more.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set.
        DataError: no such item, no reason, no item would be left, or another job is running.
        MissingArtefactError: the data set was not ingested, or images are not pulled.
        VersionError: DVC cannot record the change, or a remote is not writable.

    Example:
        >>> done = likewise.forget("emoji", ["0_znoto.jpg"], reason="no consent")
        >>> done.remade
        ['prepare@emoji', 'ingest@emoji', 'embed@emoji-tiny', 'publish@emoji']
        >>> done.repro
        ['evaluate@emoji-tiny']
        >>> [holder.command for holder in done.holders if holder.kind == "source"]
        ['rm emoji/images/0_znoto.jpg']
    """
    ws = open_workspace(workspace)
    ws.check_params()
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
        erase_thumbnails(ws, record.hashes)
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
    """Lock all jobs that write files of the data set, and all other work with its items."""
    names = [f"{verb}-{dataset}" for verb in ("forget", "correct", "tag", "select")]
    names += [f"review-{name}" for name in ws.params.datasets]
    names += jobs(ws, dataset)
    with ExitStack() as locks:
        locks.enter_context(alone(ws, dataset, names[0]))
        for name in names:
            locks.enter_context(journal.exclusive_job(ws, name))
        yield


def _record(
    ws: Workspace, dataset: str, before: Record, items: Sequence[str], reason: str
) -> Record:
    """Return the record with the new entries: for every id, all images of the same bytes."""
    path = versions.locate(ws, ws.table(dataset, "items"))
    table = tables.open_table(path, artefacts.table(ws, dataset, "items").command)
    rows = table.read(["item_id", "image_id", "content"])
    rows = rows.select("item_id", "image_id", sha256=pl.col("content").str.head(64))
    _refuse(dataset, rows, before, items, reason)
    ids = [*items, *before.images]
    hit = rows.filter(pl.any_horizontal(pl.col(name).is_in(ids) for name in rows.columns))
    hashes = {*hit["sha256"], *before.hashes, *filter(is_hash, items)}
    matching = rows.filter(pl.col("sha256").is_in(sorted(hashes)))
    bare = hashes - set(matching["sha256"]) - before.hashes
    reasons = {entry.sha256: entry.reason for entry in before.entries}
    entries = [(*row, reasons.get(row[2], reason)) for row in matching.iter_rows()]
    entries += [("", "", sha256, reason) for sha256 in bare]
    return before.with_entries(Entry(*entry) for entry in entries)


def _refuse(
    dataset: str, rows: pl.DataFrame, before: Record, items: Sequence[str], reason: str
) -> None:
    """Raise for unknown ids, and for new ids without a reason."""
    recorded = before.items | before.images | before.hashes
    new = [item for item in dict.fromkeys(items) if item not in recorded]
    known = {*rows["item_id"], *rows["image_id"]}
    absent = [item for item in new if item not in known and not is_hash(item)]
    if absent:
        what = f"{dataset} has no item {bounded(map(repr, absent), len(absent))}"
        raise DataError(f"{what}; {hint(absent[0], rows['item_id'])}; nothing was changed")
    if new and not reason:
        raise DataError(
            "a new take-down needs a reason, which git keeps for ever; add: --reason TEXT"
        )


def _decide(ws: Workspace, dataset: str, staging: journal.Staging, plan: Plan) -> None:
    """Commit the new tables together with the plan of the remaining steps."""
    marker = staging.path(ws.forgetting(dataset))
    plan.write(ws, dataset, marker)
    staging.commit()


def _settled(ws: Workspace, dataset: str) -> Plan | None:
    """Complete the plan of this process, or of one that was killed."""
    marker = ws.forgetting(dataset)
    plan = Plan.read(ws, dataset)
    if plan is None:
        return None
    for path in (
        *(ws.root / file for file in plan.files),
        *(ws.staging(job) for job in jobs(ws, dataset)),
        *(ws.shards(job) for job in jobs(ws, dataset)),
        *(ws.shards(job) for job in artefacts.index_jobs(ws, dataset, *views_of(ws, dataset))),
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
    """Remove indexes of the data set and its views that contain a forgotten vector."""
    for name in (dataset, *views_of(ws, dataset)):
        for folder in (ws.indexes / name).glob("*/*"):
            contents = cached_contents(folder)
            if contents is None or not record.hashes.isdisjoint(contents):
                shutil.rmtree(folder, ignore_errors=True)
