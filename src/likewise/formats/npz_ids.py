"""Read the ids of vectors from an .npz with several arrays."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from likewise.errors import DataError


def ids_of_npz(path: Path, names: Sequence[str]) -> list[str] | None:
    """Return the ids in an .npz with several arrays: its array of texts or numbers of ids.

    Args:
        path: the file; one that is not an .npz has no ids.
        names: names of the array of ids: the first of these that exists.

    Raises:
        DataError: the array cannot be read, or only an array of another name looks like ids.
    """
    if path.suffix.lower() != ".npz":
        return None
    try:
        with ZipFile(path) as archive:
            kinds = {
                info.filename.removesuffix(".npy"): _kind_of_member(archive, info)
                for info in archive.infolist()
            }
        name = next((name for name in names if name in kinds), None)
        if name is None:
            texts = [name for name, kind in kinds.items() if kind in "US"]
            if texts:
                raise DataError(
                    f"{path}: the array {texts[0]!r} has texts; name it 'ids' if these are the "
                    "ids of the vectors, or leave it out"
                )
            return None
        with np.load(path, allow_pickle=False) as arrays:
            ids = np.atleast_1d(arrays[name])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, MemoryError) as error:
        raise DataError(f"{path}: its ids cannot be read: {error}") from error
    if ids.ndim != 1 or ids.dtype.kind not in "USiu":
        raise DataError(f"{path}: {name!r} has {ids.dtype} of shape {ids.shape}, not ids")
    return [one.decode() if isinstance(one, bytes) else str(one) for one in ids.tolist()]


def _kind_of_member(archive: ZipFile, info: ZipInfo) -> str:
    """Return the kind of the numbers or texts of an array, from its header; "" if unknown.

    Raises:
        ValueError: its header claims more bytes than the archive has for it.
    """
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
    if prod(shape) * dtype.itemsize > info.file_size:
        raise ValueError(f"{info.filename} claims the shape {shape}, which is not there")
    return str(dtype.kind)
