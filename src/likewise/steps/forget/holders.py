"""Find remaining copies of forgotten items: versions, files, remotes, sources, models."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl

from likewise.catalogue import takedowns
from likewise.catalogue.takedowns import Record
from likewise.errors import LikewiseError, VersionError
from likewise.formats.counted_nouns import counted
from likewise.formats.object_storage import is_remote
from likewise.sources import SOURCES
from likewise.steps.forget.dvc_files import Files, Holder
from likewise.storage import artefacts, journal, tables, versions
from likewise.storage.config import training_data
from likewise.storage.versions import Store
from likewise.storage.workspace import Workspace


def find_holders(ws: Workspace, dataset: str, record: Record) -> list[Holder]:
    """Return every known place that holds anything on record, versions first."""
    if not record.entries:
        return []
    files = Files(ws, dataset, record)
    return [
        *files.holders(),
        *_links(ws, dataset, record),
        *_source(ws, dataset, record),
        *_other_data_sets(ws, dataset, record),
        *_models(ws, dataset),
        *_texts(ws, dataset, record),
    ]


def purge_holders(ws: Workspace, dataset: str, record: Record) -> int:
    """Remove the files of older versions from the cache and every remote; return their number.

    Raises:
        VersionError: a remote is not writable.
    """
    if not record.entries:
        return 0
    files = Files(ws, dataset, record)
    gone = 0
    for remote, md5s in files.on_remotes().items():
        Store(ws.root, remote).erase(md5s, "forget")
        gone += len(md5s)
    for md5 in files.in_cache():
        Store(ws.root).drop(md5)
        gone += 1
    return gone


def _links(ws: Workspace, dataset: str, record: Record) -> Iterator[Holder]:
    """Yield views that a process still reads; all others are removed."""
    for path in sorted(ws.views.glob("*/*.lance")):
        with suppress(LikewiseError):
            table = tables.open_table(path, "")
            by_hash = takedowns.column_of_hashes(table)
            if not by_hash or not table.files_contain(by_hash, record.hashes):
                continue
            what = "an earlier process still reads it"
            again = f"end that process, then: likewise forget {dataset}"
            yield Holder("link", ws.relative(path), what, again)


def _source(ws: Workspace, dataset: str, record: Record) -> Iterator[Holder]:
    """Yield the files of the source, and copies of them in git and DVC."""
    entry = ws.dataset(dataset)
    if is_remote(entry.path):
        yield from _objects(ws, dataset, record)
        return
    places = {image: ws.source(entry.path) / image for image in sorted(record.images)}
    try:
        layout = SOURCES.build(ws.card(dataset).source, dataset)
        listed = set(layout.open(ws.source(entry.path)).listing()["path"])
    except (LikewiseError, OSError):
        listed = set()  # the source is not on this machine
    for image, path in places.items():
        if image in listed and path.is_file():
            yield Holder("source", ws.relative(path), "the file", f"rm {ws.relative(path)}")
        elif image in listed:
            what = f"{image}, in an archive"
            yield Holder("source", entry.path, what, "write the archive again without it")
    yield from _history(ws, list(places.values()))
    yield from _cached_source(ws, entry.path, [p for p in places.values() if p.is_file()])


def _objects(ws: Workspace, dataset: str, record: Record) -> Iterator[Holder]:
    """Yield the objects of a source in an object store."""
    place = ws.source(ws.dataset(dataset).path)
    again = f"likewise forget {dataset}"
    try:
        layout = SOURCES.build(ws.card(dataset).source, dataset)
        listed = set(layout.open(place).listing()["path"])
        for image in sorted(record.images & listed):
            if (place / image).is_file():
                yield Holder("source", f"{place}/{image}", "the object", "remove the object")
            else:
                what = f"{image}, in an archive"
                yield Holder("source", str(place), what, "write the archive again without it")
    except (LikewiseError, OSError) as error:
        what = f"it cannot be searched ({error})"
        yield Holder("unknown", str(place), what, f"make it readable, then: {again}")


def _history(ws: Workspace, paths: list[Path]) -> Iterator[Holder]:
    """Yield files of the source that are in git's history."""
    inside = [ws.relative(path) for path in paths if path.is_relative_to(ws.root)]
    known: set[str] = set()
    for start in range(0, len(inside), 500):
        asked = ("log", "--all", "--format=", "--name-only", "--relative", "-z", "--")
        with suppress(VersionError):  # no git, or no commit yet
            known |= set(
                versions.run_git(ws.root, *asked, *inside[start : start + 500]).split("\0")
            )
    for path in inside:
        if path in {name.strip() for name in known}:
            what = "git has the file in its history"
            yield Holder("history", path, what, f"git filter-repo --invert-paths --path {path}")


def _cached_source(ws: Workspace, source: str, paths: list[Path]) -> Iterator[Holder]:
    """Yield copies of the source that ``dvc add`` stored in the cache, and on remotes."""
    md5s = {hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() for path in paths}
    store = Store(ws.root)
    again = f"rm the files from {source}, dvc add {source}, then: dvc gc --workspace --cloud"
    here = sorted(md5s - set(store.lacking(md5s)))
    if here:
        files = [ws.relative(store.path(md5)) for md5 in here]
        yield Holder(
            "cache", source, f"{counted(len(here), 'file')} of the source", again, files
        )
    for remote in store.remotes() if md5s else ():
        with suppress(VersionError):  # reported with the files of tables
            stored = sorted(Store(ws.root, remote).on_remote(md5s, "forget"))
            if stored:
                what = f"{counted(len(stored), 'file')} of the source on {remote}"
                addresses = Store(ws.root, remote).remote_paths(stored)
                yield Holder("remote", source, what, again, addresses)


def _other_data_sets(ws: Workspace, dataset: str, record: Record) -> Iterator[Holder]:
    """Yield images of the same bytes in other data sets of the catalogue."""
    for other in ws.params.datasets:
        path = versions.locate(ws, ws.table(other, "images"))
        if other == dataset or not tables.exists(path):
            continue
        rows = tables.open_table(path, "").read(["image_id", "sha256"])
        same = rows.filter(pl.col("sha256").is_in(sorted(record.hashes)))["image_id"]
        for image in same:
            command = f"likewise forget {other} '{image}' --reason TEXT"
            yield Holder("data set", other, f"the same bytes as {image}", command)


def _models(ws: Workspace, dataset: str) -> Iterator[Holder]:
    """Yield models that were trained on the data set, possibly on forgotten items."""
    for model, entry in ws.params.recipes().items():
        if dataset not in training_data(entry):
            continue
        made = artefacts.model(ws, model)
        if made.path.is_dir():
            what = f"it was trained on {dataset} before the take-down"
            yield Holder("model", model, what, made.command)
        if journal.is_running(ws, made.stage.job):
            what = f"it is being trained on {dataset}, perhaps since before the take-down"
            yield Holder("model", model, what, f"end the training, then: {made.command}")
        elif ws.trainings(model).is_dir():
            what = f"the checkpoints of a stopped training on {dataset}"
            yield Holder("model", model, what, f"rm -r {ws.relative(ws.trainings(model))}")


def _texts(ws: Workspace, dataset: str, record: Record) -> Iterator[Holder]:
    """Yield text files in git that contain an id or hash: annotations, notes, reports."""
    words = sorted(record.items | record.images | record.hashes)
    given = "".join(f"{word}\n" for word in words)
    try:
        matches = versions.grep(ws.root, given)
    except VersionError:
        return
    own = ws.relative(ws.forgotten(dataset))
    for path in matches:
        if path != own:
            yield Holder("text", path, "it names what was forgotten", f"edit {path}")
