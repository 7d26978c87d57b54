"""Addresses of objects as paths: ``s3://bucket/prefix``, ``gs://``, ``azure://``, ``https://``.

Sources take a path and read it with ``open``, ``read_bytes``, ``is_dir`` and the like. An
address has the same methods, so a source does not know where its files are. Only reading works,
and a library that asks the operating system for the file gets one clear error.
"""

import os
import re
import stat
from pathlib import Path, PosixPath
from typing import IO, Any, cast

from likewise.errors import ConfigError, DataError
from likewise.formats.escape import escape_line
from likewise.formats.object_storage.file_systems import ObjectFacts, facts_of, read_parts
from likewise.formats.object_storage.range_reader import RangeReader
from likewise.formats.paths import StrPath

_ADDRESS = re.compile(r"(s3|gs|az|azure|https?):/{1,2}(?=[^/])")
"""Start of an address; pathlib and shells leave one slash of the two."""

_DVC_NAMES = {"az": "azure"}
"""Scheme -> the name that DVC has for it."""


class RemotePath(PosixPath):
    """The address of an object, of an archive, or of a prefix of objects.

    Example:
        >>> path = as_path("s3://lab/birds")
        >>> str(path / "a.jpg"), path.name, is_remote(path)
        ('s3://lab/birds/a.jpg', 'birds', True)
    """

    def __str__(self) -> str:
        """Return the address, with both slashes."""
        return _ADDRESS.sub(r"\1://", super().__str__(), count=1)

    def __fspath__(self) -> str:
        """Refuse to be a file of this machine.

        Raises:
            DataError: always.
        """
        raise DataError(
            f"{escape_line(str(self))} is not a file of this machine, and what reads it needs "
            "one; download it, and give the path of the copy"
        )

    def facts(self) -> ObjectFacts | None:
        """Return size and tag of the object; None if there is none.

        Raises:
            DataError: the store refuses the request, or cannot be reached.
        """
        return facts_of(str(self))

    def existing_facts(self) -> ObjectFacts:
        """Return size and tag of the object.

        Raises:
            FileNotFoundError: there is no such object.
        """
        facts = self.facts()
        if facts is None:
            raise FileNotFoundError(2, "there is no such object", str(self))
        return facts

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return the kind and the size; the time is a number that changes with the content."""
        facts = self.existing_facts()
        kind = stat.S_IFDIR if facts.is_folder else stat.S_IFREG
        fields = (kind, 0, 0, 0, 0, 0, facts.nbytes, 0, 0, 0)
        return os.stat_result(fields, {"st_mtime_ns": facts.stamp})

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Return True if there is an object, or one below the prefix."""
        return self.facts() is not None

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Return True for a prefix of objects."""
        facts = self.facts()
        return facts is not None and facts.is_folder

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Return True for an object."""
        facts = self.facts()
        return facts is not None and not facts.is_folder

    def is_symlink(self) -> bool:
        """Return False."""
        return False

    def expanduser(self) -> "RemotePath":
        """Return the address itself."""
        return self

    def absolute(self) -> "RemotePath":
        """Return the address itself."""
        return self

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,
        **_: Any,
    ) -> IO[bytes]:
        """Open the object to be read in parts.

        Raises:
            DataError: ``mode`` is not ``rb``.
        """
        if mode != "rb":
            self.__fspath__()
        return cast("IO[bytes]", RangeReader(str(self), self.existing_facts().nbytes))

    def read_bytes(self) -> bytes:
        """Return the whole object."""
        return read_parts([str(self)], [0], [self.existing_facts().nbytes])[0]


def is_remote(path: StrPath) -> bool:
    """Return True for the address of an object, as text or path.

    Example:
        >>> is_remote("s3://lab/birds"), is_remote("data/s3"), is_remote("s3:")
        (True, False, False)
    """
    return isinstance(path, RemotePath) or _ADDRESS.match(os.fspath(path)) is not None


def as_path(path: StrPath) -> Path:
    """Return a path of the caller: a ``RemotePath`` for an address, else a local path.

    Raises:
        ConfigError: an address holds credentials, which would be stored with the catalogue.
    """
    if isinstance(path, RemotePath):
        return path
    text = os.fspath(path)
    match = _ADDRESS.match(text)
    if match is None:
        return Path(path).expanduser()
    scheme, rest = match[1], text[match.end() :]
    if "@" in rest.partition("/")[0] or (scheme.startswith("http") and "?" in rest):
        raise ConfigError(
            f"{scheme}://...: an address in a catalogue holds no user, password or signature; "
            "the library of the store finds credentials itself (docs/object-storage.md)"
        )
    if not text.isprintable():
        raise ConfigError(f"{escape_line(text)}: an address has printable characters only")
    return RemotePath(f"{_DVC_NAMES.get(scheme, scheme)}://{rest}")
