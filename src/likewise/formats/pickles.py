"""Read pickles of other programs without executing any of their code.

Loading a pickle normally executes code. Here each name that a pickle may call is replaced by a
function of this module that builds plain arrays, and memory use is bounded by the file size.
"""

import io
import math
import mmap
import pickle  # noqa: TID251 - only ever read by _RestrictedUnpickler
import pickletools
import re
from collections.abc import Callable, Sequence
from typing import IO, Any, BinaryIO, NoReturn, cast

import numpy as np

from likewise.errors import DamagedError
from likewise.formats.array_types import AnyArray

DAMAGE_ERRORS = (
    ArithmeticError,
    AttributeError,
    DeprecationWarning,  # invalid escapes, if warnings are errors
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
"""Exceptions of ``load_pickle`` for truncated, damaged or other files."""

_MAX_VALUES_PER_BYTE = 16
"""Maximum number of values per byte; a pickle may refer to one list many times."""


def load_pickle(file: BinaryIO) -> object:
    """Load the pickle in ``file``; use ``to_array`` for the arrays in it.

    Raises:
        UnpicklingError: the pickle uses a forbidden name, or requests more memory than it
        fills.
        Exception: one of ``DAMAGE_ERRORS``, where it is damaged.
    """
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return _load_stream(cast("IO[bytes]", mapped), mapped)


def to_array(value: object) -> object:
    """Return the array that ``value`` represents; other values unchanged."""
    return value.to_array() if isinstance(value, _Array) else value


def read_structure(data: bytes, where: str) -> object:
    """Return the dicts, lists, strings and numbers in a pickle; arrays become lists.

    Args:
        data: contents of the file.
        where: origin of ``data``, for messages.

    Raises:
        DamagedError: the pickle is damaged, or contains other objects.
    """
    try:
        return _plain(_load_stream(io.BytesIO(data), data), [_MAX_VALUES_PER_BYTE * len(data)])
    except DAMAGE_ERRORS as error:
        message = " ".join(str(error).split())[:200] or type(error).__name__
        raise DamagedError(f"{where}: cannot be read: {message}; download it again") from error


def _load_stream(stream: IO[bytes], data: bytes | mmap.mmap) -> object:
    """Load the pickle in ``stream``, which reads ``data``."""
    _check_memo_indices(stream, data)
    stream.seek(0)
    return _RestrictedUnpickler(stream).load()


def _check_memo_indices(stream: IO[bytes], data: bytes | mmap.mmap) -> None:
    """Reject a pickle with a memo index larger than its number of bytes.

    CPython allocates all memo entries up to the largest index, so one damaged byte could
    request 60 GB.
    """
    at, size = 0, len(data)
    while run := _FIXED_LENGTH_OPERATIONS.match(data, at):
        stream.seek(run.end())
        operation, place, _ = next(pickletools.genops(stream))
        if operation.name == "STOP":
            return
        if operation.name in _PUT_OPERATIONS and int(place or 0) > size:
            raise pickle.UnpicklingError(f"memo index {place} in only {size:,} bytes")
        at = stream.tell()


_PUT_OPERATIONS = ("PUT", "LONG_BINPUT")


def _fixed_length_operations() -> re.Pattern[bytes]:
    """Return a pattern for runs of operations with arguments of fixed length, to skip them."""
    codes: dict[int, bytes] = {}
    for operation in pickletools.opcodes:
        length = operation.arg.n if operation.arg else 0
        if length >= 0 and operation.name not in (*_PUT_OPERATIONS, "STOP"):
            codes[length] = codes.get(length, b"") + re.escape(operation.code.encode("latin1"))
    kinds = (b"[%s].{%d}" % (some, length) for length, some in codes.items())
    return re.compile(b"(?s:%s)*+" % b"|".join(kinds))


_FIXED_LENGTH_OPERATIONS = _fixed_length_operations()


def _plain(value: object, left: list[int]) -> object:
    """Replace arrays by lists, recursively; ``left`` is the number of values still allowed."""
    left[0] -= 1
    if left[0] < 0:
        raise pickle.UnpicklingError("it expands to far more values than it has bytes")
    if isinstance(value, dict):
        return {key: _plain(part, left) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, left) for part in value]
    array = to_array(value)
    return array.tolist() if isinstance(array, np.ndarray) else array


class _RestrictedUnpickler(pickle.Unpickler):
    """Reads pickles of lists, numbers and arrays; all other names are rejected."""

    def find_class(self, module: str, name: str) -> object:
        # NumPy 2 moved its core; pickles contain the name in the version that wrote them.
        known = module.replace("numpy.core.", "numpy._core.")
        if (known, name) not in _CALLS:
            raise pickle.UnpicklingError(
                f"the pickle uses {module}.{name}, which is not allowed; only lists, numbers "
                "and NumPy arrays are read (numpy.save writes safe files)"
            )
        return _Call(_CALLS[known, name])


class _Call:
    """A function that replaces a name in a pickle, which can call it but not modify it."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *args: object) -> object:
        return self._function(*args)

    def __setstate__(self, state: object) -> NoReturn:
        raise pickle.UnpicklingError("the pickle modifies a function")


class _Type:
    """Element type of an array; the byte order is set by its state."""

    __slots__ = ("dtype",)

    def __init__(self, spec: object) -> None:
        if not isinstance(spec, str) or not re.fullmatch(r"[<>=|]?(?:[iu][1248]|f[248])", spec):
            raise pickle.UnpicklingError(f"arrays of type {spec!r} are not supported")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: Sequence[Any]) -> None:
        if state[1] in {"<", ">"}:
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array that is created empty and filled by its state, as NumPy pickles arrays."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: AnyArray | None = None

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, kind, fortran, data = state
        self._values = _array(data, kind, shape, "F" if fortran else "C")

    def to_array(self) -> AnyArray:
        if self._values is None:
            raise pickle.UnpicklingError("the pickle contains an array without values")
        return self._values


def _array(data: object, kind: object, shape: object, order: object = "C") -> AnyArray:
    """Return the array with the bytes ``data``, without NumPy's own unpickling code."""
    if not isinstance(kind, _Type) or not isinstance(data, bytes | bytearray):
        raise pickle.UnpicklingError("the pickle contains an array that is not numeric")
    sizes = shape if isinstance(shape, tuple) else (shape,)
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise pickle.UnpicklingError(f"the pickle contains an array of shape {shape!r}")
    if math.prod(sizes) * kind.dtype.itemsize != len(data):
        raise pickle.UnpicklingError(
            f"the pickle contains {len(data):,} bytes for an array of shape {shape!r}"
        )
    flat = np.frombuffer(data, kind.dtype)
    return flat.reshape(sizes, order="F" if order == "F" else "C")


def _from_buffer(data: object, kind: object, shape: object, order: object) -> AnyArray:
    return _array(data, kind, shape, order)


def _scalar(kind: object, data: object) -> object:
    return _array(data, kind, ()).item()


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """Return bytes, which older pickles write as Latin-1 text."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("the pickle encodes a value that is not bytes")
    return text.encode("latin1")


_CALLS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "dtype"): lambda spec, *_: _Type(spec),
    ("numpy", "ndarray"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode,
}
"""Module and name in a pickle -> replacement."""
