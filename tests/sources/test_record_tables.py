"""Tables of records in JSON and XML: lists, lines, objects and elements."""

import json
from typing import Any

import pytest

from likewise.errors import DamagedError, DataError
from memory_files import findings, images, read_memory, rows

TWO = images("a.jpg", "b.jpg")
RECORDS = [{"image": "a.jpg", "label": 1}, {"image": "b.jpg", "label": "x", "age": 2.5}]
LABELS = {"a.jpg": "1", "b.jpg": "x"}


def read(name: str, content: Any, files: Any = TWO, **table: Any) -> Any:
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    return read_memory("table", {**files, name: text}, tables=[{"file": name, **table}])


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (RECORDS, ""),
        ({"version": 1, "rows": RECORDS}, ""),
        ({"a": [1], "data": {"rows": RECORDS}}, "data.rows"),
        ("\ufeff" + json.dumps(RECORDS), ""),
    ],
)
def test_a_list_of_objects_has_a_row_per_object(content: Any, records: str) -> None:
    result = read("t.json", content, records=records)
    assert rows(result, "label") == LABELS
    assert rows(result, "age") == {"a.jpg": None, "b.jpg": 2.5}
    assert findings(result) == {}


def test_a_path_through_a_list_keeps_the_values_around_it() -> None:
    """Captions as in the files of Karpathy: images, each with its sentences."""
    entries = [
        {"image": "a.jpg", "id": 7, "texts": [{"raw": "A cat.", "id": 1}, {"raw": "It."}]},
        {"image": "b.jpg", "id": 8, "texts": ["B"]},
        {"image": "b.jpg", "id": 9},
    ]
    result = read(
        "t.json", {"entries": entries}, records="entries.texts", columns="image raw id"
    )
    assert result.items.select("image_id", "raw", "id").rows() == [
        ("a.jpg", "A cat.", 1), ("b.jpg", None, 8),
    ]  # fmt: skip
    assert set(findings(result)) == {"twin: t.json: entry 2"}
    nested = {"a": [{"b": {"c": [{"image": "a.jpg", "label": 1}]}, "label": 2, "age": 3}]}
    inner = read("t.json", nested, records="a.b.c")
    assert rows(inner, "label", "age")["a.jpg"] == ["1", 3]


def test_names_of_objects_are_a_column() -> None:
    by_name = {r["image"]: {"label": r["label"]} for r in RECORDS}
    assert rows(read("t.json", by_name, columns={"key": "image"}), "label") == LABELS
    plain = {r["image"]: r["label"] for r in RECORDS}
    columns = {"key": "image", "value": "label"}
    lists = {r["image"]: [r["label"]] for r in RECORDS}
    listed = read("t.json", lists, records=".", columns=columns, explode="label")
    assert rows(listed, "label") == LABELS
    assert rows(read("t.json", plain, columns=columns), "label") == LABELS


def test_lists_and_values_have_numbered_columns() -> None:
    columns = {"column 1": "image", "column 2": "label"}
    assert (
        rows(read("t.json", [["a.jpg", 1], ["b.jpg", "x"]], columns=columns), "label") == LABELS
    )
    names = read("t.json", ["b.jpg"], columns={"column 1": "image"}, constants="split=val")
    assert rows(names, "split") == {"a.jpg": None, "b.jpg": "val"}


def test_a_line_that_is_not_json_is_a_finding() -> None:
    lines = [json.dumps(RECORDS[0]), "", "{", '{"image": "b.jpg", "image": "c.jpg"}', "[1]"]
    result = read("t.jsonl", "\n".join([*lines, json.dumps(RECORDS[1])]))
    assert rows(result, "label") == LABELS
    assert {place: text[:25] for place, text in findings(result).items()} == {
        "bad-row: t.jsonl: line 3": "it is not JSON in UTF-8: ",
        "bad-row: t.jsonl: line 4": "it is not JSON in UTF-8: ",
        "bad-row: t.jsonl: line 5": "it is a list, and the fir",
    }


def test_pairs_with_several_texts_as_in_fashion_iq() -> None:
    pairs = [{"candidate": "a", "target": "b", "captions": ["is red", "has no sleeves"]}]
    files = {"cap.json": json.dumps(pairs), "split.json": json.dumps(["b", "a"]), **TWO}
    tables = [
        {"file": "split.json", "columns": {"column 1": "image"}},
        {"file": "cap.json", "on": {"image": "target"}, "explode": "captions", "many": True},
    ]
    result = read_memory("table", files, tables=tables, text="captions")
    assert rows(result, "text", "candidate") == {
        "a.jpg": [None, None],
        "b.jpg": ["is red", "a"],
    }
    assert rows(result, "captions")["b.jpg"] == ["is red", "has no sleeves"]


VERI = """<?xml version="1.0" encoding="gb2312"?>
<TrainingImages Version="1.0"><Items number="2">
<Item imageName="a.jpg" vehicleID="0001" colorID="1"/>
<Item imageName="b.jpg" vehicleID="0002" colorID="4">é</Item>
</Items></TrainingImages>"""


def test_elements_as_in_veri_are_rows() -> None:
    columns = "imageName vehicleID colorID"
    data = VERI.replace("é", "红").encode("gb2312")
    result = read_memory(
        "table",
        {**TWO, "train_label.xml": data},
        tables=f"train_label.xml({columns})",
        image="imageName",
        label="vehicleID",
    )
    assert rows(result, "label", "colorid", "split") == {
        "a.jpg": ["0001", 1, "train"],
        "b.jpg": ["0002", 4, "train"],
    }
    every = read("t.xml", data, columns={"imageName": "image"})
    assert rows(every, "text") == {"a.jpg": None, "b.jpg": "红"}


def test_elements_have_the_texts_in_them_and_the_attributes_around_them() -> None:
    boxes = (
        '<set id="7"><picture image="a.jpg"><box label="x"><c><x>1</x></c><c><x>2</x></c></box>'
        '<box label="y" image="b.jpg"/></picture><picture image="b.jpg"/></set>'
    )
    result = read("t.xml", boxes, records="box", columns={"image": "image", "c/x": "c"})
    assert rows(result, "label", "c") == {"a.jpg": ["x", '["1", "2"]'], "b.jpg": ["y", None]}
    with pytest.raises(DataError, match=r"say which element is a record .*: picture, box"):
        read("t.xml", boxes)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.json", "[1", "t.json is not JSON in UTF-8"),
        ("t.json", "[" * 100_000, "more than 64 levels of nesting"),
        ("t.json", {"a": RECORDS, "b": RECORDS}, r"say which list has the records .*: a, b"),
        ("t.json", "3", "a list or an object is expected, not 3"),
        ("t.json", [{"label": "x"}], "no column of image names"),
        ("t.json", [], "no column of image names"),
        ("t.xml", "<a><b/>", "t.xml cannot be read as XML"),
        ("t.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a/>', "it has a document type"),
        ("t.xml", "<a/>", r"say which element is a record \(records: ...\): none"),
    ],
)
def test_other_files_are_one_error(name: str, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(name, content)


@pytest.mark.parametrize(("name", "content"), [("t.json", RECORDS), ("t.xml", VERI)])
def test_a_wrong_option_names_what_is_possible(name: str, content: Any) -> None:
    with pytest.raises(DataError, match="records: no 'itm'"):
        read(name, content, records="itm")
    with pytest.raises(DataError, match="columns: no column 'imag'"):
        read(name, content, columns=["imag"])


def test_small_documents_cannot_grow_without_limit() -> None:
    around = f'<a><p x="{"y" * 100_000}">{"<b/>" * 100}</p><p/></a>'
    with pytest.raises(DamagedError, match="repeat the names and attributes around them"):
        read("t.xml", around, records="b")
    nested = [{"x": "y" * 100_000, "l": list(range(100))}]
    with pytest.raises(DamagedError, match="repeat the values of the records around them"):
        read("t.json", nested, records="l")
    sparse = [{"image": "a.jpg", f"k{n}": 1} for n in range(1_200)]
    result = read("t.json", sparse)
    assert findings(result)["odd-key: t.json"] == (
        f"{1_200 + 1:,} names; only the first 1,000 are columns"
    )
    half = read("t.json", '[{"image": "a.jpg", "label": "\\ud800"}, {"image": "b.jpg"}]')
    assert findings(half) == {"bad-row: t.json: entry 1": "a text in it is not Unicode"}
