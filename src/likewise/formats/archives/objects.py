"""The objects below a prefix of an object store."""

import re
from collections.abc import Iterable, Iterator

from likewise.errors import DamagedError
from likewise.formats.archives.file_collection import FileCollection
from likewise.formats.archives.listing import MAX_MEMBER_BYTES, FileListing, ListingBuilder
from likewise.formats.object_storage import RemotePath
from likewise.formats.object_storage.file_systems import list_objects
from likewise.formats.object_storage.range_reader import read_objects
from likewise.formats.paths import member_fault

_CONTROL = re.compile(r"[\0-\x1f\x7f]")


class ObjectFolder(FileCollection):
    """The objects below a prefix, as files of a folder; their keys are listed once.

    A key that is not a path of a file is refused and becomes a finding. The number ``stamp``
    changes with the entity tag of the object.
    """

    place_columns = ()

    def __init__(self, path: RemotePath) -> None:
        """Store ``path``; the objects are listed on first use."""
        super().__init__(path)

    def read(self, path: str) -> bytes:
        """See ``FileCollection.read``."""
        for _, data in self.read_many([path]):
            return data
        raise self._missing(path)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each of ``paths`` with its bytes; several objects are requested at a time."""
        rows = self._rows(list(paths))
        sizes = rows["nbytes"].to_list()
        for path, size in zip(rows["path"], sizes, strict=True):
            if size > MAX_MEMBER_BYTES:
                where = f"{self.path}: {path!r}"
                fault = f"it has {size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read"
                raise DamagedError(f"{where}: {fault}") from ValueError(fault)
        addresses = [f"{self.path}/{path}" for path in rows["path"]]
        yield from zip(rows["path"], read_objects(addresses, sizes), strict=True)

    def _kept_as(self) -> str:
        return "objects"

    def _scan(self) -> FileListing:
        members = ListingBuilder(self.path)
        for key, facts in list_objects(str(self.path)):
            if reason := key_fault(key):
                members.refuse(key.encode("utf-8", "surrogateescape"), reason)
            else:
                members.add(key.encode(), facts.nbytes, facts.stamp)
        return members.build()


def key_fault(key: str) -> str:
    r"""Return the reason why the key of an object is refused; "" if it is a path of a file.

    Example:
        >>> key_fault("images/a.png"), key_fault("images/../a.png")
        ('', 'its path leads upwards')
        >>> key_fault("a\n.png")
        'its name holds a control character'
    """
    try:
        reason = member_fault(key.encode())
    except UnicodeEncodeError:
        return "its name is not valid Unicode"
    if reason:
        return reason
    if _CONTROL.search(key):
        return "its name holds a control character"
    if "?versionId=" in key:
        return "its name holds '?versionId=', which the library of S3 cuts off"
    if {"", "."} & set(key.split("/")):
        return "a part of its path is empty or '.'"
    return ""
