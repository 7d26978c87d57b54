"""Fragments: rows that processes write now and that one commit later adds to a table.

Lance does not make commits idempotent: it appends the same fragments twice. A commit here
therefore adds only fragments whose data files the table does not name yet.
"""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from likewise.errors import DataError
from likewise.formats.durable import sync, sync_folder
from likewise.formats.paths import inside, refuse_links
from likewise.storage.schema import STORAGE_VERSION
from likewise.storage.tables.opening import exists, open_dataset
from likewise.storage.tables.writing import write_error

_DATA = "data"
"""The folder of the data files in that of a table."""


class WrittenFragments(NamedTuple):
    """Fragments that were written and are in no table yet.

    Attributes:
        folder: the folder that they were written to.
        fragments: the description of each, as JSON.
        packs: paths of the pack files of their blobs, relative to the folder ``data``.
    """

    folder: Path
    fragments: tuple[str, ...]
    packs: tuple[str, ...] = ()

    def files(self) -> list[str]:
        """List the names of their data files."""
        return [file["path"] for text in self.fragments for file in json.loads(text)["files"]]

    def are_complete(self) -> bool:
        """Return whether all data files and pack files are on disk."""
        names = (*self.files(), *self.packs)
        return all((self.folder / _DATA / name).is_file() for name in names)


def write_fragments(
    folder: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> WrittenFragments:
    """Write rows as fragments to ``folder``, and bring them to the disk.

    Several processes may write to one folder at a time: no two files have the same name.

    Raises:
        DataError: writing failed, for example because the disk is full, or ``data`` is a link.
    """
    from lance.fragment import write_fragments as write

    refuse_links(folder, folder / _DATA)
    folder.mkdir(parents=True, exist_ok=True)
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    try:
        written = write(
            reader, folder, schema, mode="create", data_storage_version=STORAGE_VERSION
        )
    except OSError as error:
        raise write_error(folder, error) from error
    texts = tuple(json.dumps(fragment.to_json()) for fragment in written)
    fragments = WrittenFragments(folder, texts)
    packs: list[str] = []
    for name in fragments.files():
        sync(folder / _DATA / name)
        stem = folder / _DATA / Path(name).stem  # Lance names the folder of the packs so
        if stem.is_dir():
            sync(stem)
            packs += [f"{stem.name}/{pack.name}" for pack in sorted(stem.iterdir())]
    sync_folder(folder / _DATA)
    return fragments._replace(packs=tuple(packs))


def data_files(path: Path) -> set[str]:
    """Return the names of the data files of the table in ``path``; none without a table."""
    if not exists(path):
        return set()
    fragments = open_dataset(path).get_fragments()
    return {file.path for fragment in fragments for file in fragment.metadata.files}


def add_fragments(path: Path, schema: pa.Schema, written: Sequence[WrittenFragments]) -> None:
    """Add fragments to the table in ``path`` by one commit; those that it has are not added.

    Their files are linked into the table. A new table is created by compare-and-swap.

    Args:
        path: the table; it is created if it does not exist.
        schema: the schema of the table, and of the fragments.
        written: the fragments, in the order of their rows.

    Raises:
        DataError: the table cannot be written, or another process has created it meanwhile.
    """
    import lance
    from lance.commit import CommitConflictError

    present = data_files(path)
    missing = [one for one in written if present.isdisjoint(one.files())]
    texts = [text for one in missing for text in one.fragments]
    if not texts:
        return
    data = path / _DATA
    data.mkdir(parents=True, exist_ok=True)
    for one in missing:
        for name in (*one.packs, *one.files()):
            _link(one.folder / _DATA / name, inside(data, name, "a part"))
    fragments = [lance.FragmentMetadata.from_json(text) for text in texts]
    operation: lance.LanceOperation.BaseOperation
    if exists(path):
        version = open_dataset(path).version
        operation = lance.LanceOperation.Append(fragments)
    else:
        version = 0
        operation = lance.LanceOperation.Overwrite(schema, fragments)
    try:
        lance.LanceDataset.commit(path, operation, read_version=version, max_retries=0)
    except OSError as error:
        # Lance names another error if the other process has committed before it read version 0.
        if isinstance(error, CommitConflictError) or (not version and exists(path)):
            raise DataError(
                f"{path.name} was written by another process at the same time; "
                "run the same command again"
            ) from error
        raise write_error(path, error) from error


def _link(source: Path, target: Path) -> None:
    """Make ``target`` a hard link to ``source``, or a copy where links fail."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    target.parent.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):
        target.unlink()  # a copy that was killed
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
