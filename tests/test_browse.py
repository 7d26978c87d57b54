"""Pages of items, filters, counts of values and orders, compared with plain polars."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import forked
import likewise
from likewise.errors import DataError, UnknownNameError, UnknownOptionError
from likewise.retrieval.browsing import column_codes, facet_counts, item_pages
from likewise.retrieval.browsing.item_pages import ItemPages
from likewise.retrieval.browsing.rows_at import read_rows
from likewise.storage import tables

ROWS = 500


def frame() -> pl.DataFrame:
    """Return a table with a column of each kind; some values are missing."""
    rng = np.random.default_rng(0)
    tags = ["red", "green", "blue"]
    lists = [[tags[n] for n in rng.integers(0, 3, rng.integers(0, 4))] for _ in range(ROWS)]
    label = pl.Series(rng.integers(0, 7, ROWS)).cast(pl.String)
    gaps = pl.Series(rng.random(ROWS) < 0.1)
    return pl.DataFrame(
        {
            "item_id": [f"{n:04}" for n in range(ROWS)],
            "label": label.set(gaps, None),
            "width": rng.integers(1, 50, ROWS),
            "score": pl.Series(rng.choice([0.5, 0.25, float("nan")], ROWS)).set(gaps, None),
            "flat": rng.random(ROWS) < 0.5,
            "tags": pl.Series(lists).set(gaps, None),
            "box": pl.Series([[0.0, 0.0, 1.0, 1.0]] * ROWS, dtype=pl.Array(pl.Float32, 4)),
        }
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tables.Table:
    path = tmp_path_factory.mktemp("browse") / "t.lance"
    whole = frame().to_arrow()
    kinds = [pa.string() if pa.types.is_large_string(f.type) else f.type for f in whole.schema]
    schema = pa.schema([pa.field(n, k) for n, k in zip(whole.column_names, kinds, strict=True)])
    tables.write(path, schema, whole.cast(schema).to_batches(max_chunksize=64))
    return tables.open_table(path)


@pytest.fixture(params=["numpy", "compiled"])
def pages(
    table: tables.Table, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> ItemPages:
    """Pages of the table, counted by both implementations; small blocks are read."""
    if request.param == "compiled":
        monkeypatch.setattr(facet_counts, "COMPILED_FROM", 0)
    monkeypatch.setattr(item_pages, "_BLOCK", 64)
    monkeypatch.setattr(column_codes, "_BATCHES", 1)
    monkeypatch.setattr("likewise.storage.tables.opening.BATCH", 50)
    return ItemPages(table, "made")


def counted(rows: pl.DataFrame, column: str) -> list[tuple[Any, int]]:
    """Count values by polars, in the documented order."""
    values = rows[column]
    if values.dtype == pl.List:
        lists = [set(value or [None]) for value in values.to_list()]
        values = pl.Series([element for value in lists for element in value])
    found = values.rename("value").value_counts(name="items")
    ordered = found.sort("items", "value", descending=[True, False], nulls_last=True)
    return [(value, number) for value, number in ordered.iter_rows()]


def same(found: pl.DataFrame, expected: list[tuple[Any, int]]) -> bool:
    """Compare counts; NaN equals itself."""
    return repr(found.rows()) == repr(expected)


def test_facets_are_counted_under_the_filters_of_the_other_columns(pages: ItemPages) -> None:
    found = pages.browse(
        {
            "where": "width > 10",
            "filters": {"label": ["1", "2", None], "flat": True, "tags": "red"},
            "facets": ["label", "tags", "flat", "score", "width"],
            "limit": 7,
            "offset": 3,
        }
    )
    rules = {
        "label": pl.col("label").is_in(["1", "2"]) | pl.col("label").is_null(),
        "flat": pl.col("flat"),
        "tags": pl.col("tags").list.contains("red").fill_null(value=False),
    }
    wide = frame().with_row_index("row").filter(pl.col("width") > 10)
    passing = wide.filter(*rules.values())
    assert 10 < len(passing) < len(wide)
    assert found.total == len(passing)
    assert found.positions.tolist() == passing["row"].to_list()
    assert found.positions.dtype == np.int32
    assert found.page.tolist() == passing["row"].to_list()[3:10]
    assert found.rows["item_id"].to_list() == passing["item_id"].to_list()[3:10]
    assert found.rows.columns == frame().columns
    for name, counts in found.counts.items():
        others = [rule for column, rule in rules.items() if column != name]
        expected = counted(wide.filter(*others), name)
        expected += [(None, 0)] if name == "label" else []  # a value of its filter
        assert same(counts, expected), name


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", ["label", "width", "score", "flat", "item_id"])
def test_items_are_sorted_and_equal_values_keep_their_order(
    table: tables.Table, column: str, descending: bool
) -> None:
    found = ItemPages(table, "made").browse(
        {"sort": column, "descending": descending, "where": "width > 5", "limit": 9}
    )
    expected = frame().with_row_index("row").filter(pl.col("width") > 5)
    expected = expected.sort(
        column, descending=descending, nulls_last=True, maintain_order=True
    )
    assert found.positions.tolist() == expected["row"].to_list()
    assert found.page.tolist() == expected["row"].to_list()[:9]


def test_values_of_other_types_may_be_given_as_text(pages: ItemPages) -> None:
    total = pages.browse({"filters": {"width": 7}}).total
    assert total > 0
    assert pages.browse({"filters": {"width": "7"}}).total == total
    assert pages.browse({"filters": {"flat": "true"}}).total == frame()["flat"].sum()
    assert pages.browse({"filters": {"label": 5}}).total == (frame()["label"] == "5").sum()
    assert pages.browse({"filters": {"score": float("nan")}}).total > 0
    for wrong in ("x", 7.5):
        with pytest.raises(DataError, match="is not a value of 'width', a column of Int64"):
            pages.browse({"filters": {"width": wrong}})


def test_missing_values_are_filtered_by_none(pages: ItemPages) -> None:
    missing = frame()["tags"].is_null() | (frame()["tags"].list.len() == 0)
    assert pages.browse({"filters": {"tags": None}}).total == missing.sum()
    assert pages.browse({"filters": {"label": None}}).total == frame()["label"].null_count()


def test_a_value_of_the_filter_is_counted_even_if_no_item_has_it(pages: ItemPages) -> None:
    found = pages.browse(
        {"where": "width = 3", "filters": {"width": 4}, "facets": ["width"], "limit": 0}
    )
    assert found.total == 0
    assert found.counts["width"].rows() == [(3, (frame()["width"] == 3).sum()), (4, 0)]
    assert found.positions.tolist() == []
    assert found.rows.columns == frame().columns


def test_the_most_frequent_values_are_counted_on_request(pages: ItemPages) -> None:
    found = pages.browse({"facets": ["width"], "top": 3})
    assert found.counts["width"].rows() == counted(frame(), "width")[:3]


def test_too_many_different_values_are_refused(
    table: tables.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_codes, "MOST_VALUES", 100)
    pages = ItemPages(table, "made")
    with pytest.raises(DataError, match="'item_id' has more than 100 different values"):
        pages.browse({"facets": ["item_id"]})
    assert pages.browse({"facets": ["width"]}).total == ROWS


def test_rows_are_read_in_the_given_order(workspace: Path) -> None:
    emoji = likewise.open("emoji", workspace=workspace)
    assert emoji.rows([5, 0, 5], ["item_id", "label"]).rows() == [
        emoji.items.select("item_id", "label").row(n) for n in (5, 0, 5)
    ]
    assert emoji.rows(np.array([3])).equals(emoji.items[[3]])
    assert emoji.rows([], ["label"]).schema == {"label": pl.String}
    vector = emoji.rows([7], ["tiny"])["tiny"].to_numpy()
    assert (vector == emoji.vectors("tiny")[7]).all()


@pytest.mark.parametrize(
    ("positions", "fault"),
    [
        ([24], "there is no item at position 24; the last of 24 items has the position 23"),
        ([-1], "there is no item at position -1"),
        (["0"], "positions: .* give a list of integers"),
        ([0.5], "positions: float64 of shape"),
    ],
)
def test_wrong_positions_are_explained(workspace: Path, positions: Any, fault: str) -> None:
    with pytest.raises(DataError, match=f"^{fault}"):
        likewise.open("emoji", workspace=workspace).rows(positions)


def test_an_unknown_column_or_option_names_the_nearest(workspace: Path) -> None:
    emoji = likewise.open("emoji", workspace=workspace)
    with pytest.raises(UnknownNameError, match="'lable' in emoji; did you mean 'label'"):
        emoji.rows([0], ["lable"])
    wrong: Any = {"facet": ["label"]}
    with pytest.raises(UnknownOptionError, match="browse has no option 'facet'; did you mean"):
        emoji.browse(**wrong)


def test_pages_of_an_empty_table(tmp_path: Path) -> None:
    schema = pa.schema({"item_id": pa.string(), "label": pa.string()})
    tables.write(tmp_path / "t.lance", schema, [])
    table = tables.open_table(tmp_path / "t.lance")
    found = ItemPages(table, "made").browse({"facets": ["label"], "sort": "label"})
    assert (found.total, found.positions.tolist(), len(found.rows)) == (0, [], 0)
    assert found.counts["label"].is_empty()
    assert read_rows(table, found.page, ["label"]).columns == ["label"]


def test_the_command_prints_a_page_and_counts(workspace: Path) -> None:
    command = ("browse", "emoji", "--facet", "label=0", "--facet", "split", "--limit", "2")
    done = forked.run(workspace, "likewise", *command, "--json")
    found = json.loads(done.stdout)
    assert found["total"] == 4
    assert [row["label"] for row in found["rows"]] == ["0", "0"]
    assert found["positions"] == [0, 1]
    assert found["counts"]["label"][0] == {"value": "0", "items": 4}
    assert len(found["counts"]["label"]) == 6
    assert found["counts"]["split"] == [{"value": None, "items": 4}]
    done = forked.run(workspace, "likewise", *command, "--columns", "item_id,label")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["item_id", "label"]
    assert "items 1 to 2 of 4" in done.stderr
