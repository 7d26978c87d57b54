"""Pickles that other programs wrote, read without running any of them.

A pickle is a program. Every name that one may call is replaced by a function of this module,
which makes plain arrays and nothing else, and none may ask for more memory than it holds.
"""

import io
import math
import mmap
import pickle  # noqa: TID251 - only ever read by _Reader
import pickletools
import re
from collections.abc import Callable, Sequence
from typing import IO, Any, BinaryIO, NoReturn, cast

import numpy as np

from likewise.errors import DamagedError
from likewise.formats.array_types import AnyArray

BROKEN = (
    ArithmeticError,
    AttributeError,
    DeprecationWarning,  # of escapes that nobody writes, where warnings are errors
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
"""What ``load`` raises for pickles that are cut, damaged or something else."""

_UNFOLDED = 16
"""So many values a pickle may unfold to for each of its bytes: a list can stand in several."""


def load(file: BinaryIO) -> object:
    """What the pickle in ``file`` holds; ``filled`` gives the arrays in it.

    Raises:
        UnpicklingError: it names what is refused, or asks for memory that it does not fill.
        Exception: one of ``BROKEN``, where it is damaged.
    """
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        return _load(cast("IO[bytes]", held), held)


def filled(value: object) -> object:
    """The array that ``value`` stands for, or ``value``."""
    return value.filled() if isinstance(value, _Array) else value


def read_structure(data: bytes, where: str) -> object:
    """The dicts, lists, texts and numbers of a pickle; arrays become lists.

    Raises:
        DamagedError: damaged, or it holds something else; ``where`` it came from.
    """
    try:
        return _plain(_load(io.BytesIO(data), data), [_UNFOLDED * len(data)])
    except BROKEN as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DamagedError(f"{where}: cannot be read: {said}; fetch it again") from error


def _load(stream: IO[bytes], data: bytes | mmap.mmap) -> object:
    """What ``stream``, which reads ``data``, holds."""
    _check_places(stream, data)
    stream.seek(0)
    return _Reader(stream).load()


def _check_places(stream: IO[bytes], data: bytes | mmap.mmap) -> None:
    """Refuse a pickle that remembers a value at a place far beyond all that it could fill.

    The reader of CPython makes room for every place before the greatest: a byte that is
    damaged could ask for 60 GB.
    """
    at, size = 0, len(data)
    while run := _FIXED.match(data, at):
        stream.seek(run.end())
        operation, place, _ = next(pickletools.genops(stream))
        if operation.name == "STOP":
            return
        if operation.name in _PUTS and int(place or 0) > size:
            raise pickle.UnpicklingError(f"it keeps value {place} of only {size:,} bytes")
        at = stream.tell()


_PUTS = ("PUT", "LONG_BINPUT")


def _fixed() -> re.Pattern[bytes]:
    """Operations in a row whose arguments have a length of their own, and that need no look."""
    codes: dict[int, bytes] = {}
    for operation in pickletools.opcodes:
        length = operation.arg.n if operation.arg else 0
        if length >= 0 and operation.name not in (*_PUTS, "STOP"):
            codes[length] = codes.get(length, b"") + re.escape(operation.code.encode("latin1"))
    kinds = (b"[%s].{%d}" % (some, length) for length, some in codes.items())
    return re.compile(b"(?s:%s)*+" % b"|".join(kinds))


_FIXED = _fixed()


def _plain(value: object, left: list[int]) -> object:
    """``value`` without arrays, all the way down; ``left`` counts the values that may come."""
    left[0] -= 1
    if left[0] < 0:
        raise pickle.UnpicklingError("it unfolds to far more than it holds")
    if isinstance(value, dict):
        return {key: _plain(part, left) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, left) for part in value]
    array = filled(value)
    return array.tolist() if isinstance(array, np.ndarray) else array


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
        self._values: AnyArray | None = None

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, kind, fortran, data = state
        self._values = _array(data, kind, shape, "F" if fortran else "C")

    def filled(self) -> AnyArray:
        if self._values is None:
            raise pickle.UnpicklingError("the pickle holds an array without values")
        return self._values


def _array(data: object, kind: object, shape: object, order: object = "C") -> AnyArray:
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


def _from_buffer(data: object, kind: object, shape: object, order: object) -> AnyArray:
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
