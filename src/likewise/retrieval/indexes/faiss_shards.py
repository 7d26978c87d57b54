"""FAISS indexes of the kind IVF that are filled in shards.

An index is trained once. Each shard assigns its vectors to cells and encodes them. The cells of
all shards, in the order of the rows, are those of the index that one process fills.

Source: the FAISS wiki, "Indexes that do not fit in RAM": train once, add by shards, merge the
inverted lists.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from likewise.errors import DataError
from likewise.formats.array_types import AnyArray, FloatArray
from likewise.retrieval.indexes.faiss import Faiss
from likewise.retrieval.indexes.faiss_door import load_faiss
from likewise.retrieval.indexes.faiss_factory import empty_index, reason_of


@dataclass(frozen=True)
class Cells:
    """The vectors of a shard, grouped by cell.

    Attributes:
        sizes: (cells,) int64, number of vectors of each cell.
        ids: (n,) int64, the rows of the vectors in the shard, cell by cell, ascending in each.
        codes: (n, bytes) uint8, their codes.
    """

    sizes: AnyArray
    ids: AnyArray
    codes: AnyArray

    def arrays(self) -> dict[str, AnyArray]:
        """Return the arrays by name."""
        return {"sizes": self.sizes, "ids": self.ids, "codes": self.codes}


def is_shardable(options: Faiss, rows: int, dim: int) -> bool:
    """Return True if shards can fill an index of this size: IVF with flat, scalar or PQ codes.

    A transform (OPQ, PCA) before it is supported. Graphs and re-ranking indexes are not.

    Raises:
        RuntimeError: FAISS cannot make the index.
    """
    index = empty_index(options.factory, options.metric, rows, dim)
    return _ivf(index) is not None


def encode(options: Faiss, trained: Any, blocks: Iterable[FloatArray]) -> Cells:
    """Assign and encode the vectors of a shard.

    Args:
        options: the options of the index.
        trained: the trained index; afterwards it has the vectors of the shard only.
        blocks: the vectors, (at most ``faiss.ADDED``, dim) each, as one process adds them.
    """
    trained.reset()
    with options.own_threads():
        for block in blocks:
            trained.add(block.astype(np.float32))
    ivf = _ivf(trained)
    lists, width = ivf.invlists, int(ivf.code_size)
    sizes = np.array([lists.list_size(cell) for cell in range(ivf.nlist)], np.int64)
    ids = [np.empty(0, np.int64)]
    codes = [np.empty((0, width), np.uint8)]
    view = load_faiss().rev_swig_ptr
    for cell in np.flatnonzero(sizes).tolist():
        count = int(sizes[cell])
        ids.append(view(lists.get_ids(cell), count).copy())
        codes.append(view(lists.get_codes(cell), count * width).reshape(count, width).copy())
    return Cells(sizes, np.concatenate(ids), np.concatenate(codes))


def merge(trained: Any, shards: Iterator[Cells]) -> Any:
    """Fill a trained index with the cells of all shards, in the order of their rows."""
    trained.reset()
    ivf, pointer = _ivf(trained), load_faiss().swig_ptr
    start = 0
    for shard in shards:
        ends = np.cumsum(shard.sizes)
        ids = np.ascontiguousarray(shard.ids + start)
        codes = np.ascontiguousarray(shard.codes)
        for cell in np.flatnonzero(shard.sizes).tolist():
            count = int(shard.sizes[cell])
            at = slice(int(ends[cell]) - count, int(ends[cell]))
            ivf.invlists.add_entries(cell, count, pointer(ids[at]), pointer(codes[at]))
        start += len(ids)
    ivf.ntotal = start
    trained.ntotal = start
    return trained


def write_index(index: Any, path: Path) -> None:
    """Write an index.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        load_faiss().write_index(index, str(path))
    except RuntimeError as error:
        raise DataError(f"{path.name} cannot be written: {reason_of(error)}") from error


def read_index(path: Path) -> Any:
    """Read an index that this checkout has written; its bytes were checked before."""
    return load_faiss().read_index(str(path))


def _ivf(index: Any) -> Any:
    """Return the index with inverted lists in ``index``; None for other kinds."""
    faiss = load_faiss()
    inner = faiss.downcast_index(index)
    if type(inner) is faiss.IndexPreTransform:
        inner = faiss.downcast_index(inner.index)
    kinds = (faiss.IndexIVFFlat, faiss.IndexIVFPQ, faiss.IndexIVFScalarQuantizer)
    # Subclasses have further data of each vector, which their lists do not have.
    return inner if type(inner) in kinds else None
