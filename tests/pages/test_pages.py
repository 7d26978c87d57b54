"""Pages of every kind: structure, escaped values, numbers, pictures."""

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

import likewise
from html_tags import BAD, Element, sound_page
from likewise import Difference
from likewise.pages.gallery import (
    FlaggedItem,
    FlagSection,
    Tile,
    flags_page,
    search_page,
    thumbnail,
)
from likewise.pages.rendering import inline_svg, same_digits, shortened, visible
from likewise.steps.diff.metric_change import MetricChange

HOSTILE = (
    BAD,
    "' onmouseover='x' \"quotes\" & &amp; {{ 7 * 7 }} {% raw %}",
    "control \x00\x07\x1b[31m\x7f\x85 text",
    "right to left \u202egpj.exe\u202c",
    "x" * 3_000,
    "狗 猫 こんにちは",
    "lone \ud800 surrogate",
    "line\nbreak\tand tab",
)
RED = thumbnail(Image.new("RGB", (8, 8), "red"))
SHAPES = {"change": pl.String, "item_id": pl.String, "column": pl.String}
CHANGES = {**SHAPES, "was": pl.String, "now": pl.String, "iou": pl.Float64}


def difference(
    dataset: likewise.Dataset, rows: Sequence[tuple[object, ...]], **further: object
) -> Difference:
    """A difference of two versions of a data set, which are equal but for these rows."""
    facts = {"columns": {}, "drift": [], "metrics": [], **further}
    changes = pl.DataFrame(rows, CHANGES, orient="row")
    return Difference(
        "emoji",
        "v1",
        "v2",
        (24, 23),
        changes=changes,
        sides=(dataset, dataset),
        **facts,  # type: ignore[arg-type]
    )


def written(difference: Difference, folder: Path) -> Element:
    difference.to_html(folder / "diff.html")
    return sound_page((folder / "diff.html").read_text("utf-8"))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_is_shown_and_never_markup(text: str) -> None:
    tile = Tile(text, RED, text, 0.5, same=True)
    gone = Tile(text, None, text, -0.5, same=False)
    for page in (
        search_page(text, [tile], [tile, gone], text),
        flags_page(text, [FlagSection(text, 2, [FlaggedItem([tile, gone], text)])], text),
    ):
        tree = sound_page(page)
        assert len(tree.all("img") + tree.all("image")) == page.count("data:image/jpeg") == 1
        assert tree.one("h1").text == " ".join(shortened(visible(text)).split())
        assert "no picture" in tree.text


def test_characters_that_html_cannot_show_are_replaced() -> None:
    hidden = "\x00\x1b\x7f\x85\u202e\u2066\ud800"
    assert visible(f"a{hidden}b\n\tc") == "a" + "\ufffd" * len(hidden) + "b\n\tc"
    assert visible("狗 é \u200f") == "狗 é \u200f"


def test_a_long_text_keeps_its_ends_and_its_tooltip() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcdefgh", 5) == "ab…gh"
    long = "start" + "x" * 500 + "end"
    name = sound_page(search_page("t", [Tile(long)], [])).one(kind="name")
    assert len(name.text) == 120
    assert name.text.startswith("start")
    assert name.text.endswith("end")
    assert name.one("span").attributes["title"] == long


def test_numbers_of_a_column_have_equal_digits() -> None:
    assert same_digits([0.5, 0.1234, None, 12]) == ["0.5000", "0.1234", "", "12.0000"]
    assert same_digits([1234.0, 5]) == ["1,234", "5"]
    assert same_digits([1 / 3, 1e-9]) == ["0.333333", "0.000000"]
    assert same_digits([None]) == [""]


def test_figures_of_one_page_share_no_id() -> None:
    svg = '<svg id="a" fill="#3c3f45"><use xlink:href="#b" clip-path="url(#c)"/>id="t"</svg>'
    assert inline_svg(svg, "map") == (
        '<svg id="map-a" fill="var(--ink)"><use xlink:href="#map-b" '
        'clip-path="url(#map-c)"/>id="t"</svg>'
    )


@pytest.mark.parametrize("number", [0, 1, 10, 300])
def test_the_hits_of_a_query_are_one_row(number: int) -> None:
    hits = [Tile(f"{n}.jpg", RED, "cat", 1 - n / 1000, same=n % 2 == 0) for n in range(number)]
    page = sound_page(search_page("t", [Tile("q.jpg", RED, "cat")], hits, first_rank=6))
    assert page.one("section", "query").one(kind="name").text == "q.jpg"
    if not number:
        assert "Nothing was found." in page.text
        assert not page.all("ol")
        return
    row = page.one("ol", "hits")
    assert len(row.all("li")) == number
    assert [one.text for one in row.all(kind="rank")] == [str(6 + n) for n in range(number)]
    assert all("number" in one.attributes["class"].split() for one in row.all(kind="score"))
    assert row.all(kind="score")[0].text == "1.0000"
    assert row.all(kind="dot")[0].attributes["aria-label"] == "label of the query"


def test_a_page_of_changes_shows_every_picture_once(workspace: Path) -> None:
    rows = [
        ("removed", "400_noto.jpg", None, "400", None, None),
        ("relabelled", "0_noto.jpg", "label", "0", BAD, None),
        ("relabelled", "0_noto.jpg", "label", "0", BAD, None),
        ("relabelled", "200_noto.jpg", "label", "200", "1000", None),
        ("moved", "0_noto.jpg", "split", None, "", None),
        ("box", "0_noto.jpg", "box", "[0, 0, 9, 9]", "[0, 0, 9, 5]", 5 / 9),
        ("image", "600_noto.jpg", "sha256", "a" * 64, "b" * 64, None),
    ]
    found = difference(
        likewise.open("emoji"),
        rows,
        columns={"label": "changed", "tiny": "added", "box": "changed"},
        metrics=[
            MetricChange("run", "all", 0.5, 0.4375),
            MetricChange("new", "all", None, 1.0),
        ],
    )
    page = written(found, workspace)
    items = page.one("ol", "items").all("li", "item")
    assert [item.one("h3").text for item in items] == [
        "400_noto.jpg",
        "0_noto.jpg",
        "200_noto.jpg",
        "600_noto.jpg",
    ]
    pictures = [[one.text for one in item.all("figure")] for item in items]
    assert pictures == [[""], ["old", "new"], [""], ["old", "new"]]
    values = [[row.text for row in item.one("tbody").all("tr")] for item in items]
    assert values == [
        ["label 400 no value"],
        [
            f"label 0 {BAD}",
            "split no value empty text",
            "box (x1, y1, x2, y2 in pixels) [0, 0, 9, 9] [0, 0, 9, 5] (IoU 0.56)",
        ],
        ["label 200 1000"],
        [f"image (SHA-256) {'a' * 8}…{'a' * 7} {'b' * 8}…{'b' * 7}"],
    ]
    assert [one.text for one in items[1].one("ul", "kinds").all("li")] == [
        "relabelled",
        "moved",
        "box",
    ]
    tables = {table.one("caption").text: table for table in page.all("table")}
    assert [row.text for row in tables["Metrics of runs"].one("tbody").all("tr")] == [
        "run all 0.5000 0.4375 -0.0625",
        "new all 1.0000",
    ]
    columns = tables["Columns of the published table"]
    assert [row.text for row in columns.one("tbody").all("tr")] == [
        "changed label, box",
        "added tiny",
    ]
    assert "hit" not in page.one("main").text.lower().replace("white", "")
    assert "4 items have changes" in page.text


def test_many_changes_are_counted_and_equal_versions_are_named(workspace: Path) -> None:
    emoji = likewise.open("emoji")
    page = written(difference(emoji, []), workspace)
    assert "The versions are equal." in page.text
    ids = emoji.items["item_id"].to_list()
    many = [("moved", name, "split", None, f"{n}", None) for n in range(60) for name in ids]
    text = written(difference(emoji, many), workspace).text
    assert "24 items have changes" in text
    assert "are shown" not in text


def test_the_flags_of_a_check_are_explained_and_counted() -> None:
    items = [FlaggedItem([Tile("a.jpg", RED), Tile("b.jpg", None)], "the same bytes as b.jpg")]
    page = sound_page(flags_page("t", [FlagSection("leak: old", 1_234, items, "Why.")], "note"))
    assert page.one("h2").text == "leak: old 1,234 , the first 1 are shown"
    assert "Why." in page.text
    assert [image.attributes["alt"] for image in page.all("img")] == ["a.jpg"]
    assert "No image is flagged." in sound_page(flags_page("t", [], "note")).text


@pytest.mark.torch
def test_the_statistics_have_units_and_numbers(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": BAD, "text": HOSTILE[1]})
    likewise.publish("emoji")
    likewise.describe("emoji").to_html("statistics.html")
    page = sound_page((workspace / "statistics.html").read_text("utf-8"))
    tables = {table.one("caption").text: table for table in page.all("table")}
    images = tables["Images"]
    assert [head.text for head in images.one("thead").all("th")] == [
        "quantity",
        "minimum",
        "5 %",
        "median",
        "95 %",
        "maximum",
    ]
    assert images.one("tbody").all("tr")[0].text == "width (pixels) 160 160 160 160 160"
    assert BAD in tables["Labels"].text
    assert len(page.all(kind="plot")) == 1


@pytest.mark.torch
def test_a_report_has_one_row_of_hits_per_query(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": BAD, "text": BAD, "subset": HOSTILE[1]})
    likewise.publish("emoji")
    likewise.evaluate("emoji-tiny")
    made = likewise.report("emoji-tiny")
    page = sound_page((workspace / made.page).read_text("utf-8"))
    rows = page.all("div", "row")
    assert len(rows) == 10 + 4
    for row in rows:
        assert len(row.one("ol", "hits").all("li")) == 8
        assert re.search(r"ap-hits [01]\.\d{4}", row.one("figure", "query").text)
    table = page.all("table")[0]
    assert [head.text for head in table.one("thead").all("th") if head.text][:3] == [
        "metric",
        "value",
        "95 % CI (class bootstrap)",
    ]
    legend = page.all("ul", "legend")[-1]
    assert HOSTILE[1] in [one.text for one in legend.all("li")]
    for heading in ("Metrics", "Curves", "Worst queries", "Confusions and hubs", "Provenance"):
        assert heading in [one.text for one in page.all("h2")]
