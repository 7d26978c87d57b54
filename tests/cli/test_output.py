import json

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


def test_a_number_agrees_with_its_noun() -> None:
    shown = [output.counted(number, "label") for number in (0, 1, 2, 1000)]
    assert shown == ["0 labels", "1 label", "2 labels", "1,000 labels"]


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
