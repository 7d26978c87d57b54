"""The DVC cache of a checkout, and the remote behind it: files by the md5 of their content."""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likewise.errors import LikewiseError, VersionError, bounded
from likewise.storage.versions.dvc_logs import logged_errors
from likewise.storage.versions.lock_file import Output
from likewise.storage.versions.remote_errors import (
    no_remote,
    one_line,
    remote_fault,
)
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from dvc.repo import Repo


@dataclass(frozen=True)
class Transferred:
    """What went over the wire: how many files, of how many bytes."""

    files: int = 0
    nbytes: int = 0


class Store:
    """Files by md5: those that the cache holds, and those that a remote can give."""

    def __init__(self, root: Path, remote: str | None = None) -> None:
        """Name the checkout, and one of its remotes where that is not the default one."""
        self._root = root
        self._remote = remote

    @property
    def folder(self) -> Path:
        """Where the cache keeps its files."""
        stamps = [_stamp(path) for path in Workspace(self._root).dvc_configs]
        return _cache_folder(self._root, *stamps)

    def path(self, md5: str) -> Path:
        """Where the cache keeps, or would keep, a file."""
        return self.folder / md5[:2] / md5[2:]

    def lacking(self, md5s: Iterable[str]) -> list[str]:
        """Those that the cache does not hold, sorted."""
        return sorted(md5 for md5 in set(md5s) if not self.path(md5).is_file())

    def members(self, output: Output) -> dict[str, str] | None:
        """The files of an output: path below it ("" for itself) -> md5; None if not known."""
        if not output.md5.endswith(".dir"):
            return {"": output.md5}
        listing = self.path(output.md5)
        if not listing.is_file():
            return None
        try:
            entries = json.loads(listing.read_text(encoding="utf-8"))
            return {entry["relpath"]: entry["md5"] for entry in entries}
        except (ValueError, KeyError, TypeError) as error:
            what = f"the cache's list of {output.path} ({listing}) is damaged"
            raise VersionError(f"{what}; run: likewise pull --verify") from error

    def size(self, md5s: Iterable[str]) -> int:
        """Bytes of those that the cache holds."""
        paths = map(self.path, set(md5s))
        return sum(path.stat().st_size for path in paths if path.is_file())

    def fetch(self, md5s: Iterable[str], what: str) -> Transferred:
        """Bring what the cache lacks from the remote; each file is whole or not there.

        Raises:
            VersionError: there is no remote, it cannot be read, or lacks some of ``what``.
        """
        wanted = self.lacking(md5s)
        if not wanted:
            return Transferred()
        with self._transfer(what, "Fetching from") as (repo, odb, options):
            _transfer(odb, repo.cache.local, wanted, verify=True, **options)
        absent = self.lacking(wanted)
        if absent:
            raise VersionError(
                f"{what}: the remote lacks, or holds damaged, {len(absent):,} of "
                f"{len(wanted):,} files: {bounded(absent, len(absent), 2)}; whoever made "
                "them has to run: likewise push"
            )
        return Transferred(len(wanted), self.size(wanted))

    def push(self, md5s: Iterable[str], what: str) -> Transferred:
        """Bring to the remote what that lacks and the cache holds.

        Raises:
            VersionError: there is no remote, or it cannot be written.
        """
        from dvc_data.hashfile.db import get_index

        here = sorted(set(md5s) - set(self.lacking(md5s)))
        with self._transfer(what, "Pushing to") as (repo, odb, options):
            cache = repo.cache.local
            index = get_index(odb)
            done = _transfer(cache, odb, here, dest_index=index, cache_odb=cache, **options)
        return Transferred(len(done), self.size(done))

    def remote_paths(self, md5s: Iterable[str]) -> list[str]:
        """Where the remote keeps, or would keep, files.

        Raises:
            VersionError: there is no remote.
        """
        with self._repo() as repo:
            odb = repo.cloud.get_remote_odb(self._remote)
            return [str(odb.fs.unstrip_protocol(odb.oid_to_path(md5))) for md5 in md5s]

    def on_remote(self, md5s: Iterable[str], what: str) -> set[str]:
        """Those that the remote holds.

        Raises:
            VersionError: there is no remote, or it cannot be read.
        """
        with self._transfer(what, "Looking at") as (_, odb, _options):
            return set(odb.oids_exist(sorted(set(md5s)), jobs=odb.fs.jobs))

    def erase(self, md5s: Iterable[str], what: str) -> None:
        """Take files out of the remote.

        Raises:
            VersionError: there is no remote, or it cannot be written.
        """
        from dvc_data.hashfile.db import get_index

        with self._transfer(what, "Erasing from") as (_, odb, _options):
            for md5 in sorted(set(md5s)):
                odb.fs.remove(odb.oid_to_path(md5))
            get_index(odb).clear()  # what DVC remembers of the remote

    def remotes(self) -> list[str]:
        """The names of all remotes, sorted; none where this is no DVC repository."""
        try:
            with self._repo() as repo:
                return sorted(repo.config["remote"])
        except VersionError:
            return []

    def remote_settings(self) -> Mapping[str, Any]:
        """The name (``name``) and DVC's settings of the remote.

        Raises:
            VersionError: there is none.
        """
        with self._repo() as repo:
            name = self._remote or repo.config["core"].get("remote")
            settings = repo.config["remote"].get(name)
            if not settings:
                raise no_remote(name, list(repo.config["remote"]))
            return {"name": name, **settings}

    def damaged(self, md5s: Iterable[str]) -> Iterator[str]:
        """Those of which the cache holds other bytes than their md5 says; it reads them all."""
        from dvc_data.hashfile.hash import fobj_md5

        for md5 in sorted(set(md5s)):
            path = self.path(md5)
            if not path.is_file():
                continue
            with path.open("rb") as handle:
                if fobj_md5(handle) != md5.removesuffix(".dir"):
                    yield md5

    def drop(self, md5: str) -> None:
        """Take a file out of the cache."""
        self.path(md5).unlink(missing_ok=True)

    @contextmanager
    def _transfer(self, what: str, verb: str) -> "Iterator[tuple[Repo, Any, dict[str, Any]]]":
        """The repository, its remote and options; what goes wrong becomes one line."""
        from dvc.fs.callbacks import TqdmCallback

        with logged_errors() as errors, self._repo() as repo:
            settings = self.remote_settings()
            place = f"{what}: remote {settings['name']!r} ({settings.get('url')})"
            try:
                odb = repo.cloud.get_remote_odb(self._remote)
                with TqdmCallback(desc=f"{verb} {settings['name']}", unit="file") as bar:
                    yield repo, odb, {"callback": bar}
            except LikewiseError:
                raise
            except Exception as error:
                raise remote_fault(error, place, settings["name"]) from error
            if errors:
                raise remote_fault(errors[0], place, settings["name"]) from errors[0]

    @contextmanager
    def _repo(self) -> "Iterator[Repo]":
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        try:
            repo = Repo(str(self._root))
        except DvcException as error:
            raise VersionError(
                f"{self._root}: {one_line(error)}; run: likewise init"
            ) from error
        with repo:
            yield repo


def _transfer(source: Any, target: Any, md5s: Iterable[str], **options: Any) -> set[str]:
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.transfer import transfer

    wanted = {HashInfo("md5", md5) for md5 in md5s}
    return {str(done.value) for done in transfer(source, target, wanted, **options).transferred}


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


@functools.lru_cache(maxsize=64)
def _cache_folder(root: Path, *_stamps: tuple[int, int]) -> Path:
    """The folder of the cache by DVC's settings; it is said once while they do not change."""
    from dvc.config import Config, ConfigError

    dvc = Workspace(root).dvc
    try:
        settings = Config(str(dvc))["cache"] if dvc.is_dir() else {}
    except ConfigError as error:
        raise VersionError(f"{dvc}/config: {one_line(error)}") from error
    return Path(settings.get("dir") or dvc / "cache") / "files" / "md5"
