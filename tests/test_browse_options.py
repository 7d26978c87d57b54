"""Wrong options of pages of items, empty pages, and values that are kept."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import forked
import likewise
from likewise.errors import DataError, UnknownNameError
from likewise.formats.array_types import Int64Array
from likewise.retrieval.browsing.item_pages import ItemPages
from likewise.retrieval.browsing.kept_last import KeptLast
from likewise.storage import tables


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tables.Table:
    """Two items with a column of each kind."""
    path = tmp_path_factory.mktemp("options") / "t.lance"
    items = pa.table(
        {
            "item_id": ["a", "b"],
            "label": ["0", "1"],
            "width": [3, 4],
            "score": [0.5, None],
            "flat": [True, False],
            "tags": [["green"], ["red"]],
            "box": pa.array([[0.0] * 4] * 2, pa.list_(pa.float32(), 4)),
        }
    )
    tables.write(path, items.schema, items.to_batches())
    return tables.open_table(path)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"facets": ["labels"]}, "no column named 'labels' in made; did you mean 'label'?"),
        ({"sort": "widht"}, "no column named 'widht' in made; did you mean 'width'?"),
        ({"filters": {"fat": "a"}}, "no column named 'fat' in made; did you mean 'flat'?"),
        ({"columns": ["scores"]}, "no column named 'scores' in made; did you mean 'score'?"),
        (
            {"filters": {"tags": "gren"}},
            "no value of 'tags' named 'gren'; did you mean 'green'",
        ),
        ({"filters": {"label": []}}, "filters: no value is given for the column 'label'"),
        ({"facets": "label"}, "facets is the text 'label'; give a list of columns"),
        ({"facets": ["box"]}, "the column 'box' holds Array"),
        ({"sort": "tags"}, "sort: the column 'tags' holds lists, which have no order"),
        ({"limit": None}, "limit is None; give a whole number"),
        ({"limit": 2.5}, "limit is 2.5; give a whole number"),
        ({"limit": True}, "limit is True; give a whole number"),
        ({"offset": "3"}, "offset is '3'; give a whole number"),
        ({"top": 1.5}, "top is 1.5; give a whole number"),
        ({"facets": None}, "facets is None; give a list of columns"),
        ({"facets": [5]}, "facets is [5]; give a list of columns"),
        ({"filters": None}, "filters is None; give a mapping from columns to values"),
        ({"filters": ["label"]}, "filters is ['label']; give a mapping"),
        ({"filters": {5: "a"}}, "filters is [5]; give a list of columns"),
        ({"filters": {"width": 10**40}}, "1000000000000000"),
        ({"filters": {"width": float("inf")}}, "inf is not a value of 'width'"),
        ({"filters": {"width": b"5"}}, "b'5' is not a value of 'width'"),
        ({"filters": {"label": "\ud800"}}, "'\\ud800' is not a value of 'label'"),
        ({"filters": {"label": {"a": 1}}}, "{'a': 1} is not a value of 'label'"),
        ({"filters": {"label": [["0"]]}}, "['0'] is not a value of 'label'"),
        ({"filters": {"flat": object()}}, "<object object"),
        ({"sort": 5}, "sort is 5; give a text"),
        ({"sort": "\ud800"}, "no column named"),
        ({"where": 5}, "where is 5; give a text"),
        ({"where": "label = '\ud800'"}, "where: "),
        ({"descending": []}, "descending is []; give True or False"),
        ({"columns": []}, "columns is empty; give one column, or leave it out for all"),
        ({"columns": "label"}, "columns is the text 'label'; give a list of columns"),
        ({"columns": 5}, "columns is 5; give a list of columns"),
        ({"offset": -1}, "offset is -1; the first item has the offset 0"),
        ({"limit": -1}, "limit is -1; it must not be negative"),
        ({"top": 0}, "top is 0; ask for at least 1 value per facet"),
        ({"where": "labl = '1'"}, "where: no column 'labl'; did you mean 'label'"),
    ],
)
def test_wrong_options_are_explained(table: tables.Table, options: Any, fault: str) -> None:
    with pytest.raises((DataError, UnknownNameError)) as error:
        ItemPages(table, "made").browse(options)
    assert len(str(error.value)) < 200
    assert str(error.value).startswith(fault)


@pytest.mark.parametrize(("option", "value"), [("--offset", "500"), ("--limit", "0")])
def test_the_command_says_that_a_page_has_no_items(
    workspace: Path, option: str, value: str
) -> None:
    done = forked.run(workspace, "likewise", "browse", "emoji", option, value)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "no items on this page; 24 in all"


def test_columns_are_a_list_of_names(workspace: Path) -> None:
    emoji = likewise.open("emoji", workspace=workspace)
    for columns in ("label", 5, [5], []):
        wrong: Any = {"columns": columns}
        with pytest.raises(DataError, match=r"^columns is .*; give"):
            emoji.browse(**wrong)


def test_one_slow_value_delays_no_other() -> None:
    kept: KeptLast[str, Int64Array] = KeptLast(1 << 20)
    made: list[str] = []
    begun, end = threading.Event(), threading.Event()

    def make(name: str) -> Int64Array:
        made.append(name)
        if name == "slow":
            begun.set()
            assert end.wait(60)
        return np.array([len(name)])

    with ThreadPoolExecutor(2) as threads:
        slow = [threads.submit(kept.get, "slow", lambda: make("slow")) for _ in range(2)]
        assert begun.wait(60)
        assert kept.get("fast", lambda: make("fast")).tolist() == [4]
        assert not slow[0].done()
        end.set()
        assert [one.result(60).tolist() for one in slow] == [[4], [4]]
    assert made == ["slow", "fast"]
