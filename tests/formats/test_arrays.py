"""Every file of numbers is read, and no file runs code."""

import json
import os
import pickle  # noqa: TID251 - what is read must be written
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from likewise.errors import DataError
from likewise.formats.arrays import read_array, to_matrix
from likewise.formats.pickles import read_structure

Numbers = npt.NDArray[Any]

ROWS = [[0, 2, 1], [1, 0, 2]]
FLOATS = np.array([[0.5, -1.25], [3, 1e-3], [0, 7]])


def pickled(path: Path, value: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def test_npy_is_mapped_not_read(tmp_path: Path) -> None:
    path = tmp_path / "e.npy"
    np.save(path, FLOATS)
    read = read_array(path)
    assert isinstance(read, np.memmap)
    assert read.tolist() == FLOATS.tolist()


@pytest.mark.parametrize("names", [["anything"], ["x", "features"], ["vectors", "embeddings"]])
def test_npz_of_one_or_of_a_known_name(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "e.NPZ"
    arrays: dict[str, Any] = {name: FLOATS * 2**at for at, name in enumerate(names)}
    with path.open("wb") as file:
        np.savez(file, **arrays)
    assert read_array(path).tolist() == (FLOATS * 2 ** (len(names) - 1)).tolist()


def test_npz_without_a_known_name_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "e.npz"
    np.savez(path, a=FLOATS, b=FLOATS)
    with pytest.raises(
        DataError, match="contains a, b; expected one array, or one with the name emb"
    ):
        read_array(path)
    np.savez(path)
    with pytest.raises(DataError, match="contains nothing"):
        read_array(path)


def test_json_lists(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    path.write_text(json.dumps(ROWS), encoding="utf-8")
    assert read_array(path).tolist() == ROWS
    assert read_array(path).dtype == np.int64
    path.write_text("[1.5, 2]", encoding="utf-8")
    assert read_array(path).tolist() == [1.5, 2]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("e.csv", "0,2,1\n1,0,2\n", ROWS),
        ("e.txt", "0 2 1\n1\t0  2", ROWS),
        ("e.txt", "7\n", [[7]]),
        ("e.csv", "\ufeff0.5,-1.25\n3,1e-3\n0,7\n", FLOATS.tolist()),
    ],
)
def test_text(tmp_path: Path, name: str, text: str, expected: list[list[float]]) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    read = read_array(path)
    assert read.tolist() == expected
    assert read.dtype == (np.float64 if "." in text else np.int64)


def test_nan_in_text_is_a_number_that_the_protocol_refuses(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("1,nan\n2,inf\n", encoding="utf-8")
    assert np.isfinite(read_array(path)).tolist() == [[True, False], [True, False]]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value",
    [
        ROWS,
        tuple(map(tuple, ROWS)),
        np.array(ROWS),
        np.array(ROWS, ">i2"),
        FLOATS.astype(np.float16),
        np.asfortranarray(FLOATS),
        FLOATS[::2, ::-1],
        [np.array(row) for row in ROWS],
        [[np.int64(n) for n in row] for row in ROWS],
        FLOATS.tolist(),
    ],
)
def test_pickles_of_numbers(tmp_path: Path, value: Any, protocol: int) -> None:
    read = read_array(pickled(tmp_path / "e.pkl", value, protocol))
    expected = np.array(value)
    assert read.tolist() == expected.tolist()
    assert (read.dtype, read.shape) == (expected.dtype, expected.shape)


def test_pickles_that_an_older_numpy_wrote(tmp_path: Path) -> None:
    path = tmp_path / "e.pickle"
    data = pickle.dumps(np.array(ROWS), 2).replace(b"numpy._core.", b"numpy.core.")
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in data
    path.write_bytes(data)
    assert read_array(path).tolist() == ROWS


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., Any], *args: object) -> None:
        self._call = (function, args)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self._call


def test_pickles_run_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    write = f"open({str(mark)!r}, 'w').close()"
    array = tmp_path / "array.npy"
    np.save(array, FLOATS)
    for function, args in (
        (os.system, (f"touch {mark}",)),
        (eval, (write,)),
        (exec, (write,)),
        (getattr, (FLOATS, "tofile")),
        (np.load, (str(array),)),
        (np.fromfile, (str(array),)),
        (np.memmap, (str(mark), "u1", "w+", 0, 8)),
        (np.save, (str(mark), 1)),
    ):
        path = pickled(tmp_path / "e.pkl", [Calls(function, *args)])
        with pytest.raises(DataError, match=r"uses .*, which is not allowed; only lists, num"):
            read_array(path)
        assert not mark.exists()


REFUSED: dict[str, bytes] = {
    # An allowed name with arguments that it never has.
    "encode": b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.",
    # State that would change the called function.
    "state": b"cnumpy\ndtype\n}X\x01\x00\x00\x00aI1\nsb.",
    "attribute": b"cnumpy\ndtype\nN}X\x08\x00\x00\x00__call__I1\ns\x86b.",
    # An array whose bytes would be used as addresses of objects.
    "objects": b"cnumpy\ndtype\n(X\x02\x00\x00\x00O8I00\nI01\ntR.",
    # A list in place of the bytes of an array.
    "bytes": b"cnumpy._core.multiarray\nscalar\n(cnumpy\ndtype\n"
    b"(X\x02\x00\x00\x00i4I00\nI01\ntR]tR.",
    # A dotted name, which reaches an attribute through a module.
    "dotted": b"\x80\x04X\x05\x00\x00\x00numpyX\x0e\x00\x00\x00ndarray.tofile\x93.",
    "persistent": b"Pos.system\n.",
    "empty": b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01btR.",
    "itself": b"]q\x00h\x00a.",
    "object": b"}.",
    "name": b"cnumpy\nndarray\n.",
    "rubbish": b"\xff\xfe\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("case", REFUSED)
def test_crafted_pickles_are_refused(tmp_path: Path, case: str) -> None:
    path = tmp_path / "e.pkl"
    path.write_bytes(REFUSED[case])
    with pytest.raises(DataError, match=r"e.pkl"):
        read_array(path)


def test_arrays_that_misstate_their_size_are_refused(tmp_path: Path) -> None:
    data = pickle.dumps(np.arange(6, dtype=np.int16).reshape(2, 3), 3)
    assert b"K\x02K\x03\x86" in data
    path = tmp_path / "e.pkl"
    for shape in (
        b"K\x02K\x09\x86",
        b"K\xffK\xff\x86",
        b"J\xff\xff\xff\xffJ\xfa\xff\xff\xff\x86",
    ):
        path.write_bytes(data.replace(b"K\x02K\x03\x86", shape))
        with pytest.raises(DataError, match=r"bytes for an array|of shape"):
            read_array(path)


@pytest.mark.parametrize(
    "kind", ["object", "S3", "complex64", "bool", "datetime64[s]", "i4,f4"]
)
def test_arrays_of_other_things_are_refused(tmp_path: Path, kind: str) -> None:
    array = np.zeros((2, 2), kind)
    for path in (pickled(tmp_path / "e.pkl", array), tmp_path / "e.npy"):
        if path.suffix == ".npy":
            np.save(path, array)
        with pytest.raises(DataError, match=path.name):
            read_array(path)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("e.npy", b"", "cannot be read"),
        ("e.npy", b"\x93NUMPY\x01\x00", "cannot be read"),
        ("e.npy", b"PK\x03\x04rubbish", "is an .npz file"),
        ("e.npz", b"rubbish", "is not an .npz file"),
        ("e.npz", b"PKrubbish", "cannot be read"),
        ("e.json", b"[[1, 2], [3]]", "row 0 has 2, row 1 has 1"),
        ("e.json", b'{"embeddings": [[1]]}', "contains a dict; expected a list of lists"),
        ("e.json", b"[[1, null]]", "type object; expected numbers"),
        ("e.json", b'[["a"]]', "type <U1; expected numbers"),
        ("e.json", b"[[true]]", "type bool; expected numbers"),
        ("e.json", b"[[[1], [2, 3]]]", "nested too deeply"),
        ("e.json", b"[[1, 2]", "is not JSON in UTF-8"),
        ("e.json", b"\xff\xfe", "is not JSON in UTF-8"),
        ("e.csv", b"1,2\n3\n", "columns changed from 2 to 1"),
        ("e.csv", b"a,b\n1,2\n", "could not convert string 'a'"),
        ("e.txt", b" \n", "is empty"),
        ("e.h5", b"", "expected a file that ends in .npy, .npz, .json"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=said) as caught:
        read_array(path)
    assert str(path) in str(caught.value)


def test_a_cut_npy_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.npy"
    np.save(path, FLOATS)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match="cannot be read"):
        read_array(path)


def test_one_format_under_the_others_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", a=FLOATS)
    np.save(tmp_path / "f.npy", FLOATS)
    (tmp_path / "e.npz").rename(tmp_path / "e.npy")
    (tmp_path / "f.npy").rename(tmp_path / "f.npz")
    with pytest.raises(DataError, match=r"is an .npz file"):
        read_array(tmp_path / "e.npy")
    with pytest.raises(DataError, match=r"is not an .npz file"):
        read_array(tmp_path / "f.npz")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.npy: No such file"):
        read_array(tmp_path / "none.npy")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(DataError, match=r"folder.json: Is a directory"):
        read_array(tmp_path / "folder.json")


def test_rectangles() -> None:
    assert to_matrix(ROWS, "here").tolist() == ROWS
    assert to_matrix([], "here").shape == (0,)
    with pytest.raises(DataError, match="here: the rows differ in length: row 0 has 2, row 1 "):
        to_matrix([[1, 2], *([[1]] * 8)], "here")


@pytest.mark.parametrize(
    "data", [b"\x80\x02]r\xff\xff\xff\xffa.", b"(lp4294967295\n.", b"\x80\x04]\x94h\xffa."]
)
def test_places_that_would_take_all_memory_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "e.pkl"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"e\.pkl: cannot be read"):
        read_array(path)
    with pytest.raises(DataError, match=r"here: cannot be read"):
        read_structure(data, "here")


def test_what_contains_itself_or_in_too_much_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    folded: list[object] = [1]
    for _ in range(50):
        folded = [folded, folded]
    for value in (endless, folded):
        with pytest.raises(DataError, match="expands to far more values than it has bytes"):
            read_structure(pickle.dumps(value), "here")
    assert read_structure(pickle.dumps({"a": ((1, 2.5), "x")}), "here") == {
        "a": [[1, 2.5], "x"]
    }


@settings(max_examples=100, deadline=None)
@given(
    protocol=st.integers(0, pickle.HIGHEST_PROTOCOL),
    at=st.integers(0, 10**6),
    new=st.binary(max_size=6),
    cut=st.booleans(),
)
@example(protocol=3, at=991, new=b"\\", cut=False)  # an escape for which Python warns
def test_damaged_pickles_are_one_error(protocol: int, at: int, new: bytes, cut: bool) -> None:
    held = {"imlist": ["a", "b"], "gnd": [{"bbx": [1.0, 2.5], "easy": np.arange(3)}] * 2}
    data = pickle.dumps(held, protocol)
    at %= len(data)
    damaged = data[:at] + new + (b"" if cut else data[at + len(new) :])
    with suppress(DataError):
        read_structure(damaged, "here")


def test_a_header_with_an_open_bracket_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.npy"
    np.save(path, FLOATS)
    path.write_bytes(path.read_bytes().replace(b"(3, 2), }", b"(3, 2, }\n"))
    with pytest.raises(DataError, match="cannot be read"):
        read_array(path)
