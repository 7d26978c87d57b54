"""A vector column of a table that is read in blocks."""

from collections.abc import Iterator

from likewise.formats.array_types import FloatArray, Int64Array
from likewise.formats.memory import MEMORY
from likewise.formats.vector_blocks import VectorBlocks
from likewise.storage.tables.table import Table


def vector_blocks(table: Table, column: str, memory: int = MEMORY) -> VectorBlocks:
    """Refer to a vector column; nothing is read yet.

    Args:
        table: the table.
        column: name of the column.
        memory: bytes that a reader of the vectors may use.
    """

    def read() -> Iterator[FloatArray]:
        return table.vector_batches(column)

    def take(rows: Int64Array) -> FloatArray:
        return table.vectors(column, rows.tolist())

    return VectorBlocks(table.rows, table.dim(column), table.dtype(column), read, take, memory)
