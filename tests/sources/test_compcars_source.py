"""CompCars: paths, label files, tables and lists say which car is where."""

import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from archives import Tree, placed
from likewise.errors import ConfigError, DataError
from likewise.sources import SOURCES
from likewise.sources.base import Reading

WEB = ["2/3/2014/bb.jpg", "2/3/unknown/aa.jpg", "10/11/2009/cc.JPG"]
SV = ["1/s1.jpg", "2/s2.jpg"]
LABEL = "1\n1\n12 23 245 234\n"
MISC = "data/misc/"
SPLITS = "data/train_test_split/"


def mat(**variables: object) -> bytes:
    stream = io.BytesIO()
    savemat(stream, variables)
    return stream.getvalue()


def column(*values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
    return np.array([[value] for value in values], dtype=object)


def table(*rows: tuple[object, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
    cells = np.empty((len(rows), len(rows[0])), dtype=object)
    for number, row in enumerate(rows):
        cells[number] = row
    return cells


MAKES = column("Audi", "Citro\u00ebn", *[""] * 7, "BMW")
MODELS = column("A4L", "", "C4", *[""] * 7, "X5")
NAMES = {"make_names": MAKES, "model_names": MODELS}


def tree() -> Tree:
    labels = {f"data/label/{key[:-4]}.txt": LABEL.encode() for key in WEB}
    return {
        **{f"data/image/{key}": key.encode() for key in WEB},
        **labels,
        **{f"sv_data/image/{key}": key.encode() for key in SV},
        f"{MISC}attributes.txt": (
            b"model_id maximum_speed displacement door_number seat_number type\n"
            b"3 0 1.8 0 5 2\n11 235 0.0 5 0 0\n"
        ),
        f"{MISC}car_type.mat": mat(types=column("MPV", "SUV")),
        f"{MISC}make_model_name.mat": mat(**NAMES),
        f"{SPLITS}classification/train.txt": b"2/3/2014/bb.jpg\n",
        f"{SPLITS}classification/test.txt": b"10/11/2009/cc.JPG\r\n",
        f"{SPLITS}verification/verification_train.txt": b"2/3/2014/bb.jpg\n",
        f"{SPLITS}verification/verification_pairs_easy.txt": (
            b"2/3/2014/bb.jpg 2/3/unknown/aa.jpg 1\n"
        ),
        "sv_data/train_surveillance.txt": b"1/s1.jpg\n",
        "sv_data/test_surveillance.txt": b"2/s2.jpg\n",
        "sv_data/sv_make_model_name.mat": mat(
            sv_make_model_name=table(("BMW", "X5", 11), ("Citro\u00ebn", "C4", 3))
        ),
        "sv_data/color_list.mat": mat(color_list=table(("1/s1.jpg", 9), ("2/s2.jpg", -1))),
    }


def read(path: Path, annotations: Path | None = None, **options: object) -> Reading:
    source = SOURCES.build({"kind": "compcars", **options}, "card")
    return source.read(source.open(path), annotations or path)


def found(reading: Reading) -> list[str]:
    return reading.findings["finding_id"].to_list()


def test_a_car_is_all_that_its_files_say(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, tree()))
    assert reading.findings.is_empty()
    rows = reading.items.to_dicts()
    assert [row["item_id"] for row in rows] == [
        "data/image/2/3/2014/bb.jpg#1",
        "data/image/2/3/unknown/aa.jpg#1",
        "data/image/10/11/2009/cc.JPG#1",
        "sv_data/image/1/s1.jpg",
        "sv_data/image/2/s2.jpg",
    ]
    assert rows[0] == {
        "item_id": "data/image/2/3/2014/bb.jpg#1",
        "image_id": "data/image/2/3/2014/bb.jpg",
        "label": "3",
        "text": "Citro\u00ebn C4",
        "subset": "web",
        "split": "train",
        "role": "gallery",
        # 12 23 245 234, from 1 and inclusive
        "box": [12 - 1, 23 - 1, 245, 234],
        "make_id": 2,
        "make": "Citro\u00ebn",
        "model_id": 3,
        "model": "C4",
        "year": "2014",
        "viewpoint": "front",
        "part": None,
        "sv_model_id": None,
        "colour": None,
        "maximum_speed": None,
        "displacement": pytest.approx(1.8),
        "doors": None,
        "seats": 5,
        "type": "SUV",
        "verification": "train+easy",
        "pairs": ["easy 1 data/image/2/3/unknown/aa.jpg#1"],
    }
    assert [row["pairs"] for row in rows[1:]] == [None] * 4
    assert [row["verification"] for row in rows[1:]] == ["easy", None, None, None]
    assert [row["split"] for row in rows[1:]] == [None, "test", "train", "test"]
    assert rows[1]["year"] == "unknown"
    assert (rows[2]["maximum_speed"], rows[2]["doors"], rows[2]["type"]) == (235, 5, None)


def test_surveillance_models_are_those_of_the_web(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, tree()))
    shown = reading.items.filter(subset="sv").select(
        "label", "text", "make_id", "sv_model_id", "colour", "role", "box"
    )
    assert shown.rows() == [
        ("11", "BMW X5", 10, 1, "silver", "query", None),
        ("3", "Citro\u00ebn C4", 2, 2, None, "query", None),
    ]


def test_one_subset_is_its_own_gallery(tmp_path: Path) -> None:
    top = placed(tmp_path, tree())
    web = read(top, subsets=["web"]).items
    assert (len(web), web["role"].null_count()) == (3, 3)
    sv = read(top / "sv_data", subsets=["sv"]).items
    assert sv["label"].to_list() == ["11", "3"]
    assert sv["role"].null_count() == 2
    with pytest.raises(ConfigError, match="Input should be 'web', 'part' or 'sv'"):
        read(top, subsets=["street"])


def test_items_may_be_whole_images(tmp_path: Path) -> None:
    items = read(placed(tmp_path, tree()), items="images").items
    assert items["box"].null_count() == 5
    assert items["item_id"].equals(items["image_id"])
    assert items["viewpoint"][0] == "front"


def test_parts_of_cars_have_lists_of_their_own(tmp_path: Path) -> None:
    content = {
        **tree(),
        "data/part/2/3/2014/8/bb.jpg": b"",
        "data/part/2/3/2014/1/bb.jpg": b"",
        "data/part/2/3/2014/9/bb.jpg": b"",
        f"{SPLITS}part/test_part_8.txt": b"2/3/2014/8/bb.jpg\n",
    }
    reading = read(placed(tmp_path, content), subsets=["web", "part"])
    parts = reading.items.filter(subset="part").select("part", "split", "label", "text")
    assert parts.rows() == [
        ("headlight", None, "3", "Citro\u00ebn C4"),
        ("gear lever", "test", "3", "Citro\u00ebn C4"),
    ]
    assert found(reading) == ["bad-name: data/part/2/3/2014/9/bb.jpg"]
    assert len(read(tmp_path).items) == 5


@pytest.mark.parametrize("top", ["Image_data", "a/b"])
def test_an_archive_gives_the_reading_of_the_folder(tmp_path: Path, top: str) -> None:
    placed(tmp_path / "folder" / top, tree())
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "folder", ".")
    expected = read(tmp_path / "folder")
    assert len(expected.items) == 5
    assert read(tmp_path / "a.tar.gz").items.equals(expected.items)
    assert read(tmp_path / "folder" / top / "data", subsets=["web"]).items.height == 3


def test_explanations_may_lie_elsewhere(tmp_path: Path) -> None:
    content = tree()
    images = {name: data for name, data in content.items() if "/image/" in name}
    notes = {name: data for name, data in content.items() if "/image/" not in name}
    placed(tmp_path / "images", images)
    expected = read(placed(tmp_path / "all", content))
    reading = read(tmp_path / "images", placed(tmp_path / "notes", notes))
    assert reading.items.equals(expected.items)
    bare = read(tmp_path / "images")
    assert bare.items["text"].null_count() == 5
    assert found(bare) == [
        "absent: make_model_name.mat",
        "no-label: label",
        "no-label: sv_data/image/1/s1.jpg",
        "no-label: sv_data/image/2/s2.jpg",
    ]


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
    if "-box: " in finding:  # the rest of the file stands
        assert reading.items["viewpoint"][0] == "front"
        assert reading.items["box"][0] is None
    assert reading.findings["detail"].str.len_chars().min() != 0
    assert reading.findings["detail"].str.len_chars().max() < 200  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (f"{MISC}make_model_name.mat", mat(**NAMES)[:300], "is damaged or cut short"),
        (f"{MISC}make_model_name.mat", b"make,model", "is no .mat of version 5"),
        (f"{MISC}make_model_name.mat", b"MATLAB 7.3 MAT-file", "save it in MATLAB as '-v7'"),
        (
            f"{MISC}make_model_name.mat",
            mat(other=[1]),
            "no variable 'make_names'; there is: other",
        ),
        (f"{MISC}car_type.mat", mat(types=np.eye(3)), "types is no cell array of 1 columns"),
        (f"{MISC}car_type.mat", mat(types=column({"a": 1})), "is no text and no whole number"),
        (
            f"{MISC}attributes.txt",
            b"3 0 1.8 0 5 2\n\xff",
            r"attributes\.txt, line 2: not utf-8",
        ),
        (f"{SPLITS}classification/test.txt", b"\xe9.jpg", r"test\.txt, line 1: not utf-8"),
        ("more/make_model_name.mat", mat(**NAMES), "several make_model_name.mat"),
        ("copy/data/image/2/3/2014/bb.jpg", b"", "images of 'web' in several places"),
    ],
)
def test_tables_that_cannot_be_used_are_one_error(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    with pytest.raises(DataError, match=said) as error:
        read(placed(tmp_path, {**tree(), name: data}))
    assert "\n" not in str(error.value)


def test_the_archive_as_it_is_handed_out_needs_its_password(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for name, data in tree().items():
            archive.writestr(name, data)
    packed = bytearray((tmp_path / "data.zip").read_bytes())
    for at in [found.start() for found in re.finditer(rb"PK\x01\x02", packed)]:
        packed[at + 8] |= 1  # the flag that says: encrypted
    (tmp_path / "data.zip").write_bytes(packed)
    said = f"refused: {len(tree())} members, the first as it is encrypted"
    with pytest.raises(DataError, match=said):
        read(tmp_path / "data.zip")


def test_nothing_of_the_layout_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image found; expected data/image/\{make\}"):
        read(placed(tmp_path, {"cars/1.jpg": b""}))


def test_a_real_set_has_the_counts_of_its_readme(shared_data: Path) -> None:
    path = shared_data / "compcars_like"
    reading = read(path)
    items = reading.items
    assert reading.findings.is_empty()
    counts = items.group_by("subset", "split").len().sort(pl.all())
    assert counts.rows() == [
        ("sv", "test", 123),
        ("sv", "train", 123),
        ("web", "test", 364),
        ("web", "train", 726),
    ]
    web, sv = items.filter(subset="web"), items.filter(subset="sv")
    assert (web["model_id"].n_unique(), web["make_id"].n_unique()) == (81, 43)
    assert web["box"].null_count() == 0
    assert set(sv["label"]) <= set(web["label"])
    first = web.filter(image_id="Image_data/data/image/3/7/2014/531c72672d73dc.jpg")
    assert first["box"].to_list() == [[30 - 1, 17 - 1, 227, 240]]
    assert first["viewpoint"].to_list() == ["rear"]


@settings(max_examples=80, deadline=None)
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


@settings(max_examples=150, deadline=None)
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
