"""Tables that are joined by keys: nothing is lost, and well-known layouts are ten lines."""

import io
from typing import Any

import numpy as np
import pytest
import scipy.io

from memory_files import CUB, boxes, findings, images, read_memory, rows

CUB_OPTIONS: dict[str, Any] = {
    "tables": (
        "images.txt(id image); image_class_labels.txt(id class) on id; "
        "classes.txt(class label) on class; train_test_split.txt(id split) on id; "
        "bounding_boxes.txt(id x1 y1 w h) on id"
    ),
    "values": "split: 1=train 0=test",
}


def test_five_tables_of_one_data_set() -> None:
    result = read_memory("table", CUB, **CUB_OPTIONS)
    assert rows(result, "label", "split") == {
        "images/001.A/A_1.jpg#1": ["001.A", "test"],
        "images/001.A/A_2.jpg#1": ["001.A", "train"],
        "images/200.B/B_1.jpg#1": ["200.B", "train"],
    }
    assert boxes(result)["images/001.A/A_1.jpg#1"] == [6, 2, 31, 13]
    assert findings(result) == {
        "unjoined: classes.txt": "1 of 3 rows have a key that no row has: 201"
    }


def test_the_form_in_yaml_equals_the_short_form() -> None:
    tables = [
        {"file": "images.txt", "columns": ["id", "image"]},
        {"file": "image_class_labels.txt", "columns": ["id", "class"], "on": "id"},
        {"file": "classes.txt", "columns": ["number", "label"], "on": {"class": "number"}},
        {"file": "train_test_split.txt", "columns": ["id", "split"], "on": {"id": "id"}},
        {"file": "bounding_boxes.txt", "columns": ["id", "x1", "y1", "w", "h"], "on": "id"},
    ]
    long = read_memory("table", CUB, tables=tables, values={"split": {1: "train", 0: "test"}})
    short = read_memory("table", CUB, **CUB_OPTIONS)
    assert long.items.equals(short.items)


def joined(left: str, right: str, **table: Any) -> Any:
    files = {**images("a.jpg", "b.jpg", "c.jpg"), "l.csv": left, "r.csv": right}
    return read_memory("table", files, tables=["l.csv", {"file": "r.csv", "on": "id", **table}])


LEFT = "id,image\n1,a.jpg\n2,b.jpg\n3,c.jpg\n"


def test_every_row_of_a_joined_table_is_in_the_items_or_the_findings() -> None:
    result = joined(LEFT, "id,label\n1,x\n1,y\n,z\n4,u\n5,v\n2,\n1,x\n")
    assert rows(result, "label") == {"a.jpg": "x", "b.jpg": None, "c.jpg": None}
    assert findings(result) == {
        "twin: r.csv: line 3": "a row before it has the same key; many: true reads both",
        "bad-row: r.csv: line 4": "it has no key",
        "unjoined: r.csv": "2 of 4 rows have a key that no row has: 4, 5",
        "unjoined: l.csv with r.csv": "1 of 3 rows have no row in r.csv: l.csv: line 4",
    }


def test_several_boxes_have_one_key() -> None:
    result = joined(LEFT, "id,x1,y1,x2,y2,kind\n1,1,2,3,4,p\n1,2,2,3,4,q\n2,1,2,3,4,r\n")
    assert rows(result, "kind") == {
        "a.jpg#1": "p",
        "a.jpg#2": "q",
        "b.jpg#1": "r",
        "c.jpg": None,
    }
    result = joined(LEFT, "id,text\n1,one\n1,two\n", many=True)
    assert rows(result, "captions")["a.jpg"] == ["one", "two"]
    result = joined(LEFT, "id,x1,y1,x2,y2\n1,1,2,3,4\n1,2,2,3,4\n", many=False)
    assert "twin: r.csv: line 3" in findings(result)


def test_a_column_of_two_tables_is_completed_and_differences_are_findings() -> None:
    left = "id,image,label\n1,a.jpg,x\n2,b.jpg,\n3,c.jpg,z\n"
    result = joined(left, "id,label\n1,y\n2,y\n3,z\n")
    assert rows(result, "label") == {"a.jpg": "x", "b.jpg": "y", "c.jpg": "z"}
    assert "1 row has another label" in findings(result)["two-values: r.csv: label"]


def test_the_lists_of_two_splits_count_as_one_table() -> None:
    files = {
        **images("a.jpg", "b.jpg", "c.jpg"),
        "l.csv": LEFT,
        "tr.txt": "1\n",
        "te.txt": "2\n",
    }
    tables: list[Any] = ["l.csv"]
    for name, split in (("tr.txt", "train"), ("te.txt", "test")):
        constants = {"split": split}
        tables.append({"file": name, "columns": "id", "on": "id", "constants": constants})
    result = read_memory("table", files, tables=tables)
    assert rows(result, "split") == {"a.jpg": "train", "b.jpg": "test", "c.jpg": None}
    assert findings(result) == {
        "unjoined: l.csv with tr.txt and te.txt": (
            "1 of 3 rows have no row in tr.txt and te.txt: l.csv: line 4"
        )
    }


def test_tables_of_rows_are_stacked_and_one_may_lack_a_key() -> None:
    files = {
        **images("train/a.jpg", "index/b.jpg", "test/c.jpg"),
        "train.csv": "id,url,landmark_id\na,http://x,7\n",
        "index.csv": "id,landmark_id\nb,7\n",
        "solution.csv": "id,images,Usage\nc,b,Private\n",
        "names.csv": "landmark_id,category\n7,Tower\n",
    }
    columns = {"id": "image", "landmark_id": "label"}
    tables = [
        {"file": "train.csv", "columns": columns, "constants": {"split": "train"}},
        {
            "file": "index.csv",
            "columns": columns,
            "constants": {"split": "test", "role": "gallery"},
        },
        {"file": "solution.csv", "columns": {"id": "image"}, "constants": {"role": "query"}},
        {"file": "names.csv", "columns": {"category": "text"}, "on": "label=landmark_id"},
    ]
    result = read_memory("table", files, tables=tables, lists="images", constants="split=test")
    assert rows(result, "label", "text", "split", "role", "images") == {
        "train/a.jpg": ["7", "Tower", "train", None, None],
        "index/b.jpg": ["7", "Tower", "test", "gallery", None],
        "test/c.jpg": [None, None, "test", "query", ["b"]],
    }
    assert list(findings(result)) == ["unjoined: solution.csv with names.csv"]


def test_a_column_of_two_meanings() -> None:
    files = {
        **images("img/1.jpg", "img/2.jpg", "img/3.jpg"),
        "list_eval_partition.txt": (
            "3\nimage_name item_id evaluation_status\n"
            "img/1.jpg   id_2 train\nimg/2.jpg   id_2 query\nimg/3.jpg id_8 gallery\n"
        ),
        "list_bbox.txt": "1\nimage_name clothes_type x_1 y_1 x_2 y_2\nimg/1.jpg 3 2 3 30 18\n",
    }
    result = read_memory(
        "table",
        files,
        tables="list_eval_partition.txt; list_bbox.txt on image_name",
        label="item_id",
        split="evaluation_status",
        role="evaluation_status",
        values="split: query=test gallery=test; role: train=",
    )
    assert rows(result, "label", "split", "role") == {
        "img/1.jpg#1": ["id_2", "train", None],
        "img/2.jpg": ["id_2", "test", "query"],
        "img/3.jpg": ["id_8", "test", "gallery"],
    }


def mat(**variables: Any) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables)
    return stream.getvalue()


@pytest.fixture(scope="module")
def cars() -> dict[str, bytes | str]:
    kinds = ["bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname"]
    dtype = [(name, object) for name in kinds]
    annotations = np.array([(3, 4, 30, 20, 2, "1.jpg"), (1, 1, 9, 9, 1, "2.jpg")], dtype)
    names = np.array(["Audi A", "BMW B"], object)
    return {
        **images("cars_train/1.jpg", "cars_train/2.jpg"),
        "devkit/annos.mat": mat(annotations=annotations[None]),
        "devkit/meta.mat": mat(class_names=names[None]),
    }


def test_tables_of_matlab(cars: dict[str, bytes | str]) -> None:
    tables = [
        {"file": "annos.mat", "columns": {"fname": "image"}},
        {"file": "meta.mat", "columns": "label", "row": "class", "on": "class"},
    ]
    result = read_memory(
        "table", cars, tables=tables, corners="1-based", constants="split=train"
    )
    assert rows(result, "label", "split") == {
        "cars_train/1.jpg#1": ["BMW B", "train"],
        "cars_train/2.jpg#1": ["Audi A", "train"],
    }
    assert boxes(result)["cars_train/1.jpg#1"] == [2, 3, 30, 20]


def test_numbers_of_matlab_are_joined_with_the_numbers_of_files() -> None:
    files = {
        **images("jpg/image_00001.jpg", "jpg/image_00002.jpg"),
        "imagelabels.mat": mat(labels=np.array([[77, 3]], np.uint8)),
        "setid.mat": mat(trnid=np.array([[2]]), tstid=np.array([[1]])),
    }
    tables: list[Any] = [
        {"file": "imagelabels.mat", "columns": "label", "row": "number", "on": "number"}
    ]
    for name, split in (("trnid", "train"), ("tstid", "test")):
        table = {"file": "setid.mat", "variable": name, "columns": "number", "on": "number"}
        tables.append({**table, "constants": {"split": split}})
    pattern = r"image_0*(?P<number>\d+)\.jpg"
    result = read_memory("pattern", files, pattern=pattern, tables=tables)
    assert rows(result, "label", "split") == {
        "jpg/image_00001.jpg": ["77", "test"],
        "jpg/image_00002.jpg": ["3", "train"],
    }
    assert findings(result) == {}
