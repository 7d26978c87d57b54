"""Paths: as callers give them, and relative ones that come from data."""

import os
import re
from pathlib import Path
from typing import TypeAlias

from likewise.errors import DataError

StrPath: TypeAlias = str | os.PathLike[str]
"""A path of the file system: text, or an object such as ``pathlib.Path``."""

_GIT_NAMES = {".git", "git~1"}
"""The folder of git, and its short name on Windows."""

_ABSOLUTE_MEMBER = re.compile(rb"[/\\]|[A-Za-z]:")

_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
"""Characters that macOS ignores in names, so that a name with them can mean ``.git`` too."""


def path_fault(relative: str) -> str:
    r"""Return the reason why a relative path from data may not be written; "" if it may.

    ``\`` counts as a separator too, because it is one on Windows.

    Example:
        >>> path_fault("images/a.png"), path_fault("images/../../a.png")
        ('', 'it leads upwards')
        >>> path_fault("images/.GIT/config")
        'it leads into the folder of git'
    """
    names = re.split(r"[/\\]", relative)
    faults = {
        "it holds a NUL": "\0" in relative,
        "it is absolute": re.match(r"[/\\]|[A-Za-z]:[/\\]", relative) is not None,
        "it leads upwards": ".." in names,
        "a part of it is empty or '.'": "" in names or "." in names,
        "it leads into the folder of git": any(map(_means_git, names)),
        "it is not valid Unicode": not _is_unicode(relative),
    }
    return next((fault for fault, applies in faults.items() if applies), "")


def member_fault(name: bytes) -> str:
    """Return the reason why a member of an archive is refused; "" if its name is safe.

    Members are read and never written under their names, so this rule is weaker than
    ``path_fault``: ``./a``, ``a//b`` and ``.git/a`` are names of data. It runs for every
    member, in a sixth of the time. Its texts are stored in findings.

    Example:
        >>> member_fault(b"./images//a.png"), member_fault(b"images/../../a.png")
        ('', 'its path leads upwards')
    """
    if b"\0" in name:
        return "its name holds a NUL"
    if _ABSOLUTE_MEMBER.match(name):
        return "its path is absolute"
    if b".." in name and b".." in name.replace(b"\\", b"/").split(b"/"):
        return "its path leads upwards"
    return ""


def inside(folder: Path, relative: str, origin: str, *, replaced: bool = False) -> Path:
    """Return the path ``relative``, which comes from data, in ``folder``, to be written.

    Args:
        folder: the folder that the path may not leave.
        relative: the path, with ``/`` between its parts.
        origin: file that contains the path, for the message.
        replaced: the path itself may be a link, because it is replaced and not followed.

    Raises:
        DataError: the path leads out of ``folder`` or into a folder of git, or a symbolic link
            is in its way.
    """
    if fault := path_fault(relative):
        raise DataError(f"{origin}: the path {relative!r} is refused: {fault}")
    path = folder / relative
    refuse_links(folder, path.parent if replaced else path)
    return path


def refuse_links(folder: Path, path: Path) -> None:
    """Check that no part of ``path`` below ``folder`` is a symbolic link.

    Raises:
        DataError: a part is a link; a write through it could land anywhere.
    """
    at = folder
    for name in path.relative_to(folder).parts:
        at = at / name
        if at.is_symlink():
            raise DataError(
                f"{at} is a symbolic link, and nothing is written through it; "
                "put a folder or a file in its place"
            )


def _means_git(name: str) -> bool:
    plain = _IGNORED.sub("", name).partition(":")[0].rstrip(" .")
    return plain.casefold() in _GIT_NAMES


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
