"""A folder whose archives are looked into: each is the folder of what is in it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import polars as pl

from likewise.formats.archives.base import COLUMNS, Files, Found
from likewise.formats.archives.folders import Folder

# How the name of a file ends that is opened; its first bytes say then what it is.
_ARCHIVE = r"\.(zip|tar|tgz|txz|tbz2|tar\.(gz|xz|bz2))\z"


class Shelf(Files):
    """The files of a folder and of the archives in it: ``val.tar/1.jpg`` is in ``val.tar``."""

    def __init__(self, path: Path, opener: Callable[[Path], Files]) -> None:
        """``opener`` opens each archive."""
        super().__init__(path)
        self._folder = Folder(path)
        self._opener = opener
        self._archives: list[Files] = []

    def read(self, path: str) -> bytes:
        """The bytes of the file ``path``; see ``Files.read``."""
        for _, data in self.read_many([path]):
            return data
        raise self._missing(path)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each of the ``paths`` with its bytes: archive by archive, then the plain files."""
        rows = self._rows(list(paths))
        for (number,), part in rows.group_by("archive", maintain_order=True):
            files, top = self._place(int(str(number)))
            # There may be more archives than a process can hold open.
            for path, data in files.apart().read_many(part["path"].str.strip_prefix(top)):
                yield top + path, data

    def reaches(self, paths: pl.Series) -> bool:
        """See ``Files.reaches``: it depends on the archives that hold them."""
        used = self._rows(paths)["archive"].unique()
        return all(self._place(number)[0].random_access for number in used)

    def _place(self, number: int) -> tuple[Files, str]:
        """The archive of a ``number`` (-1: the folder itself), and its name as a folder."""
        if number < 0:
            return self._folder, ""
        files = self._archives[number]
        return files, f"{files.path.relative_to(self.path).as_posix()}/"

    def _scan(self) -> Found:
        plain = self._folder.listing()
        name = pl.col("path").str.to_lowercase()
        packed = name.str.contains(_ARCHIVE) & ~name.str.contains(r"(^|/)\.")
        self._archives = [
            self._opener(self.path / name) for name in plain.filter(packed)["path"]
        ]
        frames = [plain.filter(~packed).with_columns(archive=pl.lit(-1, pl.Int64))]
        undecodable, refused = [*self._folder.undecodable], [*self._folder.refused]
        for number, files in enumerate(self._archives):
            top = self._place(number)[1]
            frames.append(
                files.listing().with_columns(
                    path=pl.lit(top) + pl.col("path"), archive=pl.lit(number, pl.Int64)
                )
            )
            undecodable += [top + name for name in files.undecodable]
            refused += [(top + name, why) for name, why in files.refused]
        frame = pl.concat(frames).select(*COLUMNS, "archive").sort("path")
        return Found(frame, sorted(undecodable), sorted(refused))
