"""The routes of the grid, over a catalogue of 24 drawings."""

from pathlib import Path

import numpy as np
import pytest

import likewise
from likewise.retrieval.browsing import column_codes
from page_client import Page

pytestmark = pytest.mark.torch


def test_a_page_has_the_rows_of_the_data_set(page: Page) -> None:
    answer = page.get("/api/d/emoji/page?limit=5&offset=2")
    ids = likewise.open("emoji").items["item_id"].to_list()
    assert answer["total"] == answer["items"] == 24
    assert answer["rows"] == [2, 3, 4, 5, 6]
    assert answer["columns"]["item_id"] == ids[2:7]
    assert len(answer["thumbs"]) == 5


def test_a_page_is_json_at_its_own_address(page: Page) -> None:
    assert page.get("/d/emoji.json?limit=3") == page.get("/api/d/emoji/page?limit=3")
    assert page.get("/index.json") == page.get("/api/sets")


def test_facets_and_a_condition_filter_together(page: Page) -> None:
    both = page.get("/api/d/emoji/page?f.label=0&f.label=200&where=item_id LIKE '%25noto%25'")
    assert both["total"] == 2
    assert both["columns"]["label"] == ["0", "200"]


def test_an_empty_facet_selects_items_without_a_value(page: Page) -> None:
    assert page.get("/api/d/emoji/page?f.split=")["total"] == 24


def test_a_range_selects_numbers(page: Page) -> None:
    sizes = likewise.open("emoji").items["nbytes"]
    limit = int(sizes.sort()[7])
    answer = page.get(f"/api/d/emoji/page?f.nbytes=..{limit}")
    assert answer["total"] == (sizes <= limit).sum()


def test_rows_are_sorted_and_ties_keep_their_order(page: Page) -> None:
    items = likewise.open("emoji").items
    answer = page.get("/api/d/emoji/page?sort=-label&limit=24")
    expected = sorted(range(24), key=lambda row: items["label"][row], reverse=True)
    labels = [items["label"][row] for row in expected]
    assert answer["columns"]["label"] == labels
    for label in set(labels):
        rows = [r for r in answer["rows"] if items["label"][r] == label]
        assert rows == sorted(rows)


def test_a_wrong_condition_names_the_nearest_column(page: Page) -> None:
    fault = page.refused("/api/d/emoji/page?where=lable = '0'", 422)
    assert fault["kind"] == "DataError"
    assert "did you mean 'label'" in fault["what"]


def test_an_unknown_facet_or_order_names_the_nearest_column(page: Page) -> None:
    for address in ("page?f.lable=0", "page?sort=lable", "facets?of=lable"):
        assert "'label'" in page.refused(f"/api/d/emoji/{address}", 404)["what"]


def test_a_column_of_too_many_values_leaves_the_other_facets(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_codes, "MOST_VALUES", 10)
    answer = page.get("/api/d/emoji/facets")
    assert answer["uncounted"] == ["nbytes"]
    assert "label" in [facet["column"] for facet in answer["facets"]]
    assert page.get("/api/d/emoji/facets?where=nbytes>0")["total"] == 24
    page.refused("/api/d/emoji/facets?of=nbytes", 422)
    page.refused("/api/d/emoji/facets?where=no such column", 422)


def test_facets_count_under_the_other_filters(page: Page) -> None:
    answer = page.get("/api/d/emoji/facets?f.label=0&of=label,subset")
    label, subset = answer["facets"]
    assert [one["count"] for one in label["values"]] == [4] * 6
    assert [one["value"] for one in label["values"] if one["selected"]] == ["0"]
    assert [one["count"] for one in subset["values"]] == [4]
    assert answer["total"] == 4


def test_the_values_of_a_facet_are_searched(page: Page) -> None:
    answer = page.get("/api/d/emoji/facets?of=label&like=00")
    values = [one["value"] for one in answer["facets"][0]["values"]]
    assert sorted(values) == ["1000", "200", "400", "600", "800"]


def test_labels_have_words_where_each_has_one_text(page: Page) -> None:
    address = "/api/d/emoji"
    shown = page.get(f"{address}/page?limit=24")["columns"]
    words = dict(zip(shown["label"], shown["text"], strict=True))
    found = page.get(f"{address}/facets?of=label")["facets"][0]["values"]
    assert {one["value"]: one["text"] for one in found} == words
    word = words["400"]
    (found,) = page.get(f"{address}/facets?of=label&like={word.upper()}")["facets"][0]["values"]
    assert (found["value"], found["text"]) == ("400", word)
    for group in page.get(f"{address}/groups?group=label")["groups"]:
        assert group["text"] == words[group["value"]]
    marks = page.get(f"{address}/scrubber?sort=label")["marks"]
    assert [mark["words"] for mark in marks] == [words[mark["text"]] for mark in marks]


def test_numbers_are_counted_in_bins(page: Page) -> None:
    width, nbytes = page.get("/api/d/emoji/facets?of=width,nbytes")["facets"]
    assert (width["min"], width["max"]) == (160, 160)
    assert sum(one["count"] for one in nbytes["bins"]) == 24


def test_the_scrubber_shows_labels_at_their_offsets(page: Page) -> None:
    answer = page.get("/api/d/emoji/scrubber?sort=label&marks=24")
    labels = page.get("/api/d/emoji/page?sort=label&limit=24")["columns"]["label"]
    assert [mark["text"] for mark in answer["marks"]] == list(dict.fromkeys(labels))
    assert all(labels[mark["offset"]] == mark["text"] for mark in answer["marks"])


def test_groups_begin_where_the_sorted_rows_have_them(page: Page) -> None:
    labels = page.get("/api/d/emoji/page?sort=label&limit=24")["columns"]["label"]
    for group in page.get("/api/d/emoji/groups?group=label")["groups"]:
        part = labels[group["offset"] : group["offset"] + group["count"]]
        assert part == [group["value"]] * group["count"]


def test_positions_are_little_endian_numbers(page: Page) -> None:
    data = page.body("/api/d/emoji/positions?f.label=200&sort=-item_id")
    rows = np.frombuffer(data, "<i4").tolist()
    assert rows == page.get("/api/d/emoji/page?f.label=200&sort=-item_id")["rows"]


@pytest.mark.parametrize(
    "address",
    [
        "page?limit=201",
        "page?limit=x",
        "page?offset=-1",
        "page?f.width=a..b",
        "page?f.box=1",
        "facets?top=0",
        "page?where=" + "x" * 10_001,
        "page?where=%00",
    ],
)
def test_a_wrong_parameter_is_refused(page: Page, address: str) -> None:
    assert page.refused(f"/api/d/emoji/{address}", 422)["kind"] in ("BadRequest", "DataError")


def test_an_unknown_data_set_names_the_nearest(page: Page) -> None:
    assert "'emoji'" in page.refused("/api/d/emojy/page", 404)["what"]


def test_the_start_page_lists_the_data_sets(page: Page, workspace: Path) -> None:
    answer = page.get("/api/sets")
    assert answer["catalogue"] == workspace.name
    [entry] = answer["sets"]
    assert (entry["name"], entry["state"], entry["items"]) == ("emoji", "published", 24)
    assert entry["models"] == ["tiny"]
    assert entry["v"] == page.get("/api/d/emoji/page")["v"]
    assert [run["run"] for run in entry["runs"]] == ["emoji-tiny"]
