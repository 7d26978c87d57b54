"""Paths of images in exports."""

import re
from collections.abc import Callable, Iterable

from likewise.errors import DataError
from likewise.exports.base import Selection

_INVALID_CHARACTERS = re.compile(r"[/\\\x00-\x1f\x7f]")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._/-]+")
_RESERVED_STEMS = re.compile(
    r"(classes|names|readme.*|licen[cs]e.*|notes|train|val|valid|test)", re.IGNORECASE
)
"""Stems with a special meaning for readers of label files."""


def paths_below(selection: Selection, top: str) -> list[str]:
    """Return each image's path: its id, below folder ``top`` unless all ids start with it."""
    ids = selection.images["image_id"]
    prefix = "" if ids.str.starts_with(f"{top}/").all() else f"{top}/"
    return [prefix + name for name in ids]


def plain_paths(selection: Selection, top: str) -> list[str]:
    """Return paths like ``paths_below``, for formats that need plain names with unique stems.

    Characters other than letters, digits, ``-``, ``_`` and ``.`` become ``_``; repeated names
    get a number.
    """
    return make_unique((_plain_path(path) for path in paths_below(selection, top)), stems=True)


def make_unique(
    paths: Iterable[str], suffix: str | None = None, *, stems: bool = False
) -> list[str]:
    """Make ``paths`` unique by adding numbers.

    Args:
        paths: the paths.
        suffix: replacement for the suffixes; by default they are kept.
        stems: make the paths unique without their suffixes and ignoring case.
    """
    seen: set[str] = set()
    unique = []
    for path in paths:
        first = stem(path)
        ending = path.removeprefix(first) if suffix is None else suffix
        candidate, number = first, 1
        while (key := candidate.lower() if stems else candidate + ending) in seen:
            number += 1
            candidate = f"{first}-{number}"
        seen.add(key)
        unique.append(candidate + ending)
    return unique


def split_file_name(split: str | None) -> str:
    """Return the name of a split's files; "all" for images without split."""
    return _INVALID_CHARACTERS.sub("_", split or "all")


def split_file_names(
    splits: Iterable[str | None], name: Callable[[str | None], str] = split_file_name
) -> dict[str | None, str]:
    """Return the name of the files of each split, using ``name``.

    Raises:
        DataError: two splits get the same name.
    """
    names: dict[str | None, str] = {}
    taken: dict[str, str | None] = {}
    for split in dict.fromkeys(splits):
        file = names[split] = name(split)
        other = taken.setdefault(file, split)
        if other != split:
            pair = " and ".join("none" if s is None else repr(s) for s in (other, split))
            raise DataError(
                f"the files of splits {pair} would have the same name {file!r}; export csv"
            )
    return names


def stem(path: str) -> str:
    """Return ``path`` without its suffix."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + (name.rpartition(".")[0] or name)


def _plain_path(path: str) -> str:
    folder, slash, name = _NOT_PLAIN.sub("_", path).rpartition("/")
    first, dot, ending = name.rpartition(".")
    if _RESERVED_STEMS.fullmatch(first):
        first = f"image-{first}"
    return folder + slash + first + dot + ending
