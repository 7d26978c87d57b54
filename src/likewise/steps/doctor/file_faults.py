"""Checks of files: those of an output against the list of files in dvc.lock."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from likewise.errors import LikewiseError, bounded
from likewise.formats.counted_nouns import counted
from likewise.models.passport import PASSPORT
from likewise.storage import versions
from likewise.storage.workspace import Workspace

_PACK = ".blob"
"""Suffix of files that hold only pixels, which are compared by size, or by a deep check."""


def check(ws: Workspace, output: Path, *, packs: bool) -> Iterator[str]:
    """Yield the files of a table or model that are missing or changed.

    The columns of a table have digests, but its indices, deleted rows and statistics do not.
    An output that was written after dvc.lock is not compared: the manifest of the table, or the
    passport of the model, is another.

    Args:
        ws: the catalogue.
        output: the folder of the table or model.
        packs: also compare the bytes of the pixels.
    """
    try:
        recorded = versions.recorded_files(ws, output)
    except LikewiseError:  # the list is damaged; the check of the cache reports it
        return
    heads = [path for path in recorded if path.endswith((".manifest", PASSPORT))]
    if any(_changed(output / path, recorded[path]) for path in heads):
        return
    store = versions.Store(ws.root)
    missing = [path for path in recorded if not (output / path).is_file()]
    changed = [
        path
        for path, md5 in recorded.items()
        if path not in missing
        and (
            _changed(output / path, md5)
            if packs or not path.endswith(_PACK)
            else _other_size(output / path, store.path(md5))
        )
    ]
    if missing:
        yield _listed(missing, "is missing", "are missing")
    if changed:
        yield _listed(changed, "was changed", "were changed")


def _listed(paths: list[str], one: str, several: str) -> str:
    """Return the number and the names of files; the output itself has no name."""
    if paths == [""]:
        return f"the file {one}"
    count = counted(len(paths), "file", one, several)
    return f"{count}: {bounded(sorted(paths), len(paths))}"


def is_recorded(ws: Workspace, path: Path) -> bool:
    """Return whether the file ``path`` is the one that dvc.lock records."""
    known = versions.outputs(ws.root).get(ws.relative(path))
    return known is None or not _changed(path, known.md5)


def _changed(path: Path, md5: str) -> bool:
    if not path.is_file():
        return True
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest() != md5


def _other_size(path: Path, cached: Path) -> bool:
    return cached.is_file() and path.stat().st_size != cached.stat().st_size
