"""A folder whose archives are treated as folders of their members."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import polars as pl

from likewise.errors import DataError
from likewise.formats.archives.file_collection import FileCollection
from likewise.formats.archives.folders_anywhere import open_folder
from likewise.formats.archives.listing import LISTING_COLUMNS, FileListing
from likewise.formats.object_storage import StoreError, is_remote

# Suffixes of files to open; their first bytes then determine the format.
_ARCHIVE = r"\.(zip|tar|tgz|txz|tbz2|tar\.(gz|xz|bz2))\z"

_AT_ONCE = 8
"""Archives of an object store that are listed at a time."""


class FolderOfArchives(FileCollection):
    """The files of a folder and its archives: ``val.tar/1.jpg`` is a member of ``val.tar``."""

    def __init__(self, path: Path, opener: Callable[[Path], FileCollection]) -> None:
        """Use ``opener`` to open each archive."""
        super().__init__(path)
        self._folder = open_folder(path)
        self._opener = opener
        self._archives: list[FileCollection] = []

    def read(self, path: str) -> bytes:
        """See ``FileCollection.read``."""
        for _, data in self.read_many([path]):
            return data
        raise self._missing(path)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each of ``paths`` with its bytes, grouped by archive."""
        rows = self._rows(list(paths))
        for (number,), part in rows.group_by("archive", maintain_order=True):
            files, top = self._place(int(str(number)))
            # There may be more archives than a process may keep open.
            for path, data in files.with_own_handles().read_many(
                part["path"].str.strip_prefix(top)
            ):
                yield top + path, data

    def can_seek(self, paths: pl.Series) -> bool:
        """Return True if all archives that contain ``paths`` support random access."""
        used = self._rows(paths)["archive"].unique()
        return all(self._place(number)[0].random_access for number in used)

    def located(self, paths: pl.Series) -> pl.DataFrame:
        """See ``FileCollection.located``.

        If an archive is read in one pass, the files are grouped by archive, as ``read_many``
        does.
        """
        rows = self._rows(paths).with_row_index("at")
        if not self.can_seek(paths):
            rows = rows.sort(pl.col("at").min().over("archive"), "at")
        parts = [self._folder.located(paths.clear())]
        for (number,), part in rows.group_by("archive", maintain_order=True):
            files, top = self._place(int(str(number)))
            places = files.located(part["path"].str.strip_prefix(top))
            parts.append(
                places.with_columns(
                    path=pl.lit(top) + pl.col("path"), archive=pl.lit(top.rstrip("/"))
                )
            )
        located = pl.concat(parts, how="diagonal")
        return rows.select("path").join(located, on="path", how="left", maintain_order="left")

    def limit_to(self, rows: pl.DataFrame) -> None:
        """See ``FileCollection.limit_to``; only archives with files of ``rows`` are opened."""
        loose = rows.filter(archive="")
        self._folder.limit_to(loose)
        self._archives = []
        frames = [loose.select(*LISTING_COLUMNS, archive=pl.lit(-1, pl.Int64))]
        packed = rows.filter(pl.col("archive") != "").sort("archive")
        for (name,), part in packed.group_by("archive", maintain_order=True):
            files = self._opener(self.path / str(name))
            inner = pl.col("path").str.strip_prefix(f"{name}/")
            files.limit_to(part.with_columns(path=inner, archive=pl.lit("")))
            number = pl.lit(len(self._archives), pl.Int64)
            frames.append(part.select(*LISTING_COLUMNS, archive=number))
            self._archives.append(files)
        self._listing = FileListing(pl.concat(frames).sort("path"), [], [])

    def _place(self, number: int) -> tuple[FileCollection, str]:
        """Return archive ``number`` (-1: the folder itself) and its path prefix."""
        if number < 0:
            return self._folder, ""
        files = self._archives[number]
        return files, f"{files.path.relative_to(self.path).as_posix()}/"

    def _opened(self, names: list[str]) -> Iterator[FileCollection | DataError]:
        """Yield the archives with their listings, or why one cannot be read."""
        if not is_remote(self.path):
            yield from map(self._open, names)
            return
        # A listing waits for requests, of which several run at a time.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            runs = [pool.submit(copy_context().run, self._open, name) for name in names]
            for run in runs:
                yield run.result()

    def _open(self, name: str) -> FileCollection | DataError:
        try:
            files = self._opener(self.path / name)
            files.listing()
        except StoreError:
            raise  # the archive may be whole
        except DataError as error:
            return error
        return files

    def _scan(self) -> FileListing:
        plain = self._folder.listing()
        lower = pl.col("path").str.to_lowercase()
        packed = lower.str.contains(_ARCHIVE) & ~lower.str.contains(r"(^|/)\.")
        undecodable, refused = [*self._folder.undecodable], [*self._folder.refused]
        damage: list[str] = []
        self._archives = []
        names = plain.filter(packed)["path"].to_list()
        for name, files in zip(names, self._opened(names), strict=True):
            if isinstance(files, DataError):
                damage.append(str(files))
                refused.append((name, str(files).removeprefix(f"{self.path / name} ")))
            else:
                self._archives.append(files)
        frames = [plain.filter(~packed).with_columns(archive=pl.lit(-1, pl.Int64))]
        for number, files in enumerate(self._archives):
            top = self._place(number)[1]
            frames.append(
                files.listing().with_columns(
                    path=pl.lit(top) + pl.col("path"), archive=pl.lit(number, pl.Int64)
                )
            )
            undecodable += [top + name for name in files.undecodable]
            refused += [(top + name, why) for name, why in files.refused]
            damage += files.damage
        frame = pl.concat(frames).select(*LISTING_COLUMNS, "archive").sort("path")
        return FileListing(frame, sorted(undecodable), sorted(refused), damage)
