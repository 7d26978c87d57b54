"""The DVC cache of a checkout and its remote: files by the md5 of their content."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likewise.errors import DamagedError, LikewiseError, VersionError, bounded
from likewise.formats.counted_nouns import counted
from likewise.formats.json_documents import read_json
from likewise.formats.paths import path_fault
from likewise.storage.versions.dvc_logs import logged_errors
from likewise.storage.versions.foreign import check_settings
from likewise.storage.versions.lock_file import Output, check_md5
from likewise.storage.versions.remote_errors import (
    no_remote,
    one_line,
    remote_fault,
)
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from dvc.repo import Repo

_MD5_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"


@dataclass(frozen=True)
class Transferred:
    """Number and total size of the files that were transferred."""

    files: int = 0
    nbytes: int = 0


class NowhereError(VersionError):
    """Neither the cache nor the remote has the files."""


class Store:
    """Files by md5, in the DVC cache and on a remote."""

    def __init__(self, root: Path, remote: str | None = None) -> None:
        """Open the cache of a checkout, and the named or default remote."""
        self._root = root
        self._remote = remote

    @property
    def folder(self) -> Path:
        """The folder of the files of the cache."""
        stamps = [_stamp(path) for path in Workspace(self._root).dvc_configs]
        return _cache_folder(self._root, *stamps)

    def path(self, md5: str) -> Path:
        """Return the path of a file in the cache, whether it exists or not.

        Raises:
            VersionError: ``md5`` is none, so that the path could leave the cache.
        """
        check_md5(md5, "DVC's cache")
        return self.folder / md5[:2] / md5[2:]

    def lacking(self, md5s: Iterable[str]) -> list[str]:
        """Return those of ``md5s`` that the cache does not hold, sorted.

        A symbolic link in the cache is not a file of the cache, because DVC makes none there.
        Neither is an empty file that should not be empty: DVC leaves one if it is killed.
        """
        return sorted(md5 for md5 in set(md5s) if not self._holds(md5))

    def members(self, output: Output) -> dict[str, str] | None:
        """Return the files of an output, path ("" for itself) -> md5; None if unknown.

        Raises:
            VersionError: its list is damaged, or a path of it leads out of the output.
        """
        if not output.md5.endswith(".dir"):
            return {"": output.md5}
        listing = self.path(output.md5)
        if not self._holds(output.md5):
            return None
        what = f"the cache's list of {output.path} ({listing})"
        try:
            entries = read_json(listing)
            files = {str(entry["relpath"]): str(entry["md5"]) for entry in entries}
        except (DamagedError, KeyError, TypeError) as error:
            raise VersionError(f"{what} is damaged; run: likewise pull --verify") from error
        for path, md5 in files.items():
            if fault := path_fault(path):
                raise VersionError(f"{what}: the path {path!r} is refused: {fault}")
            check_md5(md5, what)
        return files

    def size(self, md5s: Iterable[str]) -> int:
        """Return the total size of those that the cache holds."""
        paths = map(self.path, set(md5s))
        return sum(path.stat().st_size for path in paths if path.is_file())

    def fetch(self, md5s: Iterable[str], what: str) -> Transferred:
        """Download the files that the cache lacks; a partial file is never stored.

        Raises:
            VersionError: there is no remote, it cannot be read, or lacks some of ``what``.
        """
        lacking = self.lacking(md5s)
        if not lacking:
            return Transferred()
        for md5 in lacking:
            self.drop(md5)
        with self._transfer(what, "Fetching from") as (repo, odb, options):
            _transfer(odb, repo.cache.local, lacking, verify=True, **options)
        absent = self.lacking(lacking)
        if absent:
            raise NowhereError(
                f"{what}: {len(absent):,} of {counted(len(lacking), 'file', 'is', 'are')} "
                f"missing or damaged on the remote: {bounded(absent, len(absent), 2)}; on a "
                "machine that has them, run: likewise push"
            )
        return Transferred(len(lacking), self.size(lacking))

    def push(self, md5s: Iterable[str], what: str) -> Transferred:
        """Upload the files that the cache holds and the remote lacks.

        Raises:
            VersionError: there is no remote, or it cannot be written.
        """
        from dvc_data.hashfile.db import get_index

        local = sorted(set(md5s) - set(self.lacking(md5s)))
        with self._transfer(what, "Pushing to") as (repo, odb, options):
            cache = repo.cache.local
            _drop_empty(odb, local)
            index = get_index(odb)
            done = _transfer(cache, odb, local, dest_index=index, cache_odb=cache, **options)
        return Transferred(len(done), self.size(done))

    def remote_paths(self, md5s: Iterable[str]) -> list[str]:
        """Return the addresses of files on the remote, whether they exist or not.

        Raises:
            VersionError: there is no remote.
        """
        with self._repo() as repo:
            odb = self._odb(repo)
            return [str(odb.fs.unstrip_protocol(odb.oid_to_path(md5))) for md5 in md5s]

    def on_remote(self, md5s: Iterable[str], what: str) -> set[str]:
        """Return those of ``md5s`` that the remote holds.

        Raises:
            VersionError: there is no remote, or it cannot be read.
        """
        with self._transfer(what, "Looking at") as (_, odb, _options):
            return set(odb.oids_exist(sorted(set(md5s)), jobs=odb.fs.jobs))

    def erase(self, md5s: Iterable[str], what: str) -> None:
        """Delete files from the remote.

        Raises:
            VersionError: there is no remote, or it cannot be written.
        """
        from dvc_data.hashfile.db import get_index

        with self._transfer(what, "Erasing from") as (_, odb, _options):
            for md5 in sorted(set(md5s)):
                odb.fs.remove(odb.oid_to_path(md5))
            get_index(odb).clear()  # DVC's cached listing of the remote

    def remotes(self) -> list[str]:
        """Return the names of all remotes, sorted; empty if this is not a DVC repository."""
        try:
            with self._repo() as repo:
                return sorted(repo.config["remote"])
        except VersionError:
            return []

    def remote_settings(self) -> Mapping[str, Any]:
        """Return the name (``name``) and the DVC settings of the remote.

        Raises:
            VersionError: DVC has no remote.
        """
        with self._repo() as repo:
            name = self._remote or repo.config["core"].get("remote")
            settings = repo.config["remote"].get(name)
            if not settings:
                raise no_remote(name, list(repo.config["remote"]))
            return {"name": name, **settings}

    def damaged(self, md5s: Iterable[str]) -> Iterator[str]:
        """Yield those whose bytes in the cache do not have their md5; all files are read."""
        from dvc_data.hashfile.hash import fobj_md5

        for md5 in sorted(set(md5s)):
            path = self.path(md5)
            if not path.is_file():
                continue
            with path.open("rb") as handle:
                if fobj_md5(handle) != md5.removesuffix(".dir"):
                    yield md5

    def _holds(self, md5: str) -> bool:
        path = self.path(md5)
        is_file = path.is_file() and not path.is_symlink()
        return is_file and (path.stat().st_size > 0 or md5 == _MD5_OF_NOTHING)

    def drop(self, md5: str) -> None:
        """Delete a file from the cache."""
        self.path(md5).unlink(missing_ok=True)

    @contextmanager
    def _transfer(self, what: str, verb: str) -> "Iterator[tuple[Repo, Any, dict[str, Any]]]":
        """Open the repository and its remote for a transfer; errors become one line."""
        from dvc.fs.callbacks import TqdmCallback

        with logged_errors() as errors, self._repo() as repo:
            settings = self.remote_settings()
            place = f"{what}: remote {settings['name']!r} ({settings.get('url')})"
            try:
                odb = self._odb(repo)
                with TqdmCallback(desc=f"{verb} {settings['name']}", unit="file") as bar:
                    yield repo, odb, {"callback": bar}
            except LikewiseError:
                raise
            except Exception as error:
                raise remote_fault(error, place, settings["name"]) from error
            if errors:
                raise remote_fault(errors[0], place, settings["name"]) from errors[0]

    def _odb(self, repo: "Repo") -> Any:
        """Return the remote, which may be a stranger's: it does not get the SSH agent."""
        odb = repo.cloud.get_remote_odb(self._remote)
        if "agent_forwarding" in odb.fs.fs_args:
            odb.fs.fs_args["agent_forwarding"] = False
        return odb

    @contextmanager
    def _repo(self) -> "Iterator[Repo]":
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        check_settings(self._root)
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

    hashes = {HashInfo("md5", md5) for md5 in md5s}
    return {str(done.value) for done in transfer(source, target, hashes, **options).transferred}


def _drop_empty(odb: Any, md5s: Iterable[str]) -> None:
    """Remove the empty files that a killed push left in a remote that is a folder."""
    if odb.fs.protocol != "local":
        return
    for md5 in md5s:
        path = Path(odb.oid_to_path(md5))
        if md5 != _MD5_OF_NOTHING and path.is_file() and not path.stat().st_size:
            path.unlink()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


@functools.lru_cache(maxsize=64)
def _cache_folder(root: Path, *_stamps: tuple[int, int]) -> Path:
    """Return the folder of the cache by DVC's settings; cached until they change."""
    from dvc.config import Config, ConfigError

    dvc = Workspace(root).dvc
    check_settings(root)
    try:
        settings = Config(str(dvc))["cache"] if dvc.is_dir() else {}
    except ConfigError as error:
        raise VersionError(f"{dvc}/config: {one_line(error)}") from error
    return Path(settings.get("dir") or dvc / "cache") / "files" / "md5"
