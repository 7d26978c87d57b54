"""MATLAB tables: files of other programs are read, and damage is one error."""

import io
import struct
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from likewise.errors import DataError
from likewise.formats import matlab
from likewise.formats.matlab import (
    CellArray,
    StructArray,
    read_cells,
    read_structs,
    read_variables,
)


def mat(*, packed: bool = False, **values: object) -> bytes:
    stream = io.BytesIO()
    savemat(stream, values, do_compression=packed)
    return stream.getvalue()


def table(*rows: tuple[object, ...]) -> Any:
    found = np.empty((len(rows), len(rows[0])), dtype=object)
    for number, row in enumerate(rows):
        found[number] = row
    return found


ROWS = [("Citro\u00ebn", "\u4e2d\u6587", 3), ("", "a b ", -1), ("x" * 300, "\U0001f697", 2**40)]


@pytest.mark.parametrize("packed", [False, True])
def test_cells_are_the_rows_that_were_written(packed: bool) -> None:
    data = mat(packed=packed, other=np.eye(2), names=table(*ROWS))
    expected = [tuple(v.strip() if isinstance(v, str) else v for v in row) for row in ROWS]
    assert read_cells("m", data, "names", 3) == expected
    lying = mat(packed=packed, names=table(*ROWS).T[:, :2])
    assert read_cells("m", lying, "names", 2) == [
        tuple(r[:2]) for r in zip(*expected, strict=True)
    ]
    assert read_cells("m", mat(packed=packed, names=table(("a",), ("b",)).T), "names", 1) == [
        ("a",),
        ("b",),
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_other_variables(packed: bool) -> None:
    rows = np.array([[(1, "kit fox")], [(2, "")]], dtype=[("id", object), ("words", object)])
    data = mat(packed=packed, s=rows, n=np.array([[1.5]]), m=np.eye(2), e=np.zeros((0, 0)))
    found = read_variables("m", data)
    assert read_structs("m", data, "s") == [
        {"id": 1, "words": "kit fox"},
        {"id": 2, "words": ""},
    ]
    assert isinstance(found["s"], StructArray)
    assert (found["n"], found["m"], found["e"]) == (1.5, (1, 0, 0, 1), "")
    assert isinstance(read_variables("m", mat(c=table((1, 2))))["c"], CellArray)


def test_the_other_order_of_bytes() -> None:
    def element(kind: int, payload: bytes) -> bytes:
        return struct.pack(">II", kind, len(payload)) + payload + b"\0" * (-len(payload) % 8)

    text = element(4, "caf\u00e9".encode("utf-16-be"))
    flags, shape = element(6, struct.pack(">II", 4, 0)), element(5, struct.pack(">2i", 1, 4))
    whole = element(14, flags + shape + element(1, b"word") + text)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\0MI"
    assert read_variables("m", header + whole) == {"word": "caf\u00e9"}


def test_what_is_not_asked_for_is_reported() -> None:
    data = mat(n=np.eye(3), c=table((1.5, {"a": 1})))
    for name, said in (("x", "no variable 'x'; it has: n, c"), ("n", "not a cell array of 2")):
        with pytest.raises(DataError, match=said):
            read_cells("m", data, name, 2)
    with pytest.raises(DataError, match="a cell of c is neither text nor an integer"):
        read_cells("m", data, "c", 2)
    with pytest.raises(DataError, match="n is not a struct array"):
        read_structs("m", data, "n")


def test_a_variable_that_unpacks_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = mat(packed=True, n=np.zeros((1, 100_000)))
    assert len(data) < 2_000
    monkeypatch.setattr(matlab, "_MAX_BYTES", 10_000)
    with pytest.raises(DataError, match="truncated or too large"):
        read_variables("m", data)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_cut_anywhere_gives_no_shorter_table(packed: bool) -> None:
    data = mat(packed=packed, names=table(*ROWS))
    for kept in range(0, len(data) - 7, 5):  # the last element may lack its padding
        with pytest.raises(DataError):
            read_cells("m", data[:kept], "names", 3)


@settings(max_examples=300, deadline=None)
@given(
    at=st.integers(0, 10**6),
    new=st.binary(min_size=1, max_size=8),
    packed=st.booleans(),
)
def test_changed_bytes_give_values_or_one_error(at: int, new: bytes, packed: bool) -> None:
    rows = np.array([[(1, "kit fox")]], dtype=[("id", object), ("words", object)])
    data = bytearray(mat(packed=packed, names=table(*ROWS), s=rows))
    at %= len(data)
    data[at : at + len(new)] = new
    for read in (lambda d: read_cells("m", d, "names", 3), lambda d: read_structs("m", d, "s")):
        with suppress(DataError):
            read(bytes(data))
