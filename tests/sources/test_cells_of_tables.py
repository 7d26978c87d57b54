"""Boxes and lists in one cell of a table."""

import polars as pl
import pytest

from likewise.errors import DataError
from likewise.sources.box_cells import CellBox, boxes_in_cell
from likewise.sources.cell_lists import cell_list, split_cells, with_list

STUDIO = '"original_width": 200, "original_height": 100'


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("[]", "box", []),
        ("[[1, 2, 3, 4], [5, 6, 7, 8]]", "box", [(1, 2, 3, 4), (5, 6, 7, 8)]),
        ("[(1, 2, 3, 4), (5, 6, 7, 8)]", "box", [(1, 2, 3, 4), (5, 6, 7, 8)]),
        ('["1", " 2 ", 3, 4]', "box", [(1, 2, 3, 4)]),
        ("[[1, 9], [3, 4, 0], [3, 4, 2]]", "keypoints", [(1, 4, 3, 9)]),
        ("[1, 9, 2, 3, 4, 1, 90, 90, 0]", "keypoints", [(1, 4, 3, 9)]),
        ("[[[1, 9, 3, 4]], [[0, 5]]]", "polygon", [(0, 4, 3, 9)]),
        ('{"all_points_x": [1, 3], "all_points_y": [9, 4]}', "box", [(1, 4, 3, 9)]),
        ('{"cx": 5, "cy": 6, "r": 2}', "box", [(3, 4, 7, 8)]),
        (
            f'{{"points": [{{"x": 50, "y": 10}}, {{"x": 75, "y": 90}}], {STUDIO}}}',
            "box",
            [(100, 10, 150, 90)],
        ),
        (f'{{"points": [[50, 10], [75, 90]], {STUDIO}}}', "box", [(100, 10, 150, 90)]),
        (
            f'{{"x": 50, "y": 10, "width": 25, "height": 80, {STUDIO}}}',
            "box",
            [(100, 10, 150, 90)],
        ),
    ],
)
def test_boxes_of_a_cell(text: str, kind: str, expected: list[tuple[float, ...]]) -> None:
    assert [box.numbers for box in boxes_in_cell(text, kind)] == expected


def test_a_cell_has_a_label_for_its_box() -> None:
    boxes = boxes_in_cell('[{"bbox": [1, 2, 3, 4], "label": ["cat", "dog"]}]')
    assert boxes == [CellBox((1, 2, 3, 4), "", "cat")]
    assert boxes_in_cell('{"left": 1, "top": 2, "right": 3, "bottom": 4, "class": ""}') == [
        CellBox((1, 2, 3, 4), "xyxy", None)
    ]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", "box", "no numbers of a box"),
        ("a b c d", "box", "no numbers of a box"),
        ("[1, 2, 3]", "box", "3 numbers, not the 4"),
        ("[[1, 2, 3, 4], 5]", "box", r"'\[1, 2, 3, 4\]' where a number is expected"),
        ("[true, 2, 3, 4]", "box", "'True' where a number is expected"),
        ("[1, 2, 3]", "polygon", "3 numbers are no points of 2"),
        ("[[1, 2], 3]", "polygon", r"'\[1, 2\]' where a number is expected"),
        ('{"a": 1, "b": 2}', "box", "its object has no box; it has a, b"),
        ("{}", "box", "its object has no box; it has nothing"),
        ("1" * ((1 << 20) + 1), "box", "1,048,577 characters"),
    ],
)
def test_a_cell_without_a_box_has_a_reason(text: str, kind: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        boxes_in_cell(text, kind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a, b;c|d", ["a", "b", "c", "d"]),
        ('["a b", 2, null]', ["a b", "2", "null"]),
        ("['a', 'b']", ["a", "b"]),
        ("[a", ["a"]),
        (" ", []),
    ],
)
def test_lists_of_a_cell(text: str, expected: list[str]) -> None:
    assert cell_list(text) == expected


def test_a_column_of_lists_becomes_rows() -> None:
    rows = pl.DataFrame(
        {"tags": ["a b", None, "", "c"], ":where": ["r 1", "r 2", "r 3", "r 4"]}
    )
    split, findings = split_cells(rows, "tags", "t.csv")
    assert split.rows() == [("a", "r 1, entry 1"), ("b", "r 1, entry 2"), ("c", "r 4")]
    assert [place for place, *_ in findings] == ["r 2", "r 3"]
    ready = with_list(rows, "tags", "t.csv")
    assert with_list(ready, "tags", "t.csv") is ready
    with pytest.raises(DataError, match=r"t\.csv: no column 'tag'; did you mean 'tags'"):
        with_list(rows, "tag", "t.csv")
