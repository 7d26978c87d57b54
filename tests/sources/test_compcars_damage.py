"""Damaged files, tables and lists of CompCars become findings, or one clear error."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives import Tree, placed
from compcars_tree import LABEL, MISC, NAMES, SPLITS, column, found, mat, read, table, tree
from likewise.errors import DataError


def changed(name: str, data: bytes | None) -> Callable[[Tree], None]:
    def change(content: Tree) -> None:
        content.pop(name, None)
        if data is not None:
            content[name] = data

    return change


LABEL_FILE = "data/label/2/3/2014/bb.txt"


@pytest.mark.parametrize(
    ("name", "data", "finding"),
    [
        (LABEL_FILE, None, "no-label: data/image/2/3/2014/bb.jpg"),
        (LABEL_FILE, b"", f"bad-annotation: {LABEL_FILE}"),
        (LABEL_FILE, b"7\n1\n1 1 9 9\n", f"bad-annotation: {LABEL_FILE}"),
        (LABEL_FILE, b"1\n2\n1 1 9 9\n", f"bad-annotation: {LABEL_FILE}"),
        (LABEL_FILE, b"\xff\xfe1\n1\n1 1 9 9", f"bad-annotation: {LABEL_FILE}"),
        (LABEL_FILE, b"1\n1\n1 1 9", f"bad-annotation: {LABEL_FILE}"),
        (LABEL_FILE, b"1\n1\n9 1 1 9", f"reversed-box: {LABEL_FILE}"),
        (LABEL_FILE, b"1\n1\n9 1 9 9", f"empty-box: {LABEL_FILE}"),
        (LABEL_FILE, b"1\n1\n0 1 9 9", f"bad-box: {LABEL_FILE}"),
        (LABEL_FILE, b"1\n1\n1 x 9 9", f"bad-box: {LABEL_FILE}"),
        (LABEL_FILE, b"1\n1\n1 1 " + b"9" * 5000 + b" 9", f"bad-box: {LABEL_FILE}"),
        ("data/label/2/3/2014/zz.txt", LABEL.encode(), "dangling: data/label"),
        ("data/image/2/3/2014/Thumbs.db", b"", "not-an-image: data/image/2/3/2014/Thumbs.db"),
        ("data/image/2/x/2014/a.jpg", b"", "bad-name: data/image/2/x/2014/a.jpg"),
        ("data/image/2/3/a.jpg", b"", "bad-name: data/image/2/3/a.jpg"),
        (
            f"{SPLITS}classification/train.txt",
            b"2/3/2014/bb.jpg\n9/9/2014/zz.jpg\n",
            f"dangling: {SPLITS}classification/train.txt",
        ),
        (
            f"{SPLITS}classification/train.txt",
            b"2/3/2014/bb.jpg\n2/3/2014/bb.jpg\n",
            f"listed-twice: {SPLITS}classification/train.txt",
        ),
        (
            f"{SPLITS}classification/train.txt",
            b"2/3/2014/bb.jpg\n10/11/2009/cc.JPG\n",
            "two-splits: data/image/10/11/2009/cc.JPG",
        ),
        (
            f"{SPLITS}verification/verification_pairs_hard.txt",
            b"2/3/2014/bb.jpg 2/3/unknown/aa.jpg 2\n",
            f"bad-annotation: {SPLITS}verification/verification_pairs_hard.txt: line 1",
        ),
        (
            f"{SPLITS}verification/verification_pairs_hard.txt",
            b"2/3/2014/bb.jpg 2/3/2014/zz.jpg 1\n",
            f"dangling: {SPLITS}verification/verification_pairs_hard.txt",
        ),
        (f"{MISC}make_model_name.mat", None, "absent: make_model_name.mat"),
        (
            f"{MISC}attributes.txt",
            b"3 0 1.8 0 5 2\n11 fast 0 0 0 0\n",
            f"bad-annotation: {MISC}attributes.txt: line 2",
        ),
        (
            f"{MISC}attributes.txt",
            b"3 0 1.8 0 5 2\n3 0 1.9 0 5 2\n",
            "listed-twice: attributes.txt",
        ),
        (
            "sv_data/sv_make_model_name.mat",
            mat(sv_make_model_name=table(("BMW", "X5", 11))),
            "no-label: sv_data/image/2/s2.jpg",
        ),
        (
            "sv_data/color_list.mat",
            mat(color_list=table(("1/s1.jpg", 9), ("2/s2.jpg", 12))),
            "bad-annotation: sv_data/color_list.mat: row 2",
        ),
        (
            "sv_data/color_list.mat",
            mat(color_list=table(("1/s1.jpg", 9), ("2/s9.jpg", 1))),
            "dangling: sv_data/color_list.mat",
        ),
    ],
)
def test_damage_is_a_finding_and_no_item_is_lost(
    tmp_path: Path, name: str, data: bytes | None, finding: str
) -> None:
    content = tree()
    changed(name, data)(content)
    reading = read(placed(tmp_path, content))
    assert [f.replace(f"{tmp_path}/", "") for f in found(reading)] == [finding]
    assert len(reading.items) == 5
    if "-box: " in finding:  # the rest of the file is valid
        assert reading.items["viewpoint"][0] == "front"
        assert reading.items["box"][0] is None
    assert reading.findings["detail"].str.len_chars().min() != 0
    assert reading.findings["detail"].str.len_chars().max() < 200  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (f"{MISC}make_model_name.mat", mat(**NAMES)[:300], "is damaged or truncated"),
        (f"{MISC}make_model_name.mat", b"make,model", "is not a .mat file of version 5"),
        (f"{MISC}make_model_name.mat", b"MATLAB 7.3 MAT-file", "save it in MATLAB as '-v7'"),
        (
            f"{MISC}make_model_name.mat",
            mat(other=[1]),
            "no variable 'make_names'; it has: other",
        ),
        (f"{MISC}car_type.mat", mat(types=np.eye(3)), "types is not a cell array of 1 column"),
        (f"{MISC}car_type.mat", mat(types=column({"a": 1})), "is neither text nor an integer"),
        (
            f"{MISC}attributes.txt",
            b"3 0 1.8 0 5 2\n\xff",
            r"attributes\.txt, line 2: not utf-8",
        ),
        (f"{SPLITS}classification/test.txt", b"\xe9.jpg", r"test\.txt, line 1: not utf-8"),
        ("more/make_model_name.mat", mat(**NAMES), "several files make_model_name.mat"),
        ("copy/data/image/2/3/2014/bb.jpg", b"", "images of 'web' in several places"),
    ],
)
def test_tables_that_cannot_be_used_are_one_error(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    with pytest.raises(DataError, match=said) as error:
        read(placed(tmp_path, {**tree(), name: data}))
    assert "\n" not in str(error.value)


def test_nothing_of_the_layout_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image found; expected data/image/\{make\}"):
        read(placed(tmp_path, {"cars/1.jpg": b""}))


@settings(max_examples=40, deadline=None)
@given(
    label=st.one_of(
        st.binary(max_size=40),
        st.lists(st.integers(-(10**20), 10**20), max_size=8).map(
            lambda ns: "\n".join(map(str, ns)).encode()
        ),
        st.lists(st.integers(-3, 300), min_size=4, max_size=4).map(
            lambda ns: f"1\n1\n{' '.join(map(str, ns))}".encode()
        ),
    ),
    lists=st.dictionaries(
        st.sampled_from(sorted(name for name in tree() if name.endswith(".txt"))),
        st.binary(max_size=60),
        max_size=4,
    ),
)
def test_any_text_gives_a_reading_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, label: bytes, lists: dict[str, bytes]
) -> None:
    top = placed(tmp_path_factory.mktemp("fuzz"), {**tree(), LABEL_FILE: label, **lists})
    with suppress(DataError):
        reading = read(top)
        assert len(reading.items) == 5
        for box in reading.items["box"].drop_nulls().to_list():
            assert box[0] >= 0
            assert box[1] >= 0
            assert box[2] > box[0]
            assert box[3] > box[1]


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(name for name in tree() if name.endswith(".mat"))),
    at=st.integers(0, 10**6),
    new=st.binary(min_size=1, max_size=8),
    cut=st.booleans(),
)
def test_a_damaged_table_gives_a_reading_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, name: str, at: int, new: bytes, cut: bool
) -> None:
    content = tree()
    data = bytearray(content[name])
    at %= len(data)
    data[at : at + len(new)] = new
    content[name] = bytes(data[:at]) if cut else bytes(data)
    top = placed(tmp_path_factory.mktemp("fuzz"), content)
    with suppress(DataError):
        assert len(read(top).items) == 5
