"""Files of DVC that contain forgotten items, and the versions that refer to them."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl
from tqdm import tqdm

from likewise.catalogue import takedowns
from likewise.catalogue.takedowns import Record
from likewise.errors import LikewiseError, VersionError, bounded
from likewise.formats.counted_nouns import counted
from likewise.storage import tables, versions
from likewise.storage.schema import FLAGS
from likewise.storage.versions import Output, Store
from likewise.storage.workspace import TABLE, Workspace

_HINT = "_versions/latest_version_hint.json"
"""A file of a table that contains only its version number; many tables share this file."""


@dataclass(frozen=True)
class Holder:
    """A place that still holds an image, a vector or a name that was taken down.

    Attributes:
        kind: ``version`` (a commit of git), ``cache`` and ``remote`` (files of DVC),
            ``unknown`` (a version whose files are not on this machine and cannot be searched),
            ``link`` (a view that a process reads), ``source``, ``history`` (git has the
            source's file), ``data set``, ``model``, ``text``.
        where: commit, path, address or name.
        what: description of the contents.
        command: command that removes it.
        files: for ``cache`` and ``remote``, all files: paths from the root, or addresses.
    """

    kind: str
    where: str
    what: str
    command: str
    files: list[str] = field(default_factory=list)


class Files:
    """Files of DVC that contain anything on record, and the versions that refer to them."""

    def __init__(self, ws: Workspace, dataset: str, record: Record) -> None:
        self._ws, self._dataset, self._record = ws, dataset, record
        self._store = Store(ws.root)
        self._notes: list[Holder] = []
        self.versions = versions.recorded_versions(ws)
        recorded = [version.outputs for version in self.versions]
        outputs = {
            (output.path, output.md5): output
            for known in (versions.outputs(ws.root), *recorded)
            for output in known.values()
        }
        self._fetch_lists(outputs.values())
        clean: set[str] = set()
        self.held: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
        self.unknown: dict[tuple[str, str], set[str]] = {}
        for key, output in tqdm(outputs.items(), unit="table", desc="look", disable=None):
            holds = self._about(output.path) and self._holds(output)
            if holds is None:
                self.unknown[key] = set(self._store.lacking(self._members(output)))
            elif holds:
                self.held[key] = self._members(output)
            else:
                clean |= self._members(output).keys()
        self.files = {
            md5: path
            for members in self.held.values()
            for md5, path in members.items()
            if md5 not in clean and not path[1].endswith(_HINT)
        }

    def _fetch_lists(self, outputs: Iterable[Output]) -> None:
        """Fetch the file lists of all outputs that a remote has."""
        lists = {output.md5 for output in outputs if output.md5.endswith(".dir")}
        with suppress(LikewiseError):
            self._store.fetch(lists, "forget")

    def in_cache(self) -> list[str]:
        """Return the files that are in the cache."""
        return sorted(set(self.files) - set(self._store.lacking(self.files)))

    def on_remotes(self) -> dict[str, set[str]]:
        """Return remote -> the files that it has."""
        return {remote: stored & self.files.keys() for remote, stored in self._remote.items()}

    @cached_property
    def _remote(self) -> dict[str, set[str]]:
        """Remote -> files on it that contain forgotten items, or that could not be searched."""
        asked = {*self.files, *(md5 for lacking in self.unknown.values() for md5 in lacking)}
        stored = {}
        for remote in self._store.remotes():
            try:
                stored[remote] = Store(self._ws.root, remote).on_remote(asked, "forget")
            except VersionError as error:
                again = f"likewise forget {self._dataset}"
                self._notes.append(Holder("unknown", remote, f"a remote: {error}", again))
        return stored

    def holders(self) -> Iterator[Holder]:
        """Yield versions, then files of the cache, then files of remotes."""
        here, on_remotes = self.in_cache(), self.on_remotes()
        left = {*here, *(md5 for md5s in self._remote.values() for md5 in md5s)}
        command = f"likewise forget {self._dataset} --purge"
        for version in self.versions:
            keys = {(out.path, out.md5) for out in version.outputs.values()}
            held = sorted(p for p, md5 in keys if self.held.get((p, md5), {}).keys() & left)
            unsure = sorted(key[0] for key in keys & self.unknown.keys() if self._left(key))
            name = f"{version.commit[:10]} {version.names}".strip()
            if held:
                what = f"{version.date}: {bounded(held, len(held), 3)}"
                yield Holder("version", name, what, command)
            if unsure:
                what = (
                    f"{version.date}; not all files are on this machine: "
                    f"{bounded(unsure, len(unsure), 3)}"
                )
                look = f"dvc fetch --all-commits && likewise forget {self._dataset}"
                yield Holder("unknown", name, what, look)
        for output, md5s in self._by_output(here):
            paths = [self._ws.relative(self._store.path(md5)) for md5 in md5s]
            what = f"{counted(len(paths), 'file')}, {self._store.size(md5s) / 1e6:,.2f} MB"
            yield Holder("cache", output, what, command, paths)
        for remote, stored in on_remotes.items():
            store = Store(self._ws.root, remote)
            for output, md5s in self._by_output(stored):
                what = f"{counted(len(md5s), 'file')} on {remote}"
                addresses = store.remote_paths(md5s)
                yield Holder("remote", output, what, command, addresses)
        yield from self._notes

    def _left(self, unknown: tuple[str, str]) -> bool:
        """Return True if a file that could not be searched is, or may be, on a remote."""
        lacking = self.unknown[unknown]
        return bool(self._notes) or any(lacking & stored for stored in self._remote.values())

    def _by_output(self, md5s: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        """Yield (output, its files), sorted."""
        by_output: dict[str, list[str]] = {}
        for md5 in sorted(md5s, key=lambda md5: self.files[md5]):
            by_output.setdefault(self.files[md5][0], []).append(md5)
        yield from sorted(by_output.items())

    def _about(self, path: str) -> bool:
        """Return True if an output may contain data of this data set."""
        names = [self._dataset]
        names += [
            n for n, view in self._ws.params.all_views.items() if view.of == self._dataset
        ]
        ws, file = self._ws, self._ws.root / path
        if file == ws.queries(file.stem):
            run = ws.params.runs.get(file.stem)
            return run is None or run.dataset in names
        return (
            file in {ws.published(name) for name in names}
            or (self._own(path) and file.suffix == TABLE)
            or file.name == ws.table("", FLAGS.name).name
        )

    def _own(self, path: str) -> bool:
        """Return True if an output is in the data set's folder."""
        return (self._ws.root / path).is_relative_to(self._ws.tables(self._dataset))

    def _members(self, output: Output) -> dict[str, tuple[str, str]]:
        """Return md5 -> (output, path in it) for every file of an output and for its list."""
        listed: dict[str, str] = {}
        with suppress(LikewiseError):
            listed = self._store.members(output) or {}
        files = {md5: (output.path, path) for path, md5 in listed.items()}
        return {**files, output.md5: (output.path, "")}

    def _holds(self, output: Output) -> bool | None:
        """Return True if an output contains anything on record; None if it cannot be read."""
        try:
            members = self._store.members(output)
            if members is None:
                return None
            light = {p: md5 for p, md5 in members.items() if not p.endswith(".blob")}
            if self._store.lacking(light.values()):
                return None
            if output.path.endswith(".parquet"):
                return self._in_results(self._store.path(output.md5))
            return self._in_table(output, light)
        except (LikewiseError, pl.exceptions.PolarsError, OSError):
            return None

    def _in_table(self, output: Output, members: dict[str, str]) -> bool:
        folder = self._ws.staging(f"forget-{self._dataset}") / "look"
        shutil.rmtree(folder, ignore_errors=True)
        linked = folder / Path(output.path).name
        try:
            versions.link_view(
                linked, {linked / path: self._store.path(md5) for path, md5 in members.items()}
            )
            table = tables.open_table(linked, "")
            if by_hash := takedowns.column_of_hashes(table):
                return bool(table.files_contain(by_hash, self._record.hashes))
            own = self._own(output.path)
            rows = table.read(table.metadata_columns)
            if "other_dataset" in rows.columns and not own:
                rows = rows.filter(pl.col("other_dataset") == self._dataset).select("other")
            return _names_any(rows, self._record)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _in_results(self, path: Path) -> bool:
        names = pl.read_parquet_schema(path)
        wanted = [str(n) for n in ("item_id", "hits", "missed") if n in names]
        return _names_any(pl.read_parquet(path, columns=wanted), self._record)


def _names_any(frame: pl.DataFrame, record: Record) -> bool:
    """Return True if a text, or a text in a list, is an id on record."""
    ids = pl.Series(sorted(record.items | record.images), dtype=pl.String).implode()
    for column in frame.get_columns():
        values = column.explode() if column.dtype == pl.List(pl.String) else column
        if values.dtype == pl.String and values.is_in(ids).any():
            return True
    return False
