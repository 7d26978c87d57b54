"""The files that explain images: found by their names, read once."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl

from likewise.errors import DamagedError, DataError, bounded
from likewise.formats.archives import Files, is_archive, open_files

NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises of bytes that are no JSON, or another than was asked for."""


class Notes:
    """The annotation files in ``place``: a folder, an archive, or one file.

    ``files`` are those of the images, often the same; they are not looked through twice.
    """

    def __init__(self, files: Files, place: Path, *, inside: bool = False) -> None:
        """Look at ``place``; nothing is read yet.

        Args:
            files: those of the images.
            place: where the annotations are.
            inside: whether archives in it are looked into; see ``open_files``.

        Raises:
            DataError: there is nothing at ``place``, or it cannot be read.
        """
        self.place = place
        self._files: Files | None = None
        if place == files.path:
            self._files = files
        elif place.is_dir() or not place.exists() or _is_archive(place):
            self._files = open_files(place, inside=inside)

    @property
    def is_many(self) -> bool:
        """Whether the place holds files, rather than being one."""
        return self._files is not None

    def names(self, pattern: str) -> pl.Series:
        """The paths that match ``pattern`` (in lower case), sorted; a single file always does.

        Hidden files and those in hidden folders are left out.
        """
        if self._files is None:
            return pl.Series("path", [self.place.name])
        listing = self._files.listing()["path"]
        shown = ~listing.str.contains(r"(^|/)(\.|__MACOSX/)")
        return listing.filter(listing.str.to_lowercase().str.contains(pattern) & shown)

    def read(self, names: pl.Series) -> Iterator[tuple[str, bytes]]:
        """Each of ``names`` with its bytes, in an order that the archive may choose.

        Raises:
            DamagedError: one of them cannot be read.
        """
        if self._files is not None:
            yield from self._files.read_many(names)
            return
        try:
            yield self.place.name, self.place.read_bytes()
        except OSError as error:
            raise DamagedError(f"{self.place} cannot be read: {error.strerror}") from error

    def where(self, path: str) -> str:
        """Where the file called ``path`` lies, for messages."""
        return f"{self.place}/{path}" if self.is_many else str(self.place)

    def absent(self, expected: str) -> DataError:
        """The error for a place that holds no annotations of the kind that was ``expected``."""
        seen = self.names("")
        there = bounded(map(repr, seen.head(5)), len(seen)) or "nothing"
        return DataError(f"{self.place}: no annotations: expected {expected}; there is {there}")


class NotesToo(Notes):
    """Annotation files of two places: what ``place`` has not, is looked for with the images.

    So a list of one's own lies anywhere, and the tables of the set stay where they are.
    """

    def __init__(self, files: Files, place: Path, *, inside: bool = False) -> None:
        """See ``Notes``."""
        self.place = place
        self._own = Notes(files, place, inside=inside)
        self._with_images = self._own if place == files.path else Notes(files, files.path)

    @property
    def is_many(self) -> bool:
        """Whether the places hold files; together they always do."""
        return True

    def names(self, pattern: str) -> pl.Series:
        """The paths that match ``pattern`` in the first place that has any; see ``Notes``."""
        own = self._own.names(pattern)
        own = own.filter(own.str.to_lowercase().str.contains(pattern))
        return own if len(own) else self._with_images.names(pattern)

    def read(self, names: pl.Series) -> Iterator[tuple[str, bytes]]:
        """Each of ``names``, all of which one pattern found; see ``Notes``."""
        if len(names):
            yield from self._place_of(names[0]).read(names)

    def where(self, path: str) -> str:
        """Where the file called ``path`` lies, for messages."""
        return self._place_of(path).where(path)

    def _place_of(self, path: str) -> Notes:
        own = self._own.names(rf"\A{re.escape(path.lower())}\z")
        return self._own if path in own else self._with_images


def as_text(where: str, data: bytes, encoding: str = "utf-8") -> str:
    """``data`` as text; a byte order mark at its beginning is obeyed and left out.

    Raises:
        DamagedError: it is not in that encoding; the line is named.
        DataError: there is no such encoding.
    """
    encoding = encoding_of(data) or encoding
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DamagedError(f"{where}, line {line:,}: not {encoding}: {error.reason}") from error
    except LookupError as error:
        raise DataError(f"{where}: no encoding is called {encoding!r}") from error


def split_named(path: str, splits: dict[str, str]) -> str | None:
    """The split that the words of a path say, those of the file's name before its folders'."""
    for part in reversed(path.split("/")):
        for word in re.split(r"[^a-z]+", part.lower()):
            if word in splits:
                return splits[word]
    return None


def encoding_of(data: bytes) -> str | None:
    """The encoding that a byte order mark at the beginning says; None without one."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return None


def _is_archive(place: Path) -> bool:
    try:
        return is_archive(place)
    except OSError as error:
        raise DamagedError(f"{place} cannot be read: {error.strerror}") from error
