"""Files of numbers that people bring: .npy, .npz, .json, .txt, .csv, and pickles of arrays."""

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray
from likewise.formats.paths import StrPath
from likewise.formats.pickles import BROKEN, filled, load

KEYS = ("embeddings", "features", "vectors")
"""Which array of several an .npz is read for; the first of these that it has."""

_ZIP = b"PK"

_BROKEN = (*BROKEN, BadZipFile)
"""What readers raise for files that are cut, damaged or something else."""


def read_array(path: Path) -> AnyArray:
    """The numbers in ``path``, by its suffix; an .npy file is mapped into memory, not read.

    - ``.npy``; ``.npz`` with one array, or one called as in ``KEYS``
    - ``.json``: a list of numbers, or of lists of one length
    - ``.txt``, ``.csv``: a row a line, between spaces or commas
    - ``.pkl``, ``.pickle``: lists and tuples of numbers, and NumPy arrays; all else is refused

    Raises:
        DataError: no such file, no such suffix, damaged, ragged, or not numbers.
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
    except _BROKEN as error:
        raise DataError(
            f"{path}: cannot be read: {str(error) or type(error).__name__}"
        ) from error


def array_of(values: StrPath | npt.ArrayLike, name: str) -> AnyArray:
    """The numbers in a file, or ``values`` as an array; ``name`` is for messages.

    Raises:
        DataError: the file cannot be read, or the values are ragged or not numbers.
    """
    if isinstance(values, str | os.PathLike):
        return read_array(Path(values))
    if isinstance(values, list | tuple):
        return rectangle(values, name)
    return _numeric(np.asarray(values), name)


def rectangle(rows: object, where: str) -> AnyArray:
    """Numbers, or lists of one length of numbers, as an array.

    Raises:
        DataError: ragged (the first rows of another length are named), or not numbers.
    """
    if not isinstance(rows, list | tuple):
        raise DataError(f"{where}: holds a {type(rows).__name__}; expected a list of lists")
    sizes = [len(row) if isinstance(row, list | tuple | np.ndarray) else -1 for row in rows]
    odd = [i for i, size in enumerate(sizes) if size != sizes[0]]
    if odd:
        examples = (f"row {i} has {max(sizes[i], 0):,}" for i in odd)
        raise DataError(
            f"{where}: the rows differ in length: row 0 has {max(sizes[0], 0):,}, "
            + bounded(examples, len(odd))
        )
    try:
        return _numeric(np.array(rows), where)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where}: not numbers, or lists in lists in lists: {error}") from error


def _numeric(array: AnyArray, where: str) -> AnyArray:
    if array.dtype.kind not in "fiu":
        raise DataError(f"{where}: holds values of type {array.dtype}; expected numbers")
    return array


def _npy(path: Path) -> AnyArray:
    with path.open("rb") as file:
        if file.read(len(_ZIP)) == _ZIP:
            raise DataError(f"{path}: is an .npz file; name it so")
    return np.lib.format.open_memmap(path, mode="r")


def _npz(path: Path) -> AnyArray:
    # The file is opened here: NumPy leaves it open where it is damaged.
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            raise DataError(f"{path}: is no .npz file")
        file.seek(0)
        held = np.load(file, allow_pickle=False)
        names = list(held.files)
        key = names[0] if len(names) == 1 else next((k for k in KEYS if k in names), None)
        if key is None:
            raise DataError(
                f"{path}: holds {bounded(names, len(names)) or 'nothing'}; expected one array, "
                f"or one called {' or '.join(KEYS)}"
            )
        return cast("AnyArray", held[key])


def _json(path: Path) -> AnyArray:
    return rectangle(json.loads(path.read_text(encoding="utf-8-sig")), str(path))


def _text(path: Path) -> AnyArray:
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip():
        raise DataError(f"{path}: is empty")
    # A point, an exponent, nan or inf: else whole numbers, such as ranked lists.
    kind = np.float64 if re.search(r"[.eEnN]", text) else np.int64
    delimiter = "," if "," in text else None
    return np.loadtxt(io.StringIO(text), dtype=kind, delimiter=delimiter, ndmin=2)


def _pickle(path: Path) -> AnyArray:
    with path.open("rb") as file:
        held = filled(load(file))
    if isinstance(held, np.ndarray):
        return held
    rows = [filled(row) for row in held] if isinstance(held, list | tuple) else held
    return rectangle(rows, str(path))
