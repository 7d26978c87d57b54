"""Tables of unusual types, cut texts and misspelt columns give rows, findings or one error."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import likewise
from likewise.errors import ConfigError, DataError
from likewise.formats.archives import open_files
from likewise.sources.csv import CsvSource
from likewise.sources.extra_columns import infer_type
from likewise.sources.parquet import ParquetSource
from likewise.sources.voc_xml import parse_voc_files

MOMENT = dt.timedelta(seconds=5)


def images(folder: Path, *names: str) -> None:
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / name)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([MOMENT, None]),
        pa.array([5, None], pa.duration("ns")),
        pa.array([[MOMENT], None]),
        pa.array([b"\xff", None]),
        pa.array([[b"\xff"], None]),
        pa.array([{"a": b"\xff"}, None]),
        pa.array([[{"a": b"\xff"}], None]),
        pa.array([[b"\xff", b"a"], None], pa.list_(pa.binary(), 2)),
        pa.array([[("a", b"x")], None], pa.map_(pa.string(), pa.binary())),
        pa.array([1, None], pa.decimal256(60, 5)),
        pa.array([dt.time(1), None]),
    ],
    ids=lambda values: str(values.type),
)
@pytest.mark.parametrize("column", ["further", "label"])
def test_columns_of_any_type_are_read_or_left_out(
    tmp_path: Path, values: Any, column: str
) -> None:
    images(tmp_path, "a.png", "b.png")
    table = pa.table({"image": ["a.png", "b.png"], column: values})
    pq.write_table(table, tmp_path / "t.parquet")
    result = ParquetSource().read(open_files(tmp_path), tmp_path)
    assert sorted(result.items["image_id"].unique()) == ["a.png", "b.png"]


def test_a_duration_is_a_number_of_seconds(tmp_path: Path) -> None:
    images(tmp_path, "a.png", "b.png")
    table = pa.table({"image": ["a.png", "b.png"], "wait": [MOMENT, MOMENT / 2]})
    pq.write_table(table, tmp_path / "t.parquet")
    items = ParquetSource().read(open_files(tmp_path), tmp_path).items
    assert items.sort("image_id")["wait"].to_list() == [5.0, 2.5]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_a_cut_utf16_file_gives_its_whole_lines_and_a_finding(
    tmp_path: Path, order: str
) -> None:
    images(tmp_path, "a.png", "b.png")
    text = "\ufeffimage,label\na.png,x\nb.png,yy"
    (tmp_path / "t.csv").write_bytes(text.encode(order)[:-1])
    result = CsvSource().read(open_files(tmp_path), tmp_path)
    assert dict(result.items.select("image_id", "label").iter_rows())["a.png"] == "x"
    details = dict(result.findings.select("path", "detail").iter_rows())
    assert "utf-8" in details["t.csv: line 3"] or "utf-16" in details["t.csv: line 3"]


def test_a_misspelt_column_of_an_annotation_file_names_the_nearest(tmp_path: Path) -> None:
    images(tmp_path, "a.png")
    path = tmp_path / "t.csv"
    path.write_text("image,label\na.png,x\n")
    with pytest.raises(DataError, match=r"no column 'lable' .* did you mean 'label'"):
        likewise.validate("csv", tmp_path, annotations=path, options={"label": "lable"})


def test_xml_that_is_too_deep_is_a_finding_and_the_others_are_read() -> None:
    good = b"<annotation><filename>a.jpg</filename></annotation>"
    result = parse_voc_files(iter([("a.xml", good), ("b.xml", b"<a>" * 100_000)]))
    assert result.images["xml"].to_list() == ["a.xml"]
    ((path, check, detail),) = result.invalid
    assert (path, check) == ("b.xml", "bad-annotation")
    assert "levels of nesting" in detail


@pytest.mark.parametrize("text", [".", "-", "-.", "e5", "-e5", "1e5e", "..5"])
def test_signs_without_a_digit_are_texts(text: str) -> None:
    assert infer_type(pl.Series(["1", text])).to_list() == ["1", text]


def test_numbers_in_every_usual_form_are_floats() -> None:
    forms = pl.Series(["1", ".5", "5.", "-2e3", "1.e3", "-.5E-1", None])
    assert infer_type(forms).to_list() == [1.0, 0.5, 5.0, -2e3, 1e3, -0.05, None]


@pytest.mark.parametrize("name", ["gone.yaml", "."])
def test_a_card_that_cannot_be_read_is_one_error(tmp_path: Path, name: str) -> None:
    images(tmp_path, "a.png")
    with pytest.raises(ConfigError, match=r"(No such file|Is a directory).*; give the path of"):
        likewise.validate("folder", tmp_path, card=tmp_path / name)
