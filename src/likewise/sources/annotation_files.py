"""Annotation files of a data set: find them by name and read each once."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import polars as pl

from likewise.errors import DamagedError, DataError, bounded
from likewise.formats.archives import FileCollection, is_archive, open_files

JSON_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""Exceptions of msgspec for bytes that are not JSON, or not of the expected type."""

REPEATED_KEY = "an object repeats a key"
"""Detail of the finding about such an entry, because a parser would lose one of the values."""


class AnnotationFiles:
    """Annotation files in a folder, an archive, or one plain file."""

    def __init__(
        self, files: FileCollection, place: Path, *, open_nested: bool = False
    ) -> None:
        """Open ``place``; no file is read yet.

        Args:
            files: files of the images. If ``place`` is their folder or archive, its listing is
                reused.
            place: folder, archive or file with the annotations.
            open_nested: see ``open_files``.

        Raises:
            DataError: ``place`` does not exist or cannot be read.
        """
        self.place = place
        self._files: FileCollection | None = None
        if place == files.path:
            self._files = files
        elif place.is_dir() or not place.exists() or _is_archive(place):
            self._files = open_files(place, open_nested=open_nested, strict=True)

    @property
    def is_collection(self) -> bool:
        """True for a folder or archive, False for a single file."""
        return self._files is not None

    @property
    def damage(self) -> list[str]:
        """Faults of archives, see ``FileCollection.damage``."""
        return [] if self._files is None else self._files.damage

    def find(self, pattern: str) -> pl.Series:
        """Return the paths whose lower-case form matches the regular expression, sorted.

        A single file always matches. Hidden files and those in hidden folders never do.
        """
        if self._files is None:
            return pl.Series("path", [self.place.name])
        listing = self._files.listing()["path"]
        visible = ~listing.str.contains(r"(^|/)(\.|__MACOSX/)")
        return listing.filter(listing.str.to_lowercase().str.contains(pattern) & visible)

    def read(self, paths: pl.Series) -> Iterator[tuple[str, bytes]]:
        """Yield each of ``paths`` with its bytes; an archive may choose the order.

        Raises:
            DamagedError: a file cannot be read.
        """
        if self._files is not None:
            yield from self._files.read_many(paths)
            return
        try:
            yield self.place.name, self.place.read_bytes()
        except OSError as error:
            raise DamagedError(f"{self.place} cannot be read: {error.strerror}") from error

    def location(self, path: str) -> str:
        """Return the full location of ``path``, for messages."""
        return f"{self.place}/{path}" if self.is_collection else str(self.place)

    def missing_error(self, expected: str) -> DataError:
        """Return the error for a place without the ``expected`` annotations."""
        paths = self.find("")
        present = bounded(map(repr, paths.head(5)), len(paths)) or "nothing"
        if self.damage:
            present += f"; {self.damage[0]}"
        return DataError(f"{self.place}: no annotations: expected {expected}; found {present}")


class AnnotationFilesWithFallback(AnnotationFiles):
    """Annotation files of two places: files that ``place`` lacks are read from the images.

    This lets users keep a list of their own anywhere, and the tables of the data set where
    they are.
    """

    def __init__(
        self, files: FileCollection, place: Path, *, open_nested: bool = False
    ) -> None:
        """See ``AnnotationFiles``."""
        self.place = place
        self._own = AnnotationFiles(files, place, open_nested=open_nested)
        self._with_images = (
            self._own if place == files.path else AnnotationFiles(files, files.path)
        )

    @property
    def is_collection(self) -> bool:
        """Always True: two places together are never a single file."""
        return True

    @property
    def damage(self) -> list[str]:
        """Faults of the archives of both places."""
        return [*self._own.damage, *self._with_images.damage]

    @property
    def own_is_collection(self) -> bool:
        """True if ``place`` is a folder or archive, False for a single file."""
        return self._own.is_collection

    def find(self, pattern: str) -> pl.Series:
        """See ``AnnotationFiles.find``; use the first place that has a match."""
        own = self._own.find(pattern)
        own = own.filter(own.str.to_lowercase().str.contains(pattern))
        return own if len(own) else self._with_images.find(pattern)

    def read(self, paths: pl.Series) -> Iterator[tuple[str, bytes]]:
        """Yield each of ``paths`` with its bytes; all must come from one call of ``find``."""
        if len(paths):
            yield from self._place_of(paths[0]).read(paths)

    def location(self, path: str) -> str:
        """Return the full location of ``path``, for messages."""
        return self._place_of(path).location(path)

    def _place_of(self, path: str) -> AnnotationFiles:
        own = self._own.find(rf"\A{re.escape(path.lower())}\z")
        return self._own if path in own else self._with_images


def find_annotation_file(
    files: FileCollection, place: Path, names: Iterable[str]
) -> tuple[str, bytes] | None:
    """Find the one file of ``place`` whose name is in ``names``.

    Files directly in ``place`` and one folder below are considered. If ``place`` is itself a
    file and not an archive, its name is ignored.

    Returns:
        Location (for messages) and bytes of the file; None if there is none.

    Raises:
        DamagedError: ``place`` cannot be read.
        DataError: several files match.
    """
    try:
        if place.is_file() and not is_archive(place):
            return str(place), place.read_bytes()
    except OSError as error:
        raise DamagedError(f"{place} cannot be read: {error.strerror}") from error
    collection = files if place == files.path else open_files(place, strict=True)
    paths = collection.listing()["path"]
    hits = paths.filter(paths.str.extract(r"\A(?:[^/]*/)?([^/]*)\z").is_in(list(names)))
    if len(hits) > 1:
        raise DataError(
            f"{place} holds several possible annotation files: {bounded(hits, len(hits))}; "
            "name one of them in the card: source: text: ..."
        )
    return next(((f"{place}/{path}", collection.read(path)) for path in hits), None)


def decode_text(where: str, data: bytes, encoding: str = "utf-8") -> str:
    """Decode ``data``; a byte order mark takes precedence over ``encoding`` and is removed.

    Raises:
        DamagedError: the bytes are not valid in that encoding; the message names the line.
        DataError: the encoding is unknown.
    """
    encoding = bom_encoding(data) or encoding
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DamagedError(f"{where}, line {line:,}: not {encoding}: {error.reason}") from error
    except LookupError as error:
        raise DataError(f"{where}: unknown encoding {encoding!r}") from error


def bom_encoding(data: bytes) -> str | None:
    """Return the encoding of the byte order mark at the start of ``data``, if there is one."""
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
