"""Named subsets of ImageNet's classes: a list of WNIDs, whose order is that of the labels."""

import hashlib
import re
from importlib.resources import files
from typing import NamedTuple

from likewise.errors import DataError, UnknownNameError, bounded
from likewise.sources.annotation_files import NotesToo, as_text

SHIPPED = ("imagenet30", "imagenet100")
"""Subsets whose lists come with us; see ``wnids/``. Any other is a file of the user's."""

_WNID = re.compile(r"n[0-9]{8}")


class Subset(NamedTuple):
    """Some classes in the order of their labels.

    ``sha256`` is that of the WNIDs with a line feed between them: the digest of such a list
    however its lines end, and whether the last one does.
    """

    name: str
    wnids: list[str]
    sha256: str


def read_subset(name: str, notes: NotesToo) -> Subset:
    """The subset called ``name``: one of ``SHIPPED``, or the name of a list in ``notes``.

    Raises:
        UnknownNameError: there is no such subset or file.
        DataError: the list is not a WNID a line, each once.
    """
    if name in SHIPPED:
        place = files("likewise.sources.imagenet").joinpath("wnids", f"{name}.txt")
        return _parsed(name, name, place.read_bytes())
    pattern = rf"(\A|/){re.escape(name.lower())}\z"
    there = notes.names(pattern)
    if len(there) > 1:
        raise DataError(f"{notes.place} holds several {name}: {bounded(there, len(there))}")
    for path, data in notes.read(there):
        plain = name.rpartition("/")[2].rpartition(".")[0]
        return _parsed(plain or name, notes.where(path), data)
    raise UnknownNameError("subset, and no list,", name, SHIPPED, str(notes.place))


def _parsed(name: str, where: str, data: bytes) -> Subset:
    lines = [line.strip() for line in as_text(where, data).splitlines()]
    wnids = [line for line in lines if line]
    odd = [wnid for wnid in wnids if not _WNID.fullmatch(wnid)]
    if odd or not wnids:
        shown = bounded((repr(line[:40]) for line in odd), len(odd)) or "it is empty"
        raise DataError(f"{where} is no list of WNIDs, one a line as n02119789: {shown}")
    twins = sorted({wnid for wnid in wnids if wnids.count(wnid) > 1})
    if twins:
        raise DataError(
            f"{where} names a class twice, so that its label is not clear: "
            f"{bounded(twins, len(twins))}"
        )
    return Subset(name, wnids, hashlib.sha256("\n".join(wnids).encode()).hexdigest())
