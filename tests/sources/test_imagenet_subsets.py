"""Subsets of ImageNet's classes: shipped lists, user lists, and invalid lists."""

import hashlib
from pathlib import Path

import pytest

from archives import placed, tarred
from imagenet_tree import (
    CRANE,
    FOX,
    LIFT,
    TOP,
    read,
    rows,
    tree,
)
from likewise.errors import ConfigError, DataError, UnknownNameError


def test_the_order_of_a_subsets_list_is_that_of_its_labels(tmp_path: Path) -> None:
    top = placed(tmp_path, {**tree(), "mine.txt": f"{LIFT}\r\n\r\n{CRANE}\r\n".encode()})
    reading = read(top, subset="mine.txt")
    assert rows(reading, "split", "label", "class_index", "subset", "list_id") == [
        ("train", CRANE, 1, "mine", 1),
        ("train", LIFT, 0, "mine", 5),
        ("val", CRANE, 1, "mine", 1),
        ("val", LIFT, 0, "mine", 2),
    ]
    assert reading.findings.select("path", "check").rows() == [
        (f"{top}/mine.txt: line 2", "bad-annotation")
    ]
    digest = hashlib.sha256(f"{LIFT}\n{CRANE}".encode()).hexdigest()
    assert read(top, subset="mine.txt", subset_sha256=digest).items.equals(reading.items)
    with pytest.raises(ConfigError, match=f"that of 'mine' is {digest}"):
        read(top, subset="mine.txt", subset_sha256="0" * 64)
    with pytest.raises(ConfigError, match="subset is missing"):
        read(top, subset_sha256=digest)


@pytest.mark.parametrize("place", ["lists", "lists/mine.txt", "lists.tar"])
def test_a_list_of_ones_own_may_be_anywhere(tmp_path: Path, place: str) -> None:
    top = placed(tmp_path / "data", tree())
    own = {"mine.txt": f"{LIFT}\n{CRANE}\n".encode()}
    placed(tmp_path / "lists", own)
    (tmp_path / "lists.tar").write_bytes(tarred(own))
    reading = read(top, tmp_path / place, subset="mine.txt")
    assert reading.findings.is_empty()
    assert rows(reading, "label", "class_index", "text") == [
        (CRANE, 1, "crane"),
        (LIFT, 0, "crane"),
        (CRANE, 1, "crane"),
        (LIFT, 0, "crane"),
    ]
    broken = placed(tmp_path / "broken", {"map_clsloc.txt": b"x"})
    with pytest.raises(DataError, match=f"{broken}/map_clsloc.txt: line 1: it has 1 field,"):
        read(top, broken)


UNKNOWN = "n99999999"


@pytest.mark.parametrize("option", [{}, {"subset": "mine.txt"}])
def test_a_list_as_annotations_selects_its_classes(
    tmp_path: Path, option: dict[str, str]
) -> None:
    top = placed(tmp_path / "data", tree())
    text = f"{LIFT}\n\n{UNKNOWN}\nlift\n{CRANE}\n"
    placed(tmp_path, {"mine.txt": text.encode()})
    reading = read(top, tmp_path / "mine.txt", **option)
    assert rows(reading, "split", "label", "class_index", "subset") == [
        ("train", CRANE, 2, "mine"),
        ("train", LIFT, 0, "mine"),
        ("val", CRANE, 2, "mine"),
        ("val", LIFT, 0, "mine"),
    ]
    where = f"{tmp_path}/mine.txt"
    assert sorted(reading.findings.select("path", "check").rows()) == [
        (f"{where}: line 2", "bad-annotation"),
        (f"{where}: line 4", "bad-annotation"),
        (UNKNOWN, "no-images"),
        (UNKNOWN, "unknown-class"),
    ]
    assert "blank" in reading.findings.filter(path=f"{where}: line 2")["detail"][0]


def test_a_file_that_is_neither_list_nor_table_is_an_error(tmp_path: Path) -> None:
    top = placed(tmp_path / "data", tree())
    placed(tmp_path, {"names.txt": b"kit fox\ncrane\n"})
    with pytest.raises(DataError, match=r"names\.txt is not a list of WNIDs.*'kit fox'"):
        read(top, tmp_path / "names.txt")


def test_shipped_subsets_are_the_ones_that_papers_use(tmp_path: Path) -> None:
    placed(tmp_path, {f"{TOP}train/n02701002/n02701002_1.JPEG": b""})  # ambulance is in both
    for name, count, label, digest in (
        (
            "imagenet30",
            30,
            2,
            "ea01557b5794836b80b3d914759e3465d3b97245bc6c031559f072829f036538",
        ),
        (
            "imagenet100",
            100,
            48,
            "b06db93f7ac2851ef476c162d6c4cbba17197be0269c88005add46486f682cb0",
        ),
    ):
        reading = read(tmp_path, subset=name, subset_sha256=digest)
        assert rows(reading, "subset", "class_index") == [(name, label)]
        assert set(reading.findings["check"]) == {"no-images"}
        assert len(reading.findings) == count - 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"kit_fox\n", "not a list of WNIDs, one per line such as n02119789: 'kit_fox'"),
        (b"n0211978\n", "not a list of WNIDs"),
        (f"{FOX}\n{CRANE}\n{FOX}\n".encode(), f"repeats classes.*: {FOX}"),
        (b"\xff\xfe\x00", "not utf-16"),
        (b"n01440764\n", "has no image of the 1 class of 'mine.txt'"),
    ],
)
def test_a_subset_that_is_not_a_list_is_one_error(
    tmp_path: Path, data: bytes, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        read(placed(tmp_path, {**tree(), "mine.txt": data}), subset="mine.txt")


def test_a_subset_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    placed(tmp_path, tree())
    with pytest.raises(UnknownNameError, match="did you mean 'imagenet100'"):
        read(tmp_path, subset="imagenet10")
    placed(tmp_path, {"a/l.txt": b"", "b/l.txt": b""})
    with pytest.raises(DataError, match=r"several files l\.txt: a/l\.txt, b/l\.txt"):
        read(tmp_path, subset="l.txt")
