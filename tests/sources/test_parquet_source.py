"""Parquet as Hugging Face writes it: images in cells or in files, boxes in cells or rows."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likewise.errors import DataError, LikewiseError
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
OBJECTS = pa.struct(
    [
        ("bbox", pa.list_(pa.list_(pa.float32(), 4))),
        ("category", pa.list_(pa.int64())),
        ("area", pa.list_(pa.float64())),
    ]
)
KINDS = {"_type": "ClassLabel", "names": ["owl", "emu"]}
FEATURES = {"label": KINDS, "objects": {"feature": {"category": KINDS}, "_type": "Sequence"}}


def put(path: Path, columns: dict[str, Any], *, rows_a_group: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    table = pa.table(columns).replace_schema_metadata(said)
    pq.write_table(table, path, row_group_size=rows_a_group)
    return path


def images(*cells: bytes | None) -> pa.Array:
    suffix = {b"a": "x.JPG", b"b": None}
    return pa.array(
        [None if c is None else {"bytes": c, "path": suffix.get(c, "y.png")} for c in cells],
        IMAGE,
    )


def read(path: Path, place: Path | None = None, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": "parquet", **options}, "card")
    return source.read(source.open(path), place or path)


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """Five images in two tables; the first table has boxes in its cells."""
    boxes = [
        {"bbox": [[1, 2, 3, 4], [0, 0, 9, 9]], "category": [0, 1], "area": [12.0, 81.0]},
        {"bbox": [], "category": [], "area": []},
        None,
    ]
    put(
        tmp_path / "data" / "train-00000-of-00001.parquet",
        {
            "image": images(b"a", b"b", b"c"),
            "label": pa.array([0, 1, -1]),
            "licence": ["CC0-1.0", None, None],
            "objects": pa.array(boxes, OBJECTS),
        },
    )
    put(
        tmp_path / "data" / "test-00000-of-00001.parquet",
        {"image": images(b"d", b"e"), "label": pa.array([1, 1])},
    )
    return tmp_path


def test_cells_are_images(held: Path) -> None:
    reading = read(held)
    assert reading.findings.is_empty()
    train, test = (f"data/{s}-00000-of-00001.parquet" for s in ("train", "test"))
    columns = ("item_id", "label", "split", "licence", "area")
    assert reading.items.select(columns).rows() == [
        (f"{train}/00000000.jpg#1", "owl", "train", "CC0-1.0", 12.0),
        (f"{train}/00000000.jpg#2", "emu", "train", "CC0-1.0", 81.0),
        (f"{train}/00000001", "emu", "train", None, None),
        (f"{train}/00000002.png", None, "train", None, None),
        (f"{test}/00000000.png", "emu", "test", None, None),
        (f"{test}/00000001.png", "emu", "test", None, None),
    ]
    assert reading.items["box"].to_list()[0] == [1, 2, 1 + 3, 2 + 4]
    assert read(held, bbox="xyxy").items["box"].to_list()[0] == [1, 2, 3, 4]


def test_the_bytes_are_the_cells(held: Path) -> None:
    files = SOURCES.build({"kind": "parquet"}, "card").open(held)
    names = files.listing()["path"].to_list()
    assert [data for _, data in files.read_many(reversed(names))] == [
        b"d",
        b"e",
        b"a",
        b"b",
        b"c",
    ]
    assert files.read(names[3]) == b"b"
    assert not files.can_seek(files.listing()["path"])
    with pytest.raises(DataError, match="has no file 'data/x'"):
        files.read("data/x")


def test_one_table_is_a_data_set(held: Path) -> None:
    path = held / "data" / "test-00000-of-00001.parquet"
    reading = read(path)
    assert reading.items["image_id"].to_list() == [
        f"{path.name}/0000000{n}.png" for n in (0, 1)
    ]
    assert reading.items["split"].to_list() == ["test", "test"]


def test_a_list_of_structs_is_boxes_too(tmp_path: Path) -> None:
    item = pa.struct([("bbox", pa.list_(pa.float64())), ("category", pa.string())])
    boxes = [{"bbox": [0, 0, 2, 2], "category": "x"}, {"bbox": None, "category": "y"}]
    cells = pa.array([boxes], pa.list_(item))
    put(tmp_path / "a.parquet", {"image": images(b"a"), "objects": cells})
    reading = read(tmp_path)
    assert reading.items.select("item_id", "label").rows() == [
        ("a.parquet/00000000.jpg#1", "x")
    ]
    assert reading.findings["check"].to_list() == ["bad-box"]


def test_images_may_be_in_files(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name in ("a.jpg", "b.png"):
        (tmp_path / "train" / name).write_bytes(b"x")
    columns = {
        "file_name": ["a.jpg", "a.jpg", "b.png", "c.png"],
        "label": pa.array([0, 1, 1, 0]),
        "xmin": [0.0, 1, None, None],
        "ymin": [0.0, 1, None, None],
        "xmax": [5.0, 6, None, None],
        "ymax": [5.0, 1, None, None],
        "tags": [["x"], [], None, ["y", "z"]],
        "when": pa.array([1, 2, 3, 4], pa.date32()),
        "raw": [b"1", b"2", None, None],
    }
    put(tmp_path / "train" / "metadata.parquet", columns)
    reading = read(tmp_path)
    assert reading.items.select("item_id", "label", "split", "tags", "when").rows() == [
        ("train/a.jpg#1", "owl", "train", '["x"]', "1970-01-02"),
        ("train/b.png", "emu", "train", None, "1970-01-04"),
    ]
    assert reading.findings["finding_id"].to_list() == [
        "dangling: train/metadata.parquet: row 3",
        "empty-box: train/a.jpg#2",
        "left-out: train/metadata.parquet: raw",
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"image": images(b"a"), "objects": [3]},
            "column 'objects' has the type Int64, which cannot contain boxes",
        ),
        ({"image": images(b"a"), "objects": [{"a": 1}]}, "is a struct without lists"),
        ({"image": images(b"a"), "objects": [{"a": [1]}]}, "has no list of numbers 'bbox'"),
        ({"image": images(b"a"), "objects": [[{"bbox": 1}]]}, "has no list of numbers 'bbox'"),
        ({"picture": ["a.jpg"]}, "no column of image names"),
        ({"image": images()}, "have no rows"),
        ({"image": images(b"a"), "x1": [1], "y1": [1], "x2": [2]}, "only 'x1' (x1)"),
        (
            {"image": images(b"a"), "objects": [{"bbox": [[1.0] * 4], "category": [1, 2]}]},
            ["bad-row: a.parquet: row 0"],
        ),
        (
            {"image": images(b"a"), "objects": [{"bbox": [[1.0, 1, 0, 2]]}]},
            ["empty-box: a.parquet/00000000.jpg#1"],
        ),
        (
            {"image": images(b"a"), "objects": [{"bbox": [[1.0, 1]]}]},
            ["bad-box: a.parquet/00000000.jpg#1"],
        ),
        ({"image": images(b"a"), "lable": [1]}, ["odd-column: a.parquet: lable"]),
    ],
)
def test_ten_kinds_of_damage(
    tmp_path: Path, columns: dict[str, Any], expected: str | list[str]
) -> None:
    put(tmp_path / "a.parquet", columns)
    if isinstance(expected, list):
        assert read(tmp_path).findings["finding_id"].to_list() == expected
        return
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert expected in str(caught.value)


def test_a_damaged_table_is_one_error(held: Path) -> None:
    path = held / "data" / "train-00000-of-00001.parquet"
    whole = path.read_bytes()
    for damaged in (whole[:-30], whole[:200], b"", b"PAR1", b"x" * 99):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="is damaged or truncated"):
            read(held)
    path.write_bytes(whole.replace(b"CC0-1.0", b"\xff" * 7))
    with pytest.raises(DataError):
        read(held)


def test_tables_that_differ(held: Path) -> None:
    put(held / "data" / "val.parquet", {"image": ["a.jpg"], "label": ["x"]})
    with pytest.raises(DataError, match="no image column 'image'"):
        read(held)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(at=st.integers(0, 3000), data=st.binary(min_size=1, max_size=8))
def test_no_bytes_give_a_traceback(held: Path, at: int, data: bytes) -> None:
    path = held / "data" / "train-00000-of-00001.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + data + whole[at + len(data) :])
    with suppress(LikewiseError):
        reading = read(held)
        assert reading.items["item_id"].is_unique().all()
        files = SOURCES.build({"kind": "parquet"}, "card").open(held)
        list(files.read_many(reading.items["image_id"].unique()))
    path.write_bytes(whole)
