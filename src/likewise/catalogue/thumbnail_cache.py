"""Thumbnails of the items of an open data set, and the cache that keeps them.

The cache is one SQLite file of this user of the checkout. Its name has a seal, so a file that
came with the catalogue has another name and is never opened. Its key is the content of an item,
so a thumbnail stays valid when labels are corrected or files renamed, and a take-down finds it
by the hash of the image.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from likewise.errors import DataError
from likewise.formats.paths import refuse_links
from likewise.imaging.probe import BadImage
from likewise.imaging.thumbnail import make_thumbnail
from likewise.storage import seals
from likewise.storage.tables import Table
from likewise.storage.workspace import Workspace

MOST_BYTES = 1 << 30
"""Maximum size of the cache; the oldest thumbnails are removed first."""

SMALL_BYTES = 20_000
"""Size of a file up to which a small image is its own thumbnail."""

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
"""Formats that every browser shows, and their types."""

JPEG = TYPES["JPEG"]

FACTS = ("content", "box", "format", "orientation", "width", "height", "nbytes")
"""Columns that a thumbnail depends on."""

_TABLE = """\
CREATE TABLE IF NOT EXISTS thumbnails (
    number INTEGER PRIMARY KEY, content TEXT NOT NULL, side INTEGER NOT NULL,
    picture BLOB NOT NULL, UNIQUE (content, side)
)"""
_CHECKED = 256
"""Number of thumbnails after which the size of the cache is checked."""


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of an item.

    Attributes:
        data: the encoded picture; empty if there is none.
        media_type: ``image/jpeg`` or the type of a small file that is used unchanged.
        fault: ``missing`` if the pixels are not on this machine, ``unreadable`` if they cannot
            be decoded, or "".
        made: True if it was decoded and encoded again.
        content: the content of the item.
    """

    data: bytes
    media_type: str
    fault: Literal["", "missing", "unreadable"] = ""
    made: bool = False
    content: str = ""


_caches: dict[Path, "ThumbnailCache"] = {}
"""The caches of this process by their files."""

_lock = threading.Lock()

MISSING = Thumbnail(b"", "", "missing")
UNREADABLE = Thumbnail(b"", "", "unreadable")


def is_small(facts: Mapping[str, Any], side: int) -> bool:
    """Return True if a file is used unchanged: a small upright image without a box."""
    return (
        facts["box"] is None
        and facts["format"] in TYPES
        and facts["orientation"] == 1
        and max(facts["width"], facts["height"]) <= side
        and facts["nbytes"] <= SMALL_BYTES
    )


class PixelSource(Protocol):
    """The part of an open data set whose pictures become thumbnails."""

    @property
    def table(self) -> Table:
        """The published table."""
        ...

    def present_images(self, positions: Sequence[int]) -> list[bytes | None]:
        """The encoded images of some items; None where they are not on this machine."""
        ...

    def stored_thumbnails(self, contents: Sequence[str]) -> dict[str, bytes]:
        """The small pictures of the stage ``thumbs``, by content."""
        ...

    def taken_down(self) -> set[str]:
        """The SHA-256 of the images that are on record as taken down now."""
        ...


class ThumbnailCache:
    """Thumbnails by content and size, in a file of bounded size; threads may share it.

    Where the file cannot be written or is damaged, nothing is kept.
    """

    def __init__(self, ws: Workspace, most: int = MOST_BYTES) -> None:
        """Use the file of the workspace; it is opened at the first use."""
        self._ws = ws
        self._most = most
        self._added = 0
        self._lock = threading.Lock()
        self._process = 0
        self._connection: sqlite3.Connection | None = None

    @staticmethod
    def of(ws: Workspace) -> "ThumbnailCache":
        """Return the cache of a checkout, which its open data sets share."""
        with _lock:
            return _caches.setdefault(ws.cache_root, ThumbnailCache(ws))

    def get(self, contents: Sequence[str], side: int) -> dict[str, bytes]:
        """Return the thumbnails that are kept, by content."""
        kept: dict[str, bytes] = {}
        with suppress(sqlite3.Error, OSError, DataError), self._lock:
            ask = "SELECT picture FROM thumbnails WHERE content = ? AND side = ?"
            for content in contents:
                row = self._opened().execute(ask, (content, side)).fetchone()
                if row:
                    kept[content] = row[0]
        return kept

    def put(
        self,
        pictures: Mapping[str, bytes],
        side: int,
        taken_down: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Keep thumbnails by content, except those of images that were taken down.

        ``forget`` writes its record before it erases the thumbnails, and the record is read
        here after other writers of the file are locked out, so no thumbnail is put after them.

        Args:
            pictures: content -> thumbnail.
            side: their maximum edge length.
            taken_down: returns the SHA-256 of the images that are on record now.
        """
        add = "INSERT OR IGNORE INTO thumbnails (content, side, picture) VALUES (?, ?, ?)"
        with suppress(sqlite3.Error, OSError, DataError), self._lock, self._opened() as writing:
            writing.execute("BEGIN IMMEDIATE")
            gone = taken_down()
            rows = [(c, side, data) for c, data in pictures.items() if c[:64] not in gone]
            writing.executemany(add, rows)
            self._added += len(rows)
            if self._added >= _CHECKED:
                self._added = 0
                self._shrink(writing)

    def thumbnails(
        self, source: PixelSource, positions: Sequence[int], side: int
    ) -> list[Thumbnail]:
        """Return the thumbnails of the items at ``positions``, made where they are not kept."""
        facts = source.table.take(positions, FACTS).to_pylist()
        kept = self.get([one["content"] for one in facts], side)
        absent = [n for n, one in enumerate(facts) if one["content"] not in kept]
        read = source.present_images([positions[n] for n in absent]) if absent else []
        made = {n: _make(facts[n], data, side) for n, data in zip(absent, read, strict=True)}
        gone = [facts[n]["content"] for n, one in made.items() if one.fault == "missing"]
        stored = source.stored_thumbnails(gone) if gone else {}
        made |= {
            n: Thumbnail(stored[facts[n]["content"]], JPEG)
            for n, one in made.items()
            if one.fault == "missing" and facts[n]["content"] in stored
        }
        new = {facts[n]["content"]: one.data for n, one in made.items() if one.made}
        if new:
            self.put(new, side, source.taken_down)
        return [
            replace(made[n], content=one["content"])
            if n in made
            else Thumbnail(kept[one["content"]], JPEG, content=one["content"])
            for n, one in enumerate(facts)
        ]

    def _shrink(self, writing: sqlite3.Connection) -> None:
        """Remove the oldest tenth if the file is too large; SQLite reuses its pages."""
        pages, free, size = (
            writing.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > self._most:
            writing.execute(
                "DELETE FROM thumbnails WHERE number IN (SELECT number FROM thumbnails "
                "ORDER BY number LIMIT (SELECT count(*) / 10 + 1 FROM thumbnails))"
            )

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():
            self._process = os.getpid()  # a connection does not survive a fork
            file = _own_file(self._ws)
            refuse_links(self._ws.cache_root, file)
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _connect(file)
        return self._connection


def _make(facts: Mapping[str, Any], data: bytes | None, side: int) -> Thumbnail:
    """Return the thumbnail of an item with the encoded image ``data``."""
    if data is None:
        return MISSING
    if is_small(facts, side):
        return Thumbnail(data, TYPES[facts["format"]])
    try:
        return Thumbnail(make_thumbnail(data, side, facts["box"]), JPEG, made=True)
    except BadImage:
        return UNREADABLE


def _connect(file: Path) -> sqlite3.Connection:
    """Open the cache; a damaged file is replaced."""
    for _ in range(2):
        connection = sqlite3.connect(file, timeout=1, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
                file.with_name(name).unlink(missing_ok=True)
        else:
            return connection
    raise sqlite3.OperationalError(str(file))


def erase_thumbnails(ws: Workspace, hashes: Collection[str]) -> None:
    """Remove the thumbnails of images by their SHA-256, also while a server uses the cache.

    Raises:
        DataError: another process blocks the cache.
    """
    own = _own_file(ws)
    for other in ws.thumbnails.parent.glob(f"{ws.thumbnails.stem}-*{ws.thumbnails.suffix}*"):
        if not other.name.startswith(own.name):  # of another user: a cache can be made again
            other.unlink(missing_ok=True)
    if not own.exists():
        return
    with _reported(ws, own), closing(_connect(own)) as connection:
        with connection:
            erase = "DELETE FROM thumbnails WHERE substr(content, 1, 64) = ?"
            connection.executemany(erase, [(sha256,) for sha256 in hashes])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _own_file(ws: Workspace) -> Path:
    """Return the cache of this user of this checkout.

    Raises:
        DataError: there is no place for the key of the seal.
    """
    own = seals.own_name(ws, "thumbnails")
    return ws.thumbnails.with_stem(f"{ws.thumbnails.stem}-{own}")


@contextmanager
def _reported(ws: Workspace, path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        file = ws.relative(path)
        raise DataError(f"{file} is in use ({error}); stop `likewise serve`") from error
