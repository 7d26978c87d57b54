"""Damaged lists and tables of ImageNet become findings, or one clear error."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives import Tree, placed, tarred
from imagenet_tree import (
    CRANE,
    FOX,
    LISTS,
    META,
    SETTER,
    TOP,
    devkit,
    found,
    read,
    rows,
    tree,
    val,
)
from likewise.errors import DataError

GROUND = "ILSVRC2015_clsloc_validation_ground_truth.txt"


@pytest.mark.parametrize(
    ("name", "data", "finding"),
    [
        (
            f"{TOP}train/{FOX}/{SETTER}_1.JPEG",
            b"",
            f"bad-name: {TOP}train/{FOX}/{SETTER}_1.JPEG",
        ),
        (f"{TOP}train/fox/1.JPEG", b"", f"bad-name: {TOP}train/fox/1.JPEG"),
        (f"{TOP}train/{FOX}/x.txt", b"", f"not-an-image: {TOP}train/{FOX}/x.txt"),
        (f"{TOP}val/.DS_Store", b"", f"not-an-image: {TOP}val/.DS_Store"),
        (f"{TOP}val/{val(2)}.png", b"", f"twice: {TOP}val/{val(2)}.png"),
        (f"{LISTS}val.txt", f"{val(1)} 1\n{val(9)} 9\n".encode(), f"dangling: {LISTS}val.txt"),
        (
            f"{LISTS}val.txt",
            f"{val(1)} 1\n{val(1)} 1\n".encode(),
            f"listed-twice: {LISTS}val.txt",
        ),
        (f"{LISTS}val.txt", b"a b c d\n", f"bad-annotation: {LISTS}val.txt: line 1"),
        (GROUND, b"429\n545\n", f"no-label: {TOP}val/{val(3)}.JPEG"),
        (GROUND, None, "no-label: val"),
        (
            "LOC_val_solution.csv",
            f"{val(1)},{FOX}\n".encode(),
            "contradiction: LOC_val_solution.csv",
        ),
        (
            "LOC_val_solution.csv",
            f"{val(1)},{CRANE}\n{val(2)},crane\n".encode(),
            "bad-annotation: LOC_val_solution.csv",
        ),
        (f"{TOP}train/n99999999/n99999999_1.JPEG", b"", "unknown-class: n99999999"),
    ],
)
def test_damage_is_a_finding(
    tmp_path: Path, name: str, data: bytes | None, finding: str
) -> None:
    content = tree()
    content.pop(name, None)
    if data is not None:
        content[name] = data
    reading = read(placed(tmp_path, content))
    assert finding in found(reading)
    assert len(set(reading.findings["check"])) == 1
    assert len(reading.items) == (9 if "n99999999" in name else 8)
    assert reading.findings["detail"].str.len_chars().max() < 250  # type: ignore[operator]


def test_a_ground_truth_line_that_is_not_a_class_is_reported(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, {**tree(), GROUND: b"429\n9999\nfox\n"}))
    assert found(reading) == [
        f"bad-annotation: {GROUND}",
        f"no-label: {TOP}val/{val(2)}.JPEG",
        f"no-label: {TOP}val/{val(3)}.JPEG",
    ]
    bare = tree()
    del bare["meta_clsloc.csv"]
    assert found(read(placed(tmp_path / "bare", bare))) == [
        f"bad-annotation: {GROUND}",
        "no-label: val",
    ]


def test_a_folder_and_the_ground_truth_that_differ_are_reported(tmp_path: Path) -> None:
    content = tree()
    content[f"{TOP}val/{FOX}/{val(1)}.JPEG"] = content.pop(f"{TOP}val/{val(1)}.JPEG")
    reading = read(placed(tmp_path, content))
    assert found(reading) == [f"contradiction: {TOP}val/{FOX}/{val(1)}.JPEG"]
    assert reading.items.filter(split="val", list_id=1)["label"].to_list() == [CRANE]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (
            "meta_clsloc.csv",
            b"id,wnid\n1,x\n",
            r"meta_clsloc\.csv is not a table of ImageNet's",
        ),
        ("meta_clsloc.csv", META.encode()[:120] + b"\xff", r"line \d+: not utf-8"),
        ("map_clsloc.txt", f"{FOX} one kit_fox".encode(), r"map_clsloc\.txt is not a table"),
        ("map_clsloc.txt", b"fox 1 kit_fox", "contains invalid WNIDs: 'fox'"),
        ("map_clsloc.txt", f"{FOX} 1 a\n{FOX} 2 b".encode(), f"repeats classes: {FOX}"),
        ("class_index.json", b"{", r"class_index\.json is not JSON"),
        ("class_index.json", b'{"0": 1}', r"class_index\.json is not a table"),
        ("class_index.json", b"[" * 100_000, r"class_index\.json .*levels of nesting"),
        ("meta.mat", devkit()[:500], r"meta\.mat is damaged or truncated"),
        ("meta.mat", b"MATLAB 5.0", r"meta\.mat is damaged or truncated"),
    ],
)
def test_tables_that_cannot_be_used_are_one_error(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    with pytest.raises(DataError, match=said) as error:
        read(placed(tmp_path, {**tree(), name: data}))
    assert "\n" not in str(error.value)


def test_a_damaged_tar_of_a_class_is_a_finding(tmp_path: Path) -> None:
    expected = read(placed(tmp_path / "whole", tree()))
    damaged = {**tree(), "train.tar": tarred({"n1.tar": b"x" * 700})}
    reading = read(placed(tmp_path / "damaged", damaged))
    assert reading.items.equals(expected.items)
    assert "refused: train.tar/n1.tar" in found(reading)


def test_nothing_of_the_layout_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image found; expected train/\{wnid\}"):
        read(placed(tmp_path, {"cat/1.jpg": b""}))


@settings(max_examples=40, deadline=None)
@given(
    data=st.dictionaries(
        st.sampled_from(
            [
                *(f"{LISTS}train_cls.txt", f"{LISTS}val.txt", "meta_clsloc.csv", GROUND),
                *("LOC_val_solution.csv", "map_clsloc.txt", "class_index.json", "meta.mat"),
                *("LOC_synset_mapping.txt", "mine.txt"),
            ]
        ),
        st.one_of(
            st.binary(max_size=80),
            st.text(max_size=60).map(str.encode),
            st.lists(
                st.sampled_from([FOX, CRANE, val(1), "1", ",", " ", "\n"]), max_size=20
            ).map(lambda words: "".join(words).encode()),
        ),
        max_size=4,
    )
)
def test_any_tables_give_a_reading_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, data: Tree
) -> None:
    top = placed(tmp_path_factory.mktemp("fuzz"), {**tree(), **data})
    with suppress(DataError):
        reading = read(top, subset="mine.txt") if "mine.txt" in data else read(top)
        assert reading.items["item_id"].is_unique().all()
        assert reading.findings["finding_id"].is_unique().all()


@settings(max_examples=30, deadline=None)
@given(
    names=st.lists(
        st.tuples(
            st.sampled_from(
                ["", "train/", "val/", "test/", f"train/{FOX}/", f"{FOX}.tar/", "a/"]
            ),
            st.one_of(
                st.sampled_from([f"{FOX}_1.JPEG", f"{val(3)}.JPEG", f"{CRANE}_1.jpg", "n.png"]),
                st.text("n0_.aV/", min_size=1, max_size=9).map(lambda n: n + ".JPEG"),
            ),
        ).map("".join),
        max_size=10,
    )
)
def test_any_names_give_a_reading_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    top = tmp_path_factory.mktemp("fuzz")
    for name in names:
        with suppress(OSError):  # a name that is a file in one place and a folder in another
            placed(top, {name: b""})
    with suppress(DataError):
        reading = read(top)
        assert reading.items["item_id"].is_unique().all()
        assert reading.items["split"].null_count() == 0
        for split, label in rows(reading, "split", "label"):
            assert label is not None or split != "train"
