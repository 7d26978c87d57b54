"""Files of annotation tools are read: LabelMe, VIA, CVAT, Label Studio, image folders."""

import json
from pathlib import Path
from typing import Any

import pytest

from layout_trees import checks, facts, read, tree
from likewise.errors import DataError

BOX = [10.0, 5.0, 30.0, 15.0]

LABELME: dict[str, list[list[float]]] = {
    "rectangle": [[30, 15], [10, 5]],
    "polygon": [[10, 5], [30, 5], [20, 15]],
    "circle": [[20, 10], [20, 15]],
    "linestrip": [[10, 15], [30, 5]],
}


@pytest.mark.parametrize("shape", LABELME)
def test_labelme(tmp_path: Path, shape: str) -> None:
    entry = {"shape_type": shape, "points": LABELME[shape], "label": "cat", "group_id": 3}
    document = {"shapes": [entry], "imagePath": "..\\images\\a.jpg", "imageData": "AAAA"}
    top = tree(tmp_path, {"notes/a.json": document}, "images/a.jpg")
    box = [15.0, 5.0, 25.0, 15.0] if shape == "circle" else BOX
    reading = read("labelme", top)
    assert facts(reading, "label", "box", "group_id") == {"images/a.jpg#1": ("cat", box, 3)}
    assert checks(reading) == []


def test_labelme_without_shapes_has_its_flag(tmp_path: Path) -> None:
    files = {
        "a.json": {"shapes": [], "imagePath": "a.jpg", "flags": {"cat": True, "dog": False}},
        "b.json": {"shapes": [{"points": [], "label": "x"}], "imagePath": "b.jpg"},
        "c.json": {"other": 1},
    }
    reading = read("labelme", tree(tmp_path, files, "a.jpg", "b.jpg"))
    assert facts(reading, "label") == {"a.jpg": "cat", "b.jpg": None}
    assert checks(reading) == ["bad-annotation", "bad-annotation"]


SHAPES: dict[str, dict[str, Any]] = {
    "rect": {"x": 10, "y": 5, "width": 20, "height": 10},
    "ellipse": {"cx": 20, "cy": 10, "rx": 10, "ry": 5},
    "polygon": {"all_points_x": [10, 30, 20], "all_points_y": [5, 10, 15]},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("version", [1, 2, "csv"])
def test_via(tmp_path: Path, shape: str, version: int | str) -> None:
    values = {"name": shape, **SHAPES[shape]}
    attributes = {"Class": "cat", "parts": {"tail": True, "ear": True, "wing": False}}
    region = {"shape_attributes": values, "region_attributes": attributes}
    image = {"filename": "a.jpg", "file_attributes": {"caption": "A cat."}}
    if version == "csv":
        cells = (json.dumps(value).replace('"', '""') for value in (values, attributes))
        head = "filename,region_shape_attributes,region_attributes,file_attributes\n"
        row = ",".join(f'"{cell}"' for cell in (*cells, '{""caption"": ""A cat.""}'))
        files: dict[str, object] = {"via.csv": f"{head}a.jpg,{row}\n"}
    elif version == 1:
        files = {"via.json": {"a.jpg7": {**image, "regions": {"0": region}}}}
    else:
        files = {"via.json": {"_via_img_metadata": {"a.jpg7": {**image, "regions": [region]}}}}
    reading = read("via", tree(tmp_path, files, "images/a.jpg"))
    expected = ("cat", BOX, "ear,tail", "A cat.")
    assert facts(reading, "label", "box", "parts", "text") == {"images/a.jpg#1": expected}
    chosen = read("via", tmp_path, label="parts")
    assert facts(chosen, "label") == {"images/a.jpg#1": "ear,tail"}


CVAT = {
    "box": 'xtl="10" ytl="5" xbr="30" ybr="15"',
    "box rotation": 'xtl="15" ytl="0" xbr="25" ybr="20" rotation="90"',
    "polygon": 'points="10.00,5.00;30.00,5.00;20.00,15.00"',
    "ellipse": 'cx="20" cy="10" rx="10" ry="5"',
    "mask": 'rle="1, 2" left="10" top="5" width="20" height="10"',
}


@pytest.mark.parametrize("shape", CVAT)
def test_cvat(tmp_path: Path, shape: str) -> None:
    kind = shape.partition(" ")[0]
    inside = '<attribute name="colour">red</attribute>'
    element = f'<{kind} label="cat" occluded="1" {CVAT[shape]}>{inside}</{kind}>'
    image = '<image id="0" name="sub/a.jpg" subset="Train" width="40" height="20">'
    text = f'<?xml version="1.0"?><annotations>{image}{element}</image></annotations>'
    reading = read("cvat", tree(tmp_path, {"annotations.xml": text}, "images/sub/a.jpg"))
    assert facts(reading, "label", "box", "split", "occluded", "colour") == {
        "images/sub/a.jpg#1": ("cat", BOX, "train", True, "red")
    }
    assert checks(reading) == []


def test_cvat_tags_and_tracks(tmp_path: Path) -> None:
    tags = '<image name="a.jpg"><tag label="indoor"/><tag label="dark"/></image>'
    text = f"<annotations>{tags}<track/><track/></annotations>"
    reading = read("cvat", tree(tmp_path, {"a.xml": text}, "a.jpg"))
    assert facts(reading, "label") == {"a.jpg": "indoor"}
    assert checks(reading) == ["bad-annotation", "bad-annotation"]
    with pytest.raises(DataError, match="its root is 'annotation'"):
        read("cvat", tree(tmp_path / "voc", {"a.xml": "<annotation/>"}, "a.jpg"))


def test_faults_of_cvat_are_findings(tmp_path: Path) -> None:
    turned = 'cx="20" cy="10" rx="10" ry="5" rotation="90"'
    shapes = (
        f'<ellipse label="cat" {turned}/><blob label="cat"/>'
        '<box label="cat" xtl="a" ytl="1" xbr="2" ybr="3"/><polygon label="cat" points="1"/>'
    )
    named = f'<image id="1" name="a.jpg" width="40" height="x">{shapes}</image>'
    text = f'<annotations>{named}<image id="2"/></annotations>'
    reading = read("cvat", tree(tmp_path, {"a.xml": text}, "a.jpg"))
    assert facts(reading, "label", "box") == {"a.jpg#1": ("cat", [15.0, 0.0, 25.0, 20.0])}
    details = dict(reading.findings.select("path", "detail").iter_rows())
    assert details.pop("a.xml: image 2") == "it has no name"
    assert details.pop("a.xml: a.jpg, blob 2") == "the shape 'blob' is unknown"
    assert details.pop("a.xml: a.jpg, box 2") == "its shape cannot be read: 'xtl'"
    assert list(details) == ["a.xml: a.jpg, polygon 2"]


def result(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "original_width": 40, "original_height": 20, "value": value}


STUDIO: dict[str, dict[str, Any]] = {
    "rectanglelabels": {"x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0},
    "polygonlabels": {"points": [[25, 25], [75, 25], [50, 75]]},
    "ellipselabels": {"x": 50, "y": 50, "radiusX": 25, "radiusY": 25},
}


@pytest.mark.parametrize("kind", STUDIO)
def test_labelstudio(tmp_path: Path, kind: str) -> None:
    shape = result(kind, {**STUDIO[kind], kind: ["cat"]})
    choice = {"type": "choices", "value": {"choices": ["indoor"]}}
    text = {"type": "textarea", "value": {"text": ["A cat."]}}
    first = {"id": 1, "was_cancelled": True, "result": []}
    second, third = {"id": 2, "result": [shape, choice, text]}, {"id": 3, "result": []}
    task = {"id": 7, "data": {"image": "/data/local-files/?d=in/a%20b.jpg", "split": "valid"}}
    tasks = [{**task, "annotations": [first, second, third]}]
    reading = read("labelstudio", tree(tmp_path, {"tasks.json": tasks}, "in/a b.jpg"))
    assert facts(reading, "label", "box", "image_label", "split", "text") == {
        "in/a b.jpg#1": ("cat", BOX, "indoor", "val", "A cat.")
    }
    assert checks(reading) == ["twin"]


def test_labelstudio_in_short(tmp_path: Path) -> None:
    value = result("", {})
    del value["value"], value["type"]
    shape = {**value, **STUDIO["rectanglelabels"], "rectanglelabels": ["cat"]}
    tasks = [{"image": "/data/upload/1/ab12-a.jpg", "id": 1, "label": [shape], "choice": "big"}]
    reading = read("labelstudio", tree(tmp_path, {"tasks.json": tasks}, "ab12-a.jpg"))
    assert facts(reading, "label", "box") == {"ab12-a.jpg#1": ("cat", BOX)}


def test_faults_of_labelstudio_are_findings(tmp_path: Path) -> None:
    results = [
        {"type": "choices", "value": {"choices": ["big", "small"]}},
        result("brushlabels", {"rle": [1], "brushlabels": ["cat"]}),
        result("keypointlabels", {"x": 5, "y": 5, "width": 1, "keypointlabels": ["cat"]}),
        {"type": "textarea", "value": {"text": "A cat."}},
    ]
    predicted = {"id": 3, "annotations": [], "predictions": [{}], "data": {"image": "b.jpg"}}
    tasks = [
        {"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": results}]},
        {"id": 2, "data": {"number": 1}, "annotations": []},
        {**predicted, "data": {"picture": "b.jpg"}},
        {"id": 4, "data": [1], "annotations": []},
    ]
    reading = read("labelstudio", tree(tmp_path, {"tasks.json": tasks}, "a.jpg", "b.jpg"))
    assert facts(reading, "label", "text") == {
        "a.jpg": ("big", "A cat."),
        "b.jpg": (None, None),
    }
    details = dict(reading.findings.select("path", "detail").iter_rows())
    assert details == {
        "tasks.json: task 1, brushlabels": (
            "it cannot be read: masks of the brush are not read; export them as COCO"
        ),
        "tasks.json: task 1, choice small": "its label is big already",
        "tasks.json: task 1, keypointlabels": "it cannot be read: a point has no area",
        "tasks.json: task 2": "it has no image; name its key by --option image=KEY",
        "tasks.json: task 3": "it has predictions only, which are not read",
        "tasks.json: task 4": "it has no image; name its key by --option image=KEY",
    }


@pytest.mark.parametrize(
    ("content", "options"),
    [("{", {}), ([], {}), ([{"data": {"image": "a.jpg"}}], {"image": "file"}), ({"a": 1}, {})],
)
def test_json_without_tasks_is_not_of_labelstudio(
    tmp_path: Path, content: object, options: dict[str, str]
) -> None:
    top = tree(tmp_path, {"tasks.json": content}, "a.jpg")
    with pytest.raises(DataError, match="Label Studio"):
        read("labelstudio", top, **options)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_image_folder(tmp_path: Path, suffix: str) -> None:
    boxes = {"bbox": [[10, 5, 20, 10]], "categories": ["cat"], "area": [200]}
    row = {"file_name": "a train.jpg", "label": "pet", "text": "A cat.", "year": 2020}
    if suffix == "csv":
        cell = json.dumps(boxes).replace('"', '""')
        text = f'file_name,label,text,year,objects\na train.jpg,pet,A cat.,2020,"{cell}"\n'
    else:
        text = json.dumps({**row, "objects": boxes})
    top = tree(tmp_path, {f"valid/metadata.{suffix}": text}, "valid/a train.jpg")
    reading = read("imagefolder", top)
    columns = ("label", "box", "image_label", "text", "split", "year", "area")
    expected = ("cat", BOX, "pet", "A cat.", "val", 2020, 200)
    assert facts(reading, *columns) == {"valid/a train.jpg#1": expected}
    assert checks(reading) == []
    corners = {"bbox": [[10, 5, 30, 15]], "categories": [1]}
    other = tree(tmp_path / "b", {"metadata.jsonl": json.dumps({**row, "objects": corners})})
    tree(other, {}, "a train.jpg")
    assert list(facts(read("imagefolder", other, bbox="xyxy"), "box").values()) == [BOX]


def test_folders_of_an_image_folder_are_labels_without_a_column(tmp_path: Path) -> None:
    rows = [{"a_file_name": "train/cat/1.jpg", "b_file_name": "x.jpg", "text": "A cat."}]
    top = tree(
        tmp_path, {"metadata.jsonl": "\n".join(map(json.dumps, rows))}, "train/cat/1.jpg"
    )
    values = facts(read("imagefolder", top), "label", "split", "text", "b_file_name")
    assert values == {"train/cat/1.jpg": ("cat", "train", "A cat.", "x.jpg")}


def test_lines_that_cannot_be_read_are_findings(tmp_path: Path) -> None:
    named = '{"file_name": "a.jpg"'
    lines = [f"{named}}}", "{", '{"label": "x"}', f'{named}, "objects": 3}}']
    reading = read("imagefolder", tree(tmp_path, {"metadata.jsonl": "\n".join(lines)}, "a.jpg"))
    assert checks(reading) == ["bad-annotation"] * 3
    assert reading.findings["detail"].str.contains("objects cannot be read").sum() == 1
