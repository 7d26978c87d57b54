"""Listing of the files of a folder or archive."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.paths import member_fault

LISTING_COLUMNS = ("path", "nbytes", "stamp")

MAX_MEMBER_BYTES = 2 << 30
"""Maximum size of a member of an archive, which is held in memory while it is read."""

_REPEATED = "several members of the archive have this name"
_BUFFERED_NAMES = 50_000


@dataclass(frozen=True, slots=True)
class FileListing:
    """Result of scanning a folder or archive.

    Attributes:
        members: one row per file, sorted by path: ``LISTING_COLUMNS``, and the columns with
            which the format finds the file again.
        undecodable: see ``FileCollection.undecodable``.
        refused: see ``FileCollection.refused``.
        damage: see ``FileCollection.damage``.
    """

    members: pl.DataFrame
    undecodable: list[str]
    refused: list[tuple[str, str]]
    damage: list[str] = field(default_factory=list)


class ListingBuilder:
    """Collects the members of a folder or archive into a ``FileListing``."""

    def __init__(self, path: Path, *extra: str) -> None:
        """Name the integer columns that the format needs in addition to nbytes and stamp."""
        self._path = path
        self._columns = (*LISTING_COLUMNS[1:], *extra)
        self._names: list[str] = []
        self._numbers: list[tuple[int, ...]] = []
        self._frames: list[pl.DataFrame] = []
        self._undecodable: list[str] = []
        self._refused: list[tuple[str, str]] = []
        self._damage: list[str] = []

    def add(self, name: bytes, *numbers: int) -> None:
        """Add a file whose name is known to be a relative path; ``numbers`` are its columns."""
        try:
            self._names.append(name.decode())
        except UnicodeDecodeError:
            self._undecodable.append(escaped(name))
        else:
            self._numbers.append(numbers)
            if len(self._names) >= _BUFFERED_NAMES:
                self._settle()

    def add_member(self, name: bytes, *numbers: int, folder: bytes = b"") -> None:
        """Add an archive member; refuse it if its name leaves the archive.

        ``folder`` is the nested archive that contains it, if any.
        """
        reason = member_fault(name) or (member_fault(folder) if folder else "")
        if reason:
            self.refuse(name, reason, folder)
            return
        name = _below(folder, name)
        if b"./" in name or b"//" in name:
            name = b"/".join(part for part in name.split(b"/") if part not in (b"", b"."))
        self.add(name, *numbers)

    def refuse(self, name: bytes, reason: str, folder: bytes = b"") -> None:
        """Add ``name`` to the refused members."""
        self._refused.append((escaped(_below(folder, name)), reason))

    @property
    def count(self) -> int:
        """The number of members that were added."""
        return sum(map(len, self._frames)) + len(self._names)

    def end_early(
        self, error: DataError, name: bytes, count: int = 0, *, is_last_whole: bool = False
    ) -> None:
        """Record that nothing after the last member can be read, and refuse this member.

        Args:
            error: the damage.
            name: the damaged archive, which is refused if none of its members is.
            count: the number of members before the damaged archive.
            is_last_whole: the last member is complete, and is not refused.
        """
        self._damage.append(str(error))
        refused = escaped(name)
        if self.count > count and not is_last_whole:
            self._settle()
            frame = self._frames.pop()
            self._frames.append(frame.head(-1))
            refused = frame["path"][-1]
        cause = " ".join(str(error.__cause__).split())
        reason = f"the archive is damaged, and nothing from here on can be read ({cause})"
        self._refused.append((refused, reason))

    def build(
        self, refusable: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    ) -> FileListing:
        """Return the listing, sorted by path; members that share a name are refused.

        Args:
            refusable: returns ``path`` and ``reason`` of further members to refuse.
        """
        self._settle()
        frame = pl.concat(self._frames).sort("path")
        twins = frame.filter(pl.col("path").is_duplicated())["path"].unique().sort()
        if len(twins):
            frame = frame.filter(pl.col("path").is_unique())
            self._refused += [(path, _REPEATED) for path in twins]
            self._damage.append(
                f"{self._path} repeats member names: "
                f"{bounded(map(repr, twins), len(twins))}; pack it again"
            )
        if refusable is not None and len(rows := refusable(frame)):
            frame = frame.join(rows, on="path", how="anti", maintain_order="left")
            self._refused += rows.iter_rows()
        return FileListing(
            frame, sorted(self._undecodable), sorted(self._refused), self._damage
        )

    def _settle(self) -> None:
        """Move the collected rows into columns; a million Python strings would take 250 MB."""
        schema = dict.fromkeys(self._columns, pl.Int64)
        numbers = pl.DataFrame(self._numbers, schema=schema, orient="row")
        names = pl.Series("path", self._names, dtype=pl.String)
        self._frames.append(numbers.insert_column(0, names))
        self._names, self._numbers = [], []


def _below(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name


def escaped(name: bytes) -> str:
    r"""Return ``name`` as text; if not UTF-8, invalid bytes as ``\xNN`` and ``\`` doubled."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.replace(b"\\", b"\\\\").decode(errors="backslashreplace")
