"""In every layout, an image whose boxes are all outside becomes a whole-image item."""

import io
import json
import pickle  # noqa: TID251 (what the published files are)
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from likewise.sources import SOURCES
from likewise.sources.box_bounds import clip_boxes

SIZE = (40, 30)
FAR = (50, 5, 60, 9)
"""A box outside an image of 40 x 30 pixels."""
WNID = "n02119789"
LABELLED: dict[str, Any] = {"label": "owl", "place": "Riga"}


def voc_xml(*boxes: tuple[int, ...]) -> str:
    inside = "".join(
        f"<object><name>{WNID}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax>"
        f"<ymax>{d}</ymax></bndbox></object>"
        for a, b, c, d in boxes
    )
    return f"<annotation><filename>x</filename>{inside}</annotation>"


def coco() -> str:
    boxes = [{"id": n, "image_id": 7, "category_id": 1, "bbox": [50, 5 + n, 10, 4]}
             for n in range(2)]  # fmt: skip
    image = {"id": 7, "file_name": "a.jpg", "license": 3}
    return json.dumps({
        "licenses": [{"id": 3, "name": "CC BY 4.0"}],
        "images": [image],
        "annotations": boxes,
        "categories": [{"id": 1, "name": "owl"}],
    })  # fmt: skip


def table() -> bytes:
    stream = io.BytesIO()
    boxes = dict(zip(("x1", "y1", "x2", "y2"), map(float, FAR), strict=True))
    rows = [{"path": "a.jpg", **LABELLED}, {"path": "a.jpg", "label": "beak", **boxes}]
    columns = ["path", *LABELLED, *boxes]
    pq.write_table(pa.Table.from_pylist([{c: r.get(c) for c in columns} for r in rows]), stream)
    return stream.getvalue()


OUTSIDE_RESULT = {
    "original_width": 40,
    "original_height": 20,
    "value": {"x": 125, "y": 25, "width": 25, "height": 20, "rectanglelabels": ["beak"]},
}
OWL_RESULT = {"value": {"choices": ["owl"]}}


def truth() -> bytes:
    entry = {"bbx": [50.0, 5.0, 60.0, 9.0], "easy": [0], "hard": [], "junk": []}
    return pickle.dumps({"imlist": ["b"], "qimlist": ["a_1"], "gnd": [entry]}, protocol=2)


ENTRY = {
    **LABELLED,
    "licence": "CC-BY-4.0",
    "boxes": [{"box": FAR}, {"box": [-9, 0, -1, 9], "label": "beak"}],
}
IN_CLASS = f"Data/CLS-LOC/train/{WNID}/{WNID}_1.JPEG"
Said = dict[str, object]

OUTSIDE: dict[str, tuple[str, dict[str, str | bytes], dict[str, Any], Said]] = {
    "coco": (
        "a.jpg",
        {"annotations/instances_train.json": coco()},
        {},
        {"label": None, "split": "train", "licence": "CC BY 4.0", "area": None},
    ),
    "compcars": (
        "data/image/1/3/2014/a.jpg",
        {"data/label/1/3/2014/a.txt": "2\n1\n51 6 60 9\n"},
        {},
        {
            "label": "3",
            "year": "2014",
            "viewpoint": "rear",
            "item_id": "data/image/1/3/2014/a.jpg#1",
        },
    ),
    "csv": (
        "a.jpg",
        {
            "boxes.csv": "path,label,place,x1,y1,x2,y2\n"
            "a.jpg,owl,Riga,,,,\na.jpg,beak,,50,5,60,9\n"
        },
        {},
        LABELLED,
    ),
    "fissp": (
        "train/birds/owl/a.jpg",
        {"annotations/a.jsonl": json.dumps({"path": "a.jpg", **ENTRY, "label": "birds/owl"})},
        {},
        {"label": "birds/owl", "subset": "birds", "split": "train", "place": "Riga"},
    ),
    "imagenet": (
        IN_CLASS,
        {
            f"Annotations/CLS-LOC/train/{WNID}/{WNID}_1.xml": voc_xml(FAR),
            "map_clsloc.txt": f"{WNID} 1 kit_fox\n",
        },
        {"items": "boxes"},
        {"label": WNID, "text": "kit_fox", "class_index": 0, "devkit_id": 1},
    ),
    "parquet": ("a.jpg", {"train.parquet": table()}, {}, {**LABELLED, "split": "train"}),
    "roxford5k": (
        "jpg/a_1.jpg",
        {"gnd_roxford5k.pkl": truth(), "jpg/b.jpg": b""},
        {},
        {"label": "a", "role": "query", "item_id": "jpg/a_1.jpg#1", "easy": ["jpg/b.jpg"]},
    ),
    "voc": (
        "JPEGImages/a.jpg",
        {"Annotations/a.xml": voc_xml(FAR, (51, 1, 60, 2)), "ImageSets/Main/val.txt": "a\n"},
        {},
        {"label": None, "split": "val"},
    ),
    "webdataset": (
        "train/a.jpg",
        {"train/a.json": json.dumps({**ENTRY, "label": None}), "train/a.cls": "owl"},
        {},
        {"label": "owl", "licence": "CC-BY-4.0", "split": "train"},
    ),
    "cvat": (
        "val/a.jpg",
        {
            "a.xml": '<annotations><image name="val/a.jpg"><tag label="owl"/>'
            '<box label="beak" xtl="50" ytl="5" xbr="60" ybr="9"/></image></annotations>'
        },
        {},
        {"label": "owl", "split": "val"},
    ),
    "imagefolder": (
        "val/a.jpg",
        {
            "val/metadata.jsonl": json.dumps(
                {"file_name": "a.jpg", **LABELLED, "objects": {"bbox": [[50, 5, 10, 4]]}}
            )
        },
        {},
        {**LABELLED, "split": "val"},
    ),
    "labelme": (
        "val/a.jpg",
        {"val/a.json": json.dumps({"shapes": [{"points": [[50, 5], [60, 9]]}]})},
        {},
        {"label": None, "split": "val"},
    ),
    "labelstudio": (
        "val/a.jpg",
        {
            "a.json": json.dumps(
                [
                    {
                        "data": {"image": "val/a.jpg"},
                        "annotations": [{"result": [OUTSIDE_RESULT, OWL_RESULT]}],
                    }
                ]
            )
        },
        {},
        {"label": "owl", "split": "val"},
    ),
    "via": (
        "val/a.jpg",
        {
            "a.json": json.dumps(
                {
                    "a": {
                        "filename": "a.jpg",
                        "file_attributes": {"place": "Riga"},
                        "regions": [
                            {"shape_attributes": {"x": 50, "y": 5, "width": 9, "height": 4}}
                        ],
                    }
                }
            )
        },
        {},
        {"label": None, "split": "val"},
    ),
    "yolo": (
        "images/val/a.jpg",
        {"labels/val/a.txt": "0 1.5 0.5 0.2 0.2\n"},
        {},
        {"label": None, "split": "val"},
    ),
}
"""Image, annotations, options, and the expected whole-image item."""


def settled(kind: str, top: Path, options: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the items and findings of ``top``, where all images have ``SIZE``."""
    source = SOURCES.build({"kind": kind, **options}, "card")
    reading = source.read(source.open(top), top)
    paths = reading.items["image_id"].unique().to_list()
    columns = ("image_id", "width", "height", "orientation")
    facts = pl.DataFrame([(path, *SIZE, 1) for path in paths], columns, orient="row")
    return clip_boxes(reading.items, reading, facts)


def test_every_layout_of_boxes_is_here() -> None:
    # rparis6k has the layout of roxford5k, and table that of csv. The image of a query of
    # good-ok-junk is an item of the gallery in any case.
    without = {"folder", "good-ok-junk", "gpr1200", "pattern", "qrels", "rparis6k", "sketch"}
    without |= {"table"}
    assert {*OUTSIDE, *without} == set(SOURCES.kinds())


@pytest.mark.parametrize("kind", OUTSIDE)
def test_an_image_keeps_what_it_is(tmp_path: Path, kind: str) -> None:
    image, notes, options, expected = OUTSIDE[kind]
    for name, data in {image: b"", **notes}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    items, findings = settled(kind, tmp_path, options)
    found = items.filter(image_id=image).row(0, named=True)
    assert items.filter(image_id=image).height == 1
    assert found["box"] is None
    wanted = {"item_id": image, **expected}
    assert {name: found[name] for name in wanted} == wanted
    outside = findings.filter(check="box-outside")["path"].to_list()
    assert outside
    assert all(name.startswith(f"{image}#") for name in outside)


@pytest.mark.parametrize("kind", ["coco", "csv", "imagenet", "yolo"])
def test_unboxed_images_are_dropped_where_that_is_asked(tmp_path: Path, kind: str) -> None:
    image, notes, options, _ = OUTSIDE[kind]
    for name, data in {image: b"", **notes}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    items, findings = settled(kind, tmp_path, {**options, "unboxed": "drop"})
    assert items.is_empty()
    assert "box-outside" in set(findings["check"])


def test_a_class_of_the_image_and_classes_of_its_boxes_are_both_kept(tmp_path: Path) -> None:
    entry = {"label": "owl", "boxes": [{"box": [1, 1, 9, 9], "label": "beak"}]}
    for name, content in (("a.json", json.dumps(entry)), ("a.jpg", ""), ("b.jpg", "")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "b.cls").write_text("owl", encoding="utf-8")
    items, _ = settled("webdataset", tmp_path, {})
    told = items.select("item_id", "label", "image_label").rows()
    assert told == [("a.jpg#1", "beak", "owl"), ("b.jpg", "owl", "owl")]
    del entry["boxes"][0]["label"]  # type: ignore[attr-defined]
    (tmp_path / "a.json").write_text(json.dumps(entry), encoding="utf-8")
    same, _ = settled("webdataset", tmp_path, {})
    assert same["label"].to_list() == ["owl", "owl"]
    assert "image_label" not in same.columns


@pytest.mark.parametrize(
    ("address", "name", "expected"),
    [
        ("http://creativecommons.org/licenses/by-nc-sa/2.0/", "x", "CC-BY-NC-SA-2.0"),
        ("https://creativecommons.org/licenses/by/4.0/deed.de", "x", "CC-BY-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "x", "CC0-1.0"),
        ("http://flickr.com/commons/usage/", "No known copyright", "No known copyright"),
        (None, "Attribution License", "Attribution License"),
    ],
)
def test_licences_are_known_by_their_addresses(
    tmp_path: Path, address: str | None, name: str, expected: str
) -> None:
    told = json.loads(coco())
    told["licenses"] = [{"id": 3, "name": name, "url": address}]
    (tmp_path / "a.json").write_text(json.dumps(told), encoding="utf-8")
    (tmp_path / "a.jpg").write_bytes(b"")
    items, _ = settled("coco", tmp_path, {})
    assert items["licence"].to_list() == [expected]


def test_others_stay_in_their_places(tmp_path: Path) -> None:
    rows = ["a,1,1,2,2", "b,50,5,60,9", "b,-9,0,-1,9", "c,50,5,60,9", "c,1,1,2,2", "d,,,,"]
    lines = ["path,x1,y1,x2,y2", *(f"{row[0]}.jpg{row[1:]}" for row in rows)]
    (tmp_path / "boxes.csv").write_text("\n".join(lines), encoding="utf-8")
    for name in "abcd":
        (tmp_path / f"{name}.jpg").write_bytes(b"")
    items, findings = settled("csv", tmp_path, {})
    assert items["item_id"].to_list() == ["a.jpg#1", "b.jpg", "c.jpg#2", "d.jpg"]
    assert findings["path"].to_list() == ["b.jpg#1", "b.jpg#2", "c.jpg#1"]
