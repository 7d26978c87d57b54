"""Files of numbers that people bring: .npy, .npz, .json, .txt, .csv, and pickles of arrays.

A pickle is a program. The reader here runs none of it: every name that a pickle may call is
replaced by a function of this module, which makes plain arrays and nothing else.
"""

import io
import json
import math
import pickle  # noqa: TID251 - only ever read by _Reader
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from likewise.errors import DataError, bounded

Numbers = npt.NDArray[Any]

KEYS = ("embeddings", "features", "vectors")
"""Which array of several an .npz is read for; the first of these that it has."""

_ZIP = b"PK"

_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    BadZipFile,
    pickle.UnpicklingError,
)
"""What readers raise for files that are cut, damaged or something else."""


def read_array(path: Path) -> Numbers:
    """The numbers in ``path``, by its suffix; an .npy file is mapped into memory, not read.

    - ``.npy``; ``.npz`` with one array, or one called as in ``KEYS``
    - ``.json``: a list of numbers, or of lists of one length
    - ``.txt``, ``.csv``: a row a line, between spaces or commas
    - ``.pkl``, ``.pickle``: lists and tuples of numbers, and NumPy arrays; all else is refused

    Raises:
        DataError: no such file, no such suffix, damaged, ragged, or not numbers.
    """
    readers: dict[str, Callable[[Path], Numbers]] = {
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


def rectangle(rows: object, where: str) -> Numbers:
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


def _numeric(array: Numbers, where: str) -> Numbers:
    if array.dtype.kind not in "fiu":
        raise DataError(f"{where}: holds values of type {array.dtype}; expected numbers")
    return array


def _npy(path: Path) -> Numbers:
    with path.open("rb") as file:
        if file.read(len(_ZIP)) == _ZIP:
            raise DataError(f"{path}: is an .npz file; name it so")
    return np.lib.format.open_memmap(path, mode="r")


def _npz(path: Path) -> Numbers:
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
        return cast("Numbers", held[key])


def _json(path: Path) -> Numbers:
    return rectangle(json.loads(path.read_text(encoding="utf-8-sig")), str(path))


def _text(path: Path) -> Numbers:
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip():
        raise DataError(f"{path}: is empty")
    # A point, an exponent, nan or inf: else whole numbers, such as ranked lists.
    kind = np.float64 if re.search(r"[.eEnN]", text) else np.int64
    delimiter = "," if "," in text else None
    return np.loadtxt(io.StringIO(text), dtype=kind, delimiter=delimiter, ndmin=2)


def _pickle(path: Path) -> Numbers:
    with path.open("rb") as file:
        held = _filled(_Reader(file).load())
    if isinstance(held, np.ndarray):
        return held
    rows = [_filled(row) for row in held] if isinstance(held, list | tuple) else held
    return rectangle(rows, str(path))


def read_structure(data: bytes, where: str) -> object:
    """The dicts, lists, texts and numbers of a pickle; arrays become lists.

    Raises:
        DataError: damaged, or it holds something else; ``where`` it came from.
    """
    try:
        return _plain(_Reader(io.BytesIO(data)).load())
    except _BROKEN as error:
        said = str(error) or type(error).__name__
        raise DataError(f"{where}: cannot be read: {said}") from error


def _plain(value: object) -> object:
    """``value`` without arrays, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    filled = _filled(value)
    return filled.tolist() if isinstance(filled, np.ndarray) else filled


def _filled(value: object) -> object:
    """The array that ``value`` stands for, or ``value``."""
    return value.filled() if isinstance(value, _Array) else value


class _Reader(pickle.Unpickler):
    """Reads pickles of lists, numbers and arrays; whatever else one names is refused."""

    def find_class(self, module: str, name: str) -> object:
        # NumPy 2 moved its core; pickles name the one that wrote them.
        known = module.replace("numpy.core.", "numpy._core.")
        if (known, name) not in _CALLS:
            raise pickle.UnpicklingError(
                f"the pickle names {module}.{name}, which is refused; only lists, numbers and "
                "NumPy arrays are read (numpy.save writes a file that needs no trust)"
            )
        return _Call(_CALLS[known, name])


class _Call:
    """A function in the place of a name of a pickle; a pickle can call it but not change it."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *args: object) -> object:
        return self._function(*args)

    def __setstate__(self, state: object) -> NoReturn:
        raise pickle.UnpicklingError("the pickle changes what it may only call")


class _Type:
    """The type of the numbers of an array: a size, and a byte order that comes as state."""

    __slots__ = ("dtype",)

    def __init__(self, spec: object) -> None:
        if not isinstance(spec, str) or not re.fullmatch(r"[<>=|]?(?:[iu][1248]|f[248])", spec):
            raise pickle.UnpicklingError(f"arrays of type {spec!r} are not read")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: Sequence[Any]) -> None:
        if state[1] in {"<", ">"}:
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array that is made empty and filled by its state, as NumPy pickles them."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: Numbers | None = None

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, kind, fortran, data = state
        self._values = _array(data, kind, shape, "F" if fortran else "C")

    def filled(self) -> Numbers:
        if self._values is None:
            raise pickle.UnpicklingError("the pickle holds an array without values")
        return self._values


def _array(data: object, kind: object, shape: object, order: object = "C") -> Numbers:
    """The array whose bytes are ``data``; NumPy's own reading of a pickle is never called."""
    if not isinstance(kind, _Type) or not isinstance(data, bytes | bytearray):
        raise pickle.UnpicklingError("the pickle holds an array of something else than numbers")
    sizes = shape if isinstance(shape, tuple) else (shape,)
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise pickle.UnpicklingError(f"the pickle holds an array of the shape {shape!r}")
    if math.prod(sizes) * kind.dtype.itemsize != len(data):
        raise pickle.UnpicklingError(
            f"the pickle holds {len(data):,} bytes for an array {shape!r}"
        )
    flat = np.frombuffer(data, kind.dtype)
    return flat.reshape(sizes, order="F" if order == "F" else "C")


def _from_buffer(data: object, kind: object, shape: object, order: object) -> Numbers:
    return _array(data, kind, shape, order)


def _scalar(kind: object, data: object) -> object:
    return _array(data, kind, ()).item()


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """Bytes as older pickles write them: as text, a character a byte."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("the pickle encodes something else than bytes")
    return text.encode("latin1")


_CALLS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "dtype"): lambda spec, *_: _Type(spec),
    ("numpy", "ndarray"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode,
}
"""Module and name in a pickle -> what is called in its place."""
