import json

import polars as pl
import pytest

from likewise.cli import output
from likewise.cli.text_table import cell


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (7, "7"),
        (0.123456789, "0.123457"),
        ("two\nlines\x1b[31m", "two\\nlines\\x1b[31m"),
        ("Zürich", "Zürich"),
        ([1.0, 2.0, 3.0, 4.0], "[1, 2, 3, 4]"),
        ([0.5] * 512, "[0.5, 0.5, 0.5, ... 512 values]"),
    ],
)
def test_a_cell_is_one_line_of_text(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_a_piped_table_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    long = "folder/" * 60 + "image.jpg"
    output.print_table(("item", "n"), [(long, 5), ("[b]plain[/b]", 10)])
    head, first, second = capsys.readouterr().out.splitlines()
    assert first.split() == [long, "5"]
    assert second.split() == ["[b]plain[/b]", "10"]
    assert head.split() == ["item", "n"]
    assert len(first) == len(second)


def test_json_has_null_where_a_number_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"mAP": float("nan"), "best": float("inf"), "parts": ({"a": 1},)})
    assert json.loads(capsys.readouterr().out) == {
        "mAP": None,
        "best": None,
        "parts": [{"a": 1}],
    }


@pytest.mark.parametrize("note", ["a\x1b", "a\udc80"])
def test_rows_in_json_are_those_of_plain_json(
    capsys: pytest.CaptureFixture[str], note: str
) -> None:
    record = {"mAP": 1e-07, "notes": [note, "é"], "parts": {"n": 3}}
    rows = pl.DataFrame(
        {
            "item_id": ["a", "é\x07"],
            "value": [0.1, float("nan")],
            "hits": [["a", "b"], []],
            "hit_scores": [[0.1, 0.7], None],
        },
        schema_overrides={"value": pl.Float32, "hit_scores": pl.List(pl.Float32)},
    )
    output.print_json({**record, "queries": rows.to_dicts()})
    plain = capsys.readouterr().out
    output.print_json_with_rows(record, "queries", rows)
    assert capsys.readouterr().out == plain
    output.print_json({**record, "queries": []})
    plain = capsys.readouterr().out
    output.print_json_with_rows(record, "queries", rows.clear())
    assert capsys.readouterr().out == plain
