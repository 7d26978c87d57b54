"""Ordinary exports of VOC, YOLO, COCO, WebDataset and Parquet are read without loss."""

import io
import tarfile
import unicodedata
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layout_trees import checks, detail, facts, picture, read, tree
from likewise.errors import DataError

BOX = [10.0, 5.0, 30.0, 15.0]
FRACTIONS = [0.25, 0.25, 0.75, 0.75]
LINE = "0 0.5 0.5 0.5 0.5\n"


def voc(label: str = "cat", corners: str = "11 6 30 15", head: str = "") -> str:
    names = zip(("xmin", "ymin", "xmax", "ymax"), corners.split(), strict=True)
    box = "".join(f"<{name}>{value}</{name}>" for name, value in names)
    inside = f"<object><name>{label}</name><bndbox>{box}</bndbox></object>"
    return f"{head}<annotation>{inside}</annotation>"


def coco(images: list[dict[str, Any]], *annotations: dict[str, Any]) -> dict[str, Any]:
    numbered = [{"id": n, **image} for n, image in enumerate(images)]
    classes = [{"id": 1, "name": "cat", "supercategory": ""}, {"id": 2, "name": "dog"}]
    every = [{"id": n, "image_id": 0, **a} for n, a in enumerate(annotations, start=1)]
    return {"images": numbered, "annotations": every, "categories": classes}


def compressed(counts: list[int]) -> str:
    """Return the runs of a mask in the encoding of the COCO API (maskApi.c, rleToString)."""
    text = ""
    for number, count in enumerate(counts):
        value = count - counts[number - 2] if number > 2 else count
        more = True
        while more:
            code, value = value & 31, value >> 5
            more = value != (-1 if code & 16 else 0)
            text += chr((code | 32 if more else code) + 48)
    return text


def test_voc_has_the_splits_of_folders(tmp_path: Path) -> None:
    names = ("train/a_jpg.rf.1", "valid/b", "test/c")
    top = tree(tmp_path, {f"{n}.xml": voc() for n in names}, *(f"{n}.jpg" for n in names))
    assert list(facts(read("voc", top), "split", "box").values()) == [
        ("train", BOX),
        ("val", BOX),
        ("test", BOX),
    ]


def test_trainval_is_training_for_images_in_no_other_list(tmp_path: Path) -> None:
    lists = {"trainval": "scan 1\nscan 2\nscan  1\n", "val": "scan 2\n", "test": "scan -1\n"}
    files = {f"ImageSets/Main/{name}.txt": text for name, text in lists.items()}
    names = ("scan", "scan 1", "scan 2")
    files |= {f"Annotations/{name}.xml": voc() for name in names}
    reading = read("voc", tree(tmp_path, files, *(f"JPEGImages/{n}.jpg" for n in names)))
    assert facts(reading, "split") == {
        "JPEGImages/scan 1.jpg#1": "train",
        "JPEGImages/scan 2.jpg#1": "val",
        "JPEGImages/scan.jpg#1": "test",
    }
    assert "only in this list" in detail(reading, "split-name")


@pytest.mark.parametrize("encoding", ["GB2312", "gbk", "Shift_JIS", "windows-1251"])
def test_xml_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    label = "\u0430" if encoding == "windows-1251" else "\u6c34"
    text = voc(label, head=f'<?xml version="1.0" encoding="{encoding}"?>')
    top = tree(tmp_path, {"1.xml": text.encode(encoding)}, "1.jpg")
    assert facts(read("voc", top), "label") == {"1.jpg#1": label}


def test_a_corner_at_0_suggests_half_open_corners(tmp_path: Path) -> None:
    files = {"1.xml": voc(corners="0 0 40 20"), "2.xml": voc(corners="1 1 40 20")}
    top = tree(tmp_path, files, "1.jpg", "2.jpg")
    assert "corners=half-open" in detail(read("voc", top), "zero-corner")
    assert checks(read("voc", top, corners="half-open")) == []


def test_images_among_annotations_are_masks(tmp_path: Path) -> None:
    text = voc().replace("<object>", "<filename>a.jpg</filename><object>")
    files = {"annotations/xmls/a.xml": text}
    reading = read("voc", tree(tmp_path, files, "images/a.jpg", "annotations/trimaps/a.png"))
    assert facts(reading, "label") == {"images/a.jpg#1": "cat"}


ENTRIES: dict[str, dict[str, str]] = {
    "folders": {"data.yaml": "train: ../one/images\nval: two/images\nnc: 1\nnames: [a]\n"},
    "lists of folders": {"data.yaml": "path: .\ntrain: [one/images]\nval: [two]\nnames: [a]\n"},
    "lists": {
        "data.yaml": "train: sets/first.txt\nval: /x/sets/second.txt\nnames: {'0': a}\n",
        "sets/first.txt": "./one/images/1.jpg\n",
        "sets/second.txt": "C:\\data\\two\\images\\2.jpg\n",
    },
    "autosplit": {
        "data.yaml": "names: [a]\n",
        "autosplit_train.txt": "./one/images/1.jpg\n",
        "autosplit_val.txt": "./two/images/2.jpg\n",
    },
    "darknet": {
        "obj.names": "a\n",
        "train.txt": "data/one/images/1.jpg\n",
        "valid.txt": "data/two/images/2.jpg\n",
    },
}
"""Files that say which image is training and which is validation."""


@pytest.mark.parametrize("form", ENTRIES)
def test_yolo_has_the_splits_of_its_files(tmp_path: Path, form: str) -> None:
    labels = {"one/labels/1.txt": LINE, "two/labels/2.txt": LINE}
    top = tree(tmp_path, {**ENTRIES[form], **labels}, "one/images/1.jpg", "two/images/2.jpg")
    reading = read("yolo", top)
    assert facts(reading, "split", "label", "box") == {
        "one/images/1.jpg#1": ("train", "a", FRACTIONS),
        "two/images/2.jpg#1": ("val", "a", FRACTIONS),
    }
    assert checks(reading) == []


def test_entries_of_a_data_yaml_that_are_not_here_are_findings(tmp_path: Path) -> None:
    data = "train: images\nval: images\ntest: ../nowhere\nnames: [a]\n"
    top = tree(tmp_path, {"data.yaml": data, "labels/1.txt": LINE}, "images/1.jpg")
    reading = read("yolo", top)
    assert facts(reading, "split") == {"images/1.jpg#1": "train"}
    assert checks(reading) == ["dangling", "two-splits"]


def test_two_tables_of_classes_that_differ_are_a_finding(tmp_path: Path) -> None:
    files = {"classes.txt": "dog\n", "data.yaml": "names: [cat]\n", "labels/1.txt": LINE}
    top = tree(tmp_path, files, "images/1.jpg")
    reading = read("yolo", top)
    assert facts(reading, "label") == {"images/1.jpg#1": "dog"}
    assert "names=FILE" in detail(reading, "two-class-tables")
    chosen = read("yolo", top, names="data.yaml")
    assert facts(chosen, "label") == {"images/1.jpg#1": "cat"}
    assert checks(chosen) == []


@pytest.mark.parametrize("shape", [(2, 2), (4, 3), (17, 3)])
def test_boxes_with_keypoints_are_read_by_their_shape(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    point = "0.4 0.4 2" if shape[1] == 3 else "0.4 0.4"
    line = " ".join(["0 0.5 0.5 0.5 0.5", *[point] * shape[0]])
    files = {"data.yaml": f"kpt_shape: {list(shape)}\nnames: [a]\n", "labels/1.txt": line}
    reading = read("yolo", tree(tmp_path / "a", files, "images/1.jpg"))
    assert facts(reading, "box") == {"images/1.jpg#1": FRACTIONS}
    assert checks(reading) == []
    bare = tree(tmp_path / "b", {"labels/1.txt": line}, "images/1.jpg")
    doubt = read("yolo", bare)
    assert f"kpt_shape=[{shape[0]}, {shape[1]}]" in doubt.findings["detail"][0]
    told = read("yolo", bare, kpt_shape=shape)
    assert facts(told, "box") == {"images/1.jpg#1": FRACTIONS}


def test_polygons_and_oriented_boxes_have_bounds(tmp_path: Path) -> None:
    lines = "0 0.25 0.25 0.75 0.25 0.5 0.75\n0 0.5 0.25 0.75 0.5 0.5 0.75 0.25 0.5\n"
    reading = read("yolo", tree(tmp_path, {"labels/1.txt": lines}, "images/1.jpg"))
    assert set(map(tuple, facts(reading, "box").values())) == {tuple(FRACTIONS)}


def test_coco_without_boxes_has_labels_of_images(tmp_path: Path) -> None:
    document = coco([{"file_name": "train/1.jpg"}], {"category_id": 2}, {"category_id": 1})
    reading = read("coco", tree(tmp_path, {"a.json": document}, "train/1.jpg"))
    assert facts(reading, "label", "split", "box") == {"train/1.jpg": ("dog", "train", None)}
    assert checks(reading) == ["two-labels"]


@pytest.mark.parametrize(
    "segment",
    [
        [[10, 5, 30, 5, 30, 15, 10, 15]],
        [[10, 5, 12, 15, 30, 15]],
        {"size": [20, 40], "counts": [205, *[10, 10] * 19, 10, 205]},
        {"size": [20, 40], "counts": compressed([205, *[10, 10] * 19, 10, 205])},
    ],
)
def test_coco_with_segments_only_has_their_bounds(tmp_path: Path, segment: object) -> None:
    document = coco([{"file_name": "1.jpg"}], {"category_id": 1, "segmentation": segment})
    reading = read("coco", tree(tmp_path, {"a.json": document}, "1.jpg"))
    assert facts(reading, "box") == {"1.jpg#1": BOX}


def test_captions_are_texts(tmp_path: Path) -> None:
    document = coco([{"file_name": "1.jpg"}], {"caption": "A cat."}, {"caption": "An animal."})
    reading = read("coco", tree(tmp_path, {"captions_val2017.json": document}, "1.jpg"))
    assert facts(reading, "text", "split", "captions") == {
        "1.jpg": ("A cat.", "val", ["A cat.", "An animal."])
    }
    assert checks(reading) == []


def test_attributes_addresses_and_licences_of_coco(tmp_path: Path) -> None:
    image = {"coco_url": "http://images.org/train2017/1.jpg", "license": [1, 2]}
    box = {"category_id": 1, "bbox": [10, 5, 20, 10]}
    further = {"attributes": {"track": 7, "colour": "red", "occluded": False, "area": "x"}}
    licences = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    document = {**coco([image], {**box, **further}), "licenses": licences}
    reading = read("coco", tree(tmp_path, {"a.json": document}, "train2017/1.jpg"))
    values = facts(reading, "box", "track", "colour", "occluded", "given_area", "licence")
    assert values == {"train2017/1.jpg#1": (BOX, 7, "red", False, "x", "a AND b")}
    assert reading.items["supercategory"].to_list() == [None]


def test_shares_are_suggested_and_read(tmp_path: Path) -> None:
    document = coco(
        [{"file_name": "1.jpg"}], {"category_id": 1, "bbox": [0.25, 0.25, 0.5, 0.5]}
    )
    top = tree(tmp_path, {"a.json": document}, "1.jpg")
    assert "unit=shares" in detail(read("coco", top), "box-unit")
    reading = read("coco", top, unit="shares")
    assert (reading.box_unit, checks(reading)) == ("fractions", [])


def test_files_next_to_instances_are_reported(tmp_path: Path) -> None:
    document = coco([{"file_name": "1.jpg"}], {"category_id": 1, "bbox": [10, 5, 20, 10]})
    files = {"instances_val.json": document, "captions_val.json": document}
    top = tree(tmp_path, files, "1.jpg")
    assert checks(read("coco", top)) == ["unread-file"]
    assert checks(read("coco", top, documents="instances_*.json")) == []
    with pytest.raises(DataError, match=r"expected lvis_\*\.json"):
        read("coco", top, documents="lvis_*.json")


REFERENCES = {
    "H:\\sets\\mine\\images\\3.jpg": "images/3.jpg",
    "/home/me/images/3.jpg": "images/3.jpg",
    "data/images/3.jpg": "images/3.jpg",
    "http://host/data/local-files/?d=images/3.jpg": "images/3.jpg",
    "https://host/images/3.jpg?alt=media": "images/3.jpg",
    "images/38%20%28HD%29.jpg": "images/38 (HD).jpg",
    unicodedata.normalize("NFD", "caf\u00e9.jpg"): "images/caf\u00e9.jpg",
}
"""References as tools write them -> the image."""


@pytest.mark.parametrize("reference", REFERENCES)
def test_references_are_found_by_their_unique_end(tmp_path: Path, reference: str) -> None:
    document = coco([{"file_name": reference}], {"category_id": 1, "bbox": [10, 5, 20, 10]})
    top = tree(tmp_path, {"a.json": document}, *set(REFERENCES.values()))
    reading = read("coco", top, unlisted="drop")
    assert facts(reading, "box") == {f"{REFERENCES[reference]}#1": BOX}
    assert checks(reading) == []


def test_a_file_name_alone_is_a_note_and_never_in_another_split(tmp_path: Path) -> None:
    images = [{"file_name": "upload/5/a.jpg"}, {"file_name": "val/b.jpg"}]
    top = tree(tmp_path, {"a.json": coco(images)}, "pictures/a.jpg", "train/b.jpg")
    assert checks(read("coco", top)) == ["by-name", "dangling"]


def shard(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def test_samples_whose_names_have_dots(tmp_path: Path) -> None:
    image = picture()
    members = {
        **dict.fromkeys(("22.05.jpg", "22.06.jpg", "23.left.jpg", "23.right.jpg"), image),
        "22.05.cls": b"5",
        "22.06.cls": b"6",
        "23.cls": b"7",
        "23.right.txt": b"right",
    }
    reading = read("webdataset", tree(tmp_path, {"train-0.tar": shard(members)}))
    names = ("22.05", "22.06", "23.left", "23.right")
    expected = [("5", None), ("6", None), ("7", None), ("7", "right")]
    assert facts(reading, "label", "text") == {
        f"train-0.tar/{name}.jpg": values for name, values in zip(names, expected, strict=True)
    }
    assert checks(reading) == []


IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def parquet(rows: list[dict[str, Any]], **types: pa.DataType) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(list(types.items()))), stream)
    return stream.getvalue()


def test_large_integers_of_parquet_stay(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"image": {"bytes": picture()}, "hash": 2**63 + 5},
        {"image": None, "hash": 12},
    ]
    data = parquet(rows, image=IMAGE, hash=pa.uint64())
    reading = read("parquet", tree(tmp_path, {"train.parquet": data}))
    assert reading.items["hash"].to_list() == [str(2**63 + 5), "12"]


def test_further_images_of_parquet_are_findings_and_options(tmp_path: Path) -> None:
    cell = {"bytes": picture(), "path": "a.jpg"}
    row: dict[str, Any] = {"mask": cell, "image": cell, "views": [cell], "label": "x"}
    types = {"mask": IMAGE, "image": IMAGE, "views": pa.list_(IMAGE), "label": pa.string()}
    top = tree(tmp_path, {"train.parquet": parquet([row], **types)})
    reading = read("parquet", top)
    assert facts(reading, "label") == {"train.parquet/00000000.jpg": "x"}
    assert checks(reading) == ["left-out", "left-out"]
    assert "image=mask" in detail(reading, "left-out")
    chosen = read("parquet", top, image="mask")
    assert "image=image" in detail(chosen, "left-out")


def test_cells_of_parquet_may_name_images(tmp_path: Path) -> None:
    rows = [{"photo": {"bytes": None, "path": "images/1.jpg"}, "label": "x"}]
    data = parquet(rows, photo=IMAGE, label=pa.string())
    reading = read("parquet", tree(tmp_path, {"train.parquet": data}, "images/1.jpg"))
    assert facts(reading, "label", "split") == {"images/1.jpg": ("x", "train")}


def test_formats_that_are_not_read_are_named(tmp_path: Path) -> None:
    files = {"a/2.jxl": b"x", "a/3.svg": b"x", "a/noname": b"x"}
    reading = read("folder", tree(tmp_path, files, "a/1.jpg", "b/1.jpg"))
    assert checks(reading) == ["not-an-image"] * 3
    assert "JPEG XL" in detail(reading, "not-an-image")
    with pytest.raises(Exception, match=r"without a suffix.*JPEG XL"):
        read("folder", tree(tmp_path / "none", files))


def test_no_item_is_lost(tmp_path: Path) -> None:
    """Every label file, entry and image is in the items or in the findings."""
    files = {"labels/1.txt": LINE, "labels/2.txt": "0 0.5\n", "labels/3.txt": LINE}
    reading = read("yolo", tree(tmp_path, files, "images/1.jpg", "images/2.jpg"))
    assert reading.items["item_id"].to_list() == ["images/1.jpg#1", "images/2.jpg"]
    assert reading.findings.select(pl.col("path").sort())["path"].to_list() == [
        "labels/2.txt: line 1",
        "labels/3.txt",
    ]
