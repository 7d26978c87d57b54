"""Read columns of Lance tables that another program has written."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pyarrow as pa

from likewise.errors import DataError
from likewise.storage.tables.opening import exists
from likewise.storage.tables.table import Table

Choose = Callable[[Collection[str]], Collection[str]]
"""Returns the columns to read, given those of the table."""


def foreign_batches(path: Path, choose: Choose, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield columns of a Lance dataset (a folder) or of a single Lance file.

    Args:
        path: the folder or the file.
        choose: chooses the columns.
        rows: maximum number of rows of a batch of a file.

    Raises:
        DataError: there is no such table, or it cannot be read.
    """
    if path.is_dir():
        if not exists(path):
            raise DataError(f"{path}: is not a Lance dataset; name its folder")
        table = Table(path)
        yield from table.scan([name for name in table.columns if name in choose(table.columns)])
        return
    from lance.file import LanceFileReader

    if not path.is_file():
        raise DataError(f"{path}: no such file or folder")
    try:
        names = LanceFileReader(str(path)).metadata().schema.names
        wanted = choose(names)
        columns = [name for name in names if name in wanted]
        reader = LanceFileReader(str(path), columns=columns)
        yield from reader.read_all(batch_size=rows).to_batches()
    except (OSError, ValueError, RuntimeError, pa.ArrowException) as error:
        message = " ".join(str(error).partition(", /")[0].split())[:200]  # no place in Lance
        raise DataError(f"{path}: cannot be read: {message}") from error
