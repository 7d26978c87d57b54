"""Read arrays from users' files: .npy, .npz, .json, .txt, .csv, and pickles of arrays."""

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from tokenize import TokenError
from typing import cast
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray
from likewise.formats.json_documents import read_json
from likewise.formats.paths import StrPath
from likewise.formats.pickles import DAMAGE_ERRORS, load_pickle, to_array

NPZ_KEYS = ("embeddings", "features", "vectors")
"""Array to read from an .npz with several arrays: the first of these names that exists."""

_ZIP = b"PK"

_DAMAGE_ERRORS = (*DAMAGE_ERRORS, BadZipFile, TokenError)
"""Exceptions of the readers for files that are truncated, damaged or of another format."""


def read_array(path: Path) -> AnyArray:
    """Read the numeric array in ``path``; the suffix determines the format.

    - ``.npy``: memory-mapped
    - ``.npz``: its only array, or the first of ``NPZ_KEYS``
    - ``.json``: a list of numbers, or a list of lists of equal length
    - ``.txt``, ``.csv``: one row per line, separated by white space or commas
    - ``.pkl``, ``.pickle``: lists and tuples of numbers, and NumPy arrays; no code is executed

    Returns:
        Integers or floats of any width, with the shape of the file's contents.

    Raises:
        DataError: the file is missing, damaged, ragged or not numeric, or has another suffix.
    """
    readers: dict[str, Callable[[Path], AnyArray]] = {
        ".npy": _npy,
        ".npz": _npz,
        ".json": _json,
        ".txt": _text,
        ".csv": _text,
        ".pkl": _pickle,
        ".pickle": _pickle,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: expected a file that ends in {', '.join(readers)}")
    try:
        return _numeric(reader(path), str(path))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except _DAMAGE_ERRORS as error:
        raise DataError(
            f"{path}: cannot be read: {str(error) or type(error).__name__}"
        ) from error


def array_of(values: StrPath | npt.ArrayLike, name: str) -> AnyArray:
    """Read the numeric array in a file, or convert ``values`` to an array.

    Args:
        values: path of a file for ``read_array``, or an array-like.
        name: name of the values, for messages.

    Raises:
        DataError: the file cannot be read, or the values are ragged or not numeric.
    """
    if isinstance(values, str | os.PathLike):
        return read_array(Path(values))
    if isinstance(values, list | tuple):
        return to_matrix(values, name)
    return _numeric(np.asarray(values), name)


def to_matrix(rows: object, where: str) -> AnyArray:
    """Convert a list of numbers, or of lists of equal length, to an array of shape (n, ...).

    Args:
        rows: the list or tuple.
        where: origin of ``rows``, for messages.

    Raises:
        DataError: rows differ in length (the message names the first ones), or are not numeric.
    """
    if not isinstance(rows, list | tuple):
        raise DataError(f"{where}: contains a {type(rows).__name__}; expected a list of lists")
    sizes = [len(row) if isinstance(row, list | tuple | np.ndarray) else -1 for row in rows]
    deviating = [i for i, size in enumerate(sizes) if size != sizes[0]]
    if deviating:
        examples = (f"row {i} has {max(sizes[i], 0):,}" for i in deviating)
        raise DataError(
            f"{where}: the rows differ in length: row 0 has {max(sizes[0], 0):,}, "
            + bounded(examples, len(deviating))
        )
    try:
        return _numeric(np.array(rows), where)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where}: not numbers, or nested too deeply: {error}") from error


def _numeric(array: AnyArray, where: str) -> AnyArray:
    if array.dtype.kind not in "fiu":
        raise DataError(f"{where}: contains values of type {array.dtype}; expected numbers")
    return array


def _npy(path: Path) -> AnyArray:
    with path.open("rb") as file:
        if file.read(len(_ZIP)) == _ZIP:
            raise DataError(f"{path}: is an .npz file; rename it to .npz")
    return np.lib.format.open_memmap(path, mode="r")


def _npz(path: Path) -> AnyArray:
    # Opened here because NumPy does not close damaged files.
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            raise DataError(f"{path}: is not an .npz file")
        file.seek(0)
        archive = np.load(file, allow_pickle=False)
        names = list(archive.files)
        key = names[0] if len(names) == 1 else next((k for k in NPZ_KEYS if k in names), None)
        if key is None:
            raise DataError(
                f"{path}: contains {bounded(names, len(names)) or 'nothing'}; expected one "
                f"array, or one with the name {' or '.join(NPZ_KEYS)}"
            )
        return cast("AnyArray", archive[key])


def _json(path: Path) -> AnyArray:
    return to_matrix(read_json(path), str(path))


def _text(path: Path) -> AnyArray:
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip():
        raise DataError(f"{path}: is empty")
    # Floats contain a point, an exponent, nan or inf; all else is integer, as ranked lists.
    kind = np.float64 if re.search(r"[.eEnN]", text) else np.int64
    delimiter = "," if "," in text else None
    return np.loadtxt(io.StringIO(text), dtype=kind, delimiter=delimiter, ndmin=2)


def _pickle(path: Path) -> AnyArray:
    with path.open("rb") as file:
        content = to_array(load_pickle(file))
    if isinstance(content, np.ndarray):
        return content
    rows = [to_array(row) for row in content] if isinstance(content, list | tuple) else content
    return to_matrix(rows, str(path))
