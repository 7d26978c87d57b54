"""Which files of a table hold which columns; a table need not have all of them."""

import filecmp
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from likewise.storage.tables.stored_schema import vector_columns

if TYPE_CHECKING:
    import lance


def files_of(dataset: "lance.LanceDataset", columns: Collection[str]) -> list[str]:
    """The files, below the table's folder, in which ``columns`` and their indices lie."""
    numbers = {field.id(): field.name() for field in dataset.lance_schema.fields()}
    found = {
        f"data/{file.path}"
        for fragment in dataset.get_fragments()
        for file in fragment.metadata.files
        if {numbers.get(number) for number in file.fields} & set(columns)
    }
    found |= {
        f"_indices/{segment.uuid}/"
        for index in dataset.describe_indices()
        for segment in index.segments
        if set(index.field_names) <= set(columns)
    }
    return sorted(found)


def absent(dataset: "lance.LanceDataset", path: Path) -> list[str]:
    """The vector columns of the table in ``path`` whose files are not there."""
    return [
        name
        for name in vector_columns(dataset)
        if not all((path / file).exists() for file in files_of(dataset, [name]))
    ]


def same_column(one: "lance.LanceDataset", other: "lance.LanceDataset", column: str) -> bool:
    """Whether a column's values lie at the same places of both tables, byte for byte."""
    here, there = (_placed(dataset, column) for dataset in (one, other))
    return here.keys() == there.keys() and all(
        there[number].exists() and filecmp.cmp(path, there[number], shallow=False)
        for number, path in here.items()
    )


def _placed(dataset: "lance.LanceDataset", column: str) -> dict[tuple[int, int], Path]:
    """The data files that hold a column, by fragment and place; none where rows are deleted."""
    numbers = {field.id() for field in dataset.lance_schema.fields() if field.name() == column}
    fragments = [fragment.metadata for fragment in dataset.get_fragments()]
    if any(fragment.deletion_file for fragment in fragments):
        return {}
    return {
        (fragment.id, place): Path(dataset.uri) / "data" / file.path
        for fragment in fragments
        for place, file in enumerate(f for f in fragment.files if numbers & set(f.fields))
    }
