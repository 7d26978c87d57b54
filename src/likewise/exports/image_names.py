"""What images are called in an export."""

import re
from collections.abc import Callable, Iterable

from likewise.errors import DataError
from likewise.exports.base import Selection

_NOT_IN_A_FILE = re.compile(r"[/\\\x00-\x1f\x7f]")
_ODD = re.compile(r"[^A-Za-z0-9._/-]+")
_KEPT = re.compile(
    r"(classes|names|readme.*|licen[cs]e.*|notes|train|val|valid|test)", re.IGNORECASE
)
"""Stems that readers of label files take for something else."""


def below(chosen: Selection, top: str) -> list[str]:
    """Every image's path: its id, below the folder ``top`` unless all ids begin with that."""
    ids = chosen.images["image_id"]
    prefix = "" if ids.str.starts_with(f"{top}/").all() else f"{top}/"
    return [prefix + name for name in ids]


def plain(chosen: Selection, top: str) -> list[str]:
    """The same, for formats whose lists and labels need plain names of different stems.

    What is no letter, digit, ``-``, ``_`` or ``.`` becomes ``_``; a number tells twins apart.
    """
    return different((_plain(path) for path in below(chosen, top)), stems=True)


def different(
    paths: Iterable[str], suffix: str | None = None, *, stems: bool = False
) -> list[str]:
    """``paths`` made different by a number; with another ``suffix`` if one is given.

    With ``stems`` they differ even without their suffixes, and in more than upper and lower
    case.
    """
    seen: set[str] = set()
    found = []
    for path in paths:
        first = stem(path)
        ending = path.removeprefix(first) if suffix is None else suffix
        wanted, number = first, 1
        while (key := wanted.lower() if stems else wanted + ending) in seen:
            number += 1
            wanted = f"{first}-{number}"
        seen.add(key)
        found.append(wanted + ending)
    return found


def file_of_split(split: str | None) -> str:
    """What files of a split are called, "all" of images that are in none."""
    return _NOT_IN_A_FILE.sub("_", split or "all")


def files_of_splits(
    splits: Iterable[str | None], name: Callable[[str | None], str] = file_of_split
) -> dict[str | None, str]:
    """What files of each of ``splits`` are called, by ``name``.

    Raises:
        DataError: those of two would be called the same.
    """
    found: dict[str | None, str] = {}
    taken: dict[str, str | None] = {}
    for split in dict.fromkeys(splits):
        file = found[split] = name(split)
        other = taken.setdefault(file, split)
        if other != split:
            pair = " and ".join("none" if s is None else repr(s) for s in (other, split))
            raise DataError(
                f"files of the splits {pair} would both be called {file!r}; export csv"
            )
    return found


def stem(path: str) -> str:
    """``path`` without its suffix."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + (name.rpartition(".")[0] or name)


def _plain(path: str) -> str:
    folder, slash, name = _ODD.sub("_", path).rpartition("/")
    first, dot, ending = name.rpartition(".")
    if _KEPT.fullmatch(first):
        first = f"image-{first}"
    return folder + slash + first + dot + ending
