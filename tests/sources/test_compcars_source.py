"""CompCars: every car is read from paths, label files, tables and lists."""

import re
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

from archives import placed
from compcars_tree import SPLITS, found, read, tree
from likewise.errors import ConfigError, DataError
from likewise.sources.compcars.compcars_source import CompCarsSource


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
        # 12 23 245 234, counted from 1, inclusive
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


def test_explanations_may_be_elsewhere(tmp_path: Path) -> None:
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


def test_the_archive_as_it_is_handed_out_needs_its_password(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for name, data in tree().items():
            archive.writestr(name, data)
    packed = bytearray((tmp_path / "data.zip").read_bytes())
    for at in [hit.start() for hit in re.finditer(rb"PK\x01\x02", packed)]:
        packed[at + 8] |= 1  # the flag for encryption
    (tmp_path / "data.zip").write_bytes(packed)
    said = f"refused: {len(tree())} members, the first because: it is encrypted"
    with pytest.raises(DataError, match=said):
        read(tmp_path / "data.zip")


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


def test_the_systems_own_runs_are_written_where_they_have_data(tmp_path: Path) -> None:
    content = tree()
    items = read(placed(tmp_path / "both", content)).items
    small = {"min_images_per_class": 1}  # no class has 58 front images
    assert CompCarsSource.runs(items) == {
        "compcars-mips": small,
        "compcars-lopq": small,
        "compcars-strict": small,
        "verification-easy": {},
    }
    web = {path: data for path, data in content.items() if not path.startswith("sv_data")}
    alone = read(placed(tmp_path / "web", web)).items
    assert list(CompCarsSource.runs(alone)) == ["leave-one-out", "verification-easy"]
    front = items.filter(viewpoint="front", role="gallery").head(1)
    large = pl.concat([items, *[front] * 57])
    assert CompCarsSource.runs(large)["compcars-mips"] == {}
