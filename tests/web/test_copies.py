"""The Python, SQL and commands that a page offers give the rows that it shows."""

import contextlib
import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import likewise
from likewise.cli.app import app
from page_client import Page, opened

pytestmark = pytest.mark.torch

VIEWS = (
    "limit=5",
    "limit=7&offset=4&sort=-label",
    "f.label=0&f.label=200&sort=nbytes",
    "f.split=&f.subset=faces",
    "f.nbytes=1000..4000&f.label=0&where=item_id LIKE '%25noto%25' OR width > 9",
    "where=text = 'scissors' AND label <> '0'&sort=item_id",
)


def run(command: str) -> Any:
    """The JSON that a command prints."""
    name, *words = shlex.split(command)
    assert name == "likewise"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        app([*words, "--json"], standalone_mode=False)
    return json.loads(printed.getvalue())


def evaluate(python: str) -> Any:
    """The value of the Python that a page offers."""
    return eval(python, {"likewise": likewise})  # noqa: S307 (made by the server under test)


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_of_rows_is_copied(page: Page, view: str) -> None:
    answer = page.get(f"/api/d/emoji/page?{view}")
    ids, copies = answer["columns"]["item_id"], answer["copy"]
    assert evaluate(copies["python"])["item_id"].to_list() == ids
    assert likewise.query(copies["sql"])["item_id"].to_list() == ids
    assert [row["item_id"] for row in run(copies["cli"])["rows"]] == ids


def test_the_values_of_a_facet_are_copied(page: Page) -> None:
    answer = page.get("/api/d/emoji/facets?of=subset&f.label=0&f.label=200")
    shown = {v["value"]: v["count"] for v in answer["facets"][0]["values"] if v["count"]}
    copies = answer["copy"]
    for rows in (
        likewise.query(copies["sql"]).frame.to_dicts(),
        evaluate(copies["python"]).to_dicts(),
        run(copies["cli"]),
    ):
        assert {row["subset"]: row["n"] for row in rows} == shown


def test_an_item_is_copied(page: Page) -> None:
    answer = page.get("/api/d/emoji/item/200_noto.jpg")
    copies = answer["copy"]
    assert dict(evaluate(copies["python"])) == answer["item"]
    assert likewise.query(copies["sql"])[0]["content"] == answer["item"]["content"]
    assert run(copies["cli"])[0]["item_id"] == "200_noto.jpg"


@pytest.mark.parametrize(
    "search",
    [
        "id=200_noto.jpg&k=5",
        "id=200_noto.jpg&id=0_noto.jpg&combine=max&unlike=400_noto.jpg&k=6&offset=2",
        "id=200_noto.jpg&f.label=0&role=any&per_label=2",
        "keywords=scissors&k=3",
    ],
)
def test_a_search_is_copied(page: Page, search: str) -> None:
    answer = page.get(f"/api/d/emoji/search?{search}")
    ids = [hit["item_id"] for hit in answer["hits"]]
    assert evaluate(answer["copy"]["python"])["item_id"].to_list() == ids
    assert [hit["item_id"] for hit in run(answer["copy"]["cli"])] == ids


@pytest.mark.parametrize(
    "search",
    [
        "text=a red 'thing'&k=3",
        "text=red&text=-warm&not_text=blue&template=a {}&combine=max&keywords=elephant&k=4",
        "id=200_noto.jpg&model=colours&text=red&text_weight=0.8&k=4",
    ],
)
def test_a_search_by_texts_is_copied(coloured: Path, search: str) -> None:
    with opened() as page:
        answer = page.get(f"/api/d/emoji/search?{search}")
    ids = [hit["item_id"] for hit in answer["hits"]]
    assert evaluate(answer["copy"]["python"])["item_id"].to_list() == ids
    assert [hit["item_id"] for hit in run(answer["copy"]["cli"])] == ids
    assert set(likewise.query(answer["copy"]["sql"])["item_id"]) == set(ids)


@pytest.mark.parametrize("search", ["id=200_noto.jpg&k=5", "keywords=scissors&k=3"])
def test_the_sql_of_a_search_selects_its_hits(page: Page, search: str) -> None:
    answer = page.get(f"/api/d/emoji/search?{search}")
    rows = likewise.query(answer["copy"]["sql"]).frame
    assert set(rows["item_id"]) == {hit["item_id"] for hit in answer["hits"]}


def test_a_search_by_a_picture_is_copied(page: Page, workspace: Path) -> None:
    """The texts name the file to save the picture as."""
    data = (workspace / "emoji" / "images" / "200_noto.jpg").read_bytes()
    answer = page.send("/api/d/emoji/search?k=4", data, kind="image/jpeg")
    ids = [hit["item_id"] for hit in answer["hits"]]
    (workspace / "picture.png").write_bytes(data)
    assert evaluate(answer["copy"]["python"])["item_id"].to_list() == ids
    assert [hit["item_id"] for hit in run(answer["copy"]["cli"])] == ids


def test_a_revision_is_copied(alice: Path) -> None:
    with opened() as page:
        answer = page.get("/api/d/emoji/page?rev=v1&limit=3&sort=-item_id")
        ids = answer["columns"]["item_id"]
        assert evaluate(answer["copy"]["python"])["item_id"].to_list() == ids
        assert [row["item_id"] for row in run(answer["copy"]["cli"])["rows"]] == ids
        compared = page.get("/api/compare/emoji-tiny%40v1/emoji-tiny")
        rows = evaluate(compared["copy"]["python"]).rows
        assert [row.metric for row in rows] == [one["metric"] for one in compared["metrics"]]
        assert run(compared["copy"]["cli"])["rows"][0]["first"] == rows[0].first
        for copies in (answer["copy"], compared["copy"]):
            assert copies["sql"] is None
            assert "v1" in copies["why"]


def test_a_comparison_is_copied(page: Page) -> None:
    likewise.evaluate("emoji-tiny")
    answer = page.get("/api/compare/emoji-tiny/emoji-tiny?side=all&limit=7&offset=3")
    shown = {one["item_id"]: one["first"] for one in answer["queries"]}
    rows = likewise.query(answer["copy"]["sql"]).frame
    assert dict(rows.select("item_id", "first").iter_rows()) == shown
    assert set(rows["delta"]) == {0}


def test_the_origin_of_vectors_is_copied(page: Page) -> None:
    answer = page.get("/api/d/emoji/why?model=tiny")
    facts = [fact["what"] for fact in answer["facts"]]
    assert [fact.what for fact in evaluate(answer["copy"]["python"])] == facts
    assert [fact["what"] for fact in run(answer["copy"]["cli"])] == facts


def test_names_that_are_words_of_sql_or_shells_are_quoted(page: Page) -> None:
    odd = 'it\'s; rm -rf $HOME "`x`" --'
    fault = page.refused(f"/api/d/emoji/item/{odd}", 404)
    assert odd in fault["what"] or "rm -rf" in fault["what"]
    answer = page.get(f"/api/d/emoji/page?where=label <> '{odd.replace(chr(39), chr(39) * 2)}'")
    assert answer["total"] == 24
    ids = answer["columns"]["item_id"]
    assert evaluate(answer["copy"]["python"])["item_id"].to_list() == ids
    assert [row["item_id"] for row in run(answer["copy"]["cli"])["rows"]] == ids
