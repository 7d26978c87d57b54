"""Variables of MATLAB's .mat files as tables of text."""

from typing import Any

import numpy as np
import pytest

from compcars_tree import mat, table
from likewise.errors import DataError
from likewise.sources.matlab_table import read_matlab_table


def read(variable: str = "", columns: Any = None, **variables: Any) -> list[tuple[Any, ...]]:
    """Write variables as a .mat file; return the names and the rows of the table."""
    frame, findings = read_matlab_table("m.mat", mat(**variables), variable, columns)
    assert findings == []
    return [tuple(frame.columns), *frame.rows()]


def test_a_cell_array_has_rows_and_columns() -> None:
    values = table(("a.jpg", 1.0, 0.5), ("b.jpg", 2.0, ""))
    assert read(t=values) == [
        ("column 1", "column 2", "column 3", ":where"),
        ("a.jpg", "1", "0.5", "m.mat: row 1"),
        ("b.jpg", "2", None, "m.mat: row 2"),
    ]
    assert read(columns=["image", "_", "score"], t=values)[0] == ("image", "score", ":where")
    assert read(columns={"column 2": "label"}, t=values)[0][1] == "label"


def test_lists_and_structs_in_a_cell_become_json() -> None:
    struct = np.array([[(1, "q")]], [("n", object), ("t", object)])
    values = table(("a", table(("x", "y"))), ("b", table(("z",))), ("c", struct))
    assert [row[:2] for row in read(t=values)[1:]] == [
        ("a", '["x","y"]'),
        ("b", "z"),
        ("c", '{"n":"1","t":"q"}'),
    ]


def test_a_single_row_or_number_is_a_column() -> None:
    assert read("t", t=table(("a", 1.5))) == [
        ("column 1", ":where"),
        ("a", "m.mat: row 1"),
        ("1.5", "m.mat: row 2"),
    ]
    assert read("t", t=np.array([[7.0]]))[1:] == [("7", "m.mat: row 1")]


@pytest.mark.parametrize(
    ("variable", "columns", "variables", "message"),
    [
        ("lables", None, {"labels": np.array([[1, 2]])}, "no variable 'lables'; did you mean"),
        ("", None, {"a": np.array([[1, 2]]), "b": np.array([[3, 4]])}, "say which variable is"),
        ("", None, {"a": "text"}, "say which variable is the table .*: a"),
        ("", ["x"], {"a": table((1.0, 2.0), (3.0, 4.0))}, "has 2 columns, and columns lists 1"),
        (
            "",
            ["x", "x"],
            {"a": table((1.0, 2.0), (3.0, 4.0))},
            "two columns have one name: x, x",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_one_error(
    variable: str, columns: Any, variables: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=rf"^m\.mat: .*{message}"):
        read(variable, columns, **variables)
