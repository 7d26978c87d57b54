"""Names and values of a URL as SQL."""

import shlex
from pathlib import Path

import polars as pl
import pytest

import forked
from likewise.web import copy_text
from likewise.web.answers import RefusedError
from likewise.web.columns import PageColumn
from likewise.web.conditions import FILTER, QUERY, name, whole_condition
from likewise.web.parameters import RowSelection
from page_client import Page

COLUMNS = {"width": PageColumn("width", "number", "", "")}


@pytest.mark.parametrize("column", ['a"b', '"', '" OR 1=1 --', "a`b", "select", "a b"])
def test_a_name_of_a_column_stays_one_name(column: str) -> None:
    quoted = name(column, QUERY)
    rows = pl.SQLContext(rows=pl.DataFrame({column: [1, 2], "other": [0, 0]}))
    found = rows.execute(f"SELECT * FROM rows WHERE {quoted} = 2", eager=True)  # noqa: S608
    assert found.rows() == [(2, 0)]
    inner = name(column, FILTER)
    assert inner[1:-1].replace("``", "") == column.replace("`", "")


@pytest.mark.parametrize(
    ("value", "sql"),
    [("160", "160"), ("-3", "-3"), ("9007199254740993", "9007199254740993"), ("1.5", "1.5")],
)
def test_a_number_is_written_exactly(value: str, sql: str) -> None:
    selection = RowSelection(facets={"width": (value,)})
    assert whole_condition(selection, COLUMNS) == f"width = {sql}"


@pytest.mark.parametrize("value", ["1 OR 1=1", "1) OR (1=1", "1; DROP", "x", "nan", "1e999"])
def test_a_value_of_a_number_column_is_a_number(page: Page, value: str) -> None:
    with pytest.raises(RefusedError, match=r"^width: '.*' is not a number$"):
        whole_condition(RowSelection(facets={"width": (value, "2")}), COLUMNS)
    for address in (f"page?f.width={value}", f"facets?of=label&f.width={value}"):
        page.refused(f"/api/d/emoji/{address}", 422)


def test_an_item_that_begins_with_a_dash_can_be_traced(workspace: Path) -> None:
    command = copy_text.why("emoji", "tiny", "-x.jpg")["cli"]
    assert command == "likewise why -- emoji tiny -x.jpg"
    done = forked.run(workspace, *shlex.split(command))
    assert "emoji has no item -x.jpg" in done.stderr
    assert copy_text.why("emoji", "tiny", None)["cli"] == "likewise why emoji tiny"
