"""Files that another process has listed already, so that ``open_files`` lists none."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import polars as pl

_located: ContextVar[tuple[Path, pl.DataFrame] | None] = ContextVar("located", default=None)


@contextmanager
def files_located(path: Path, rows: pl.DataFrame) -> Iterator[None]:
    """Let ``open_files(path)`` list the files of ``rows`` only, while the context lasts.

    Args:
        path: the folder or archive.
        rows: rows of ``FileCollection.located`` for this path.
    """
    token = _located.set((path, rows))
    try:
        yield
    finally:
        _located.reset(token)


def located_rows(path: Path) -> pl.DataFrame | None:
    """Return the rows of ``files_located`` for ``path``; None without such a context."""
    located = _located.get()
    return located[1] if located is not None and located[0] == path else None
