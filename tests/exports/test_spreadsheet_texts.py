"""CSV for spreadsheets: no cell begins like a formula, and the source reads the same texts."""

import csv
from pathlib import Path

import polars as pl
from PIL import Image

from likewise.formats.archives import open_files
from likewise.formats.spreadsheet_text import mark_texts, unmarked
from likewise.sources.csv import CsvSource
from likewise.steps.query import QueryResult

TEXTS = [
    "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\tx", "\rx", "\uff1dx", "'", "''x", "'=x",
    "plain", "a=b", "x'", "",
]  # fmt: skip


def test_marks_are_removed_without_loss() -> None:
    frame = mark_texts(pl.LazyFrame({"=head": TEXTS, "n": range(len(TEXTS))})).collect()
    assert frame.columns == ["'=head", "n"]
    marked = frame["'=head"].to_list()
    assert not [text for text in marked if text[:1] in tuple("=+-@\t\r\uff1d")]
    assert [unmarked(text) for text in marked] == TEXTS
    assert marked[-4:] == TEXTS[-4:]


def test_the_source_reads_what_a_query_wrote_for_a_spreadsheet(tmp_path: Path) -> None:
    texts = [text for text in TEXTS if text]
    images = [f"{n}.png" for n in range(len(texts))]
    for name in images:
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    rows = pl.LazyFrame({"image": images, "label": texts, "n": range(-1, len(texts) - 1)})
    QueryResult(rows, {}).to_csv(tmp_path / "items.csv", spreadsheet=True)
    with (tmp_path / "items.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row[:2]]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    result = CsvSource(spreadsheet=True).read(open_files(tmp_path), tmp_path)
    assert result.items.sort("image_id")["label"].to_list() == [
        label for _, label in sorted(zip(images, texts, strict=True))
    ]
