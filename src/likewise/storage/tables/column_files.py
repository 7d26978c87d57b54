"""Map columns to the files of a table, some of which may be missing on this machine."""

import filecmp
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from likewise.storage.tables.blobs import pack_files
from likewise.storage.tables.stored_schema import blob_columns, vector_columns

if TYPE_CHECKING:
    import lance


def files_of(dataset: "lance.LanceDataset", columns: Collection[str]) -> list[str]:
    """List the files of ``columns`` and of their indices, relative to the table's folder.

    An index is a folder; its name ends in a slash.
    """
    names = {field.id(): field.name() for field in dataset.lance_schema.fields()}
    files = {
        f"data/{file.path}"
        for fragment in dataset.get_fragments()
        for file in fragment.metadata.files
        if {names.get(number) for number in file.fields} & set(columns)
    }
    files |= {
        f"_indices/{segment.uuid}/"
        for index in dataset.describe_indices()
        for segment in index.segments
        if set(index.field_names) <= set(columns)
    }
    return sorted(files)


def missing_vectors(dataset: "lance.LanceDataset", path: Path) -> list[str]:
    """List the vector columns of the table in ``path`` whose files are not on disk."""
    return [
        name
        for name in vector_columns(dataset.schema)
        if not all((path / file).exists() for file in files_of(dataset, [name]))
    ]


def is_complete(dataset: "lance.LanceDataset", path: Path) -> bool:
    """Return whether every file that the present version names is in ``path``."""
    files = [f"data/{file}" for file in _data_files(dataset)]
    for fragment in dataset.get_fragments():
        deletions = fragment.metadata.deletion_file
        if deletions:
            files.append(deletions.path(fragment.fragment_id))
    for column in blob_columns(dataset.schema):
        files += pack_files(dataset, column, range(dataset.count_rows()))
    indices = {
        path / "_indices" / segment.uuid: segment.size_bytes or 0
        for index in dataset.describe_indices()
        for segment in index.segments
    }
    return all((path / file).is_file() for file in files) and all(
        folder_bytes(folder) >= size for folder, size in indices.items()
    )


def folder_bytes(folder: Path) -> int:
    """Sum the sizes of all files below ``folder``."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def same_bytes(one: "lance.LanceDataset", other: "lance.LanceDataset", column: str) -> bool:
    """Return whether a column has equal files, in equal fragments, in both tables."""
    first, second = (_files_by_fragment(dataset, column) for dataset in (one, other))
    return first.keys() == second.keys() and all(
        second[key].exists() and filecmp.cmp(file, second[key], shallow=False)
        for key, file in first.items()
    )


def _data_files(dataset: "lance.LanceDataset") -> list[str]:
    """List all data files, relative to the folder ``data``."""
    return [
        file.path for fragment in dataset.get_fragments() for file in fragment.metadata.files
    ]


def _files_by_fragment(
    dataset: "lance.LanceDataset", column: str
) -> dict[tuple[int, int], Path]:
    """Map (fragment, number of the file in it) to a column's files; {} with deleted rows."""
    numbers = {field.id() for field in dataset.lance_schema.fields() if field.name() == column}
    fragments = [fragment.metadata for fragment in dataset.get_fragments()]
    if any(fragment.deletion_file for fragment in fragments):
        return {}
    return {
        (fragment.id, number): Path(dataset.uri) / "data" / file.path
        for fragment in fragments
        for number, file in enumerate(f for f in fragment.files if numbers & set(f.fields))
    }
