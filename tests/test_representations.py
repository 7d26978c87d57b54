"""Representations of results: short text for prompts, safe HTML for notebooks."""

import inspect
import re
from pathlib import Path

import polars as pl
import pytest

import likewise
from html_tags import BAD, tags
from likewise import Difference
from likewise.errors import UnknownNameError

pytestmark = pytest.mark.torch

ITEM = "200_noto.jpg"


def html(result: object) -> str:
    """Return the HTML for a notebook; check that it runs no code and loads no file."""
    page: str = result._repr_html_()  # type: ignore[attr-defined]
    shown = tags(page)
    assert not {tag for tag, _ in shown} & {"script", "iframe", "object", "link"}
    assert [name for _, names in shown for name in names if name.startswith("on")] == []
    assert not re.findall(r"""<img [^>]*src=["'](?!data:)|@import""", page)
    return page


@pytest.fixture
def hostile(workspace: Path) -> Path:
    """Evaluate the catalogue with markup in its texts."""
    card = workspace / "catalog" / "emoji.yaml"
    title = f"title: {BAD!r}".replace("\\'", "''")
    card.write_text(card.read_text("utf-8").replace("title: Emoji in GPR1200's layout", title))
    likewise.correct("emoji", [ITEM], {"label": BAD, "text": BAD})
    likewise.publish("emoji")
    likewise.evaluate("emoji-tiny")
    return workspace


def test_results_print_well_and_safely(hostile: Path) -> None:
    catalogue = likewise.open()
    emoji = catalogue["emoji"]
    assert repr(catalogue) == f"Catalogue({str(hostile)!r}, data sets: emoji)"
    assert repr(emoji) == "Dataset('emoji', 24 items, models: tiny)"
    assert "published" in html(catalogue)
    assert "&lt;script&gt;" in html(emoji)
    item = emoji[ITEM]
    assert repr(item) == f"Item({ITEM!r}, label {BAD!r})"
    assert "data:image/jpeg" in html(item)
    assert "&lt;script&gt;" in html(item)
    assert html(emoji.search(id=ITEM, k=3)).count("data:image/jpeg") == 3
    assert html(likewise.query("select label, text from emoji"))
    browsed = emoji.browse(filters={"label": BAD}, facets=["label", "split"])
    page = html(browsed)
    assert page.count("data:image/jpeg") == browsed.total == 1
    assert "1 item of emoji" in page
    assert "/d/emoji" in page
    assert html(emoji.browse(limit=3, columns=["width"])).count("data:image/jpeg") == 3
    statistics = likewise.describe("emoji")
    assert repr(statistics) == "Statistics(emoji: 24 items in 24 images, 7 labels)"
    assert "<svg" in html(statistics)
    statistics.to_html("statistics.html")
    page = (hostile / "statistics.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "script" not in {tag for tag, _ in tags(page)}


def test_scores_print_well(hostile: Path) -> None:
    evaluation = likewise.evaluate("emoji-tiny")
    assert re.fullmatch(
        r"Evaluation\(gpr1200, 24 queries: all 0\.\d{4}, .*\)", repr(evaluation)
    )
    assert "95 % confidence interval" in html(evaluation)
    comparison = likewise.compare("emoji-tiny", "emoji-tiny")
    assert "p 1.0000; 0 queries fixed, 0 broken" in repr(comparison)
    assert "p (Holm)" in html(comparison)
    assert "GPR1200: mAP" in html(likewise.crosswalk("emoji-tiny"))
    assert "reports/emoji-tiny.html" in html(likewise.report("emoji-tiny"))


def test_a_difference_prints_well(workspace: Path) -> None:
    changes = pl.DataFrame(
        {"change": ["moved"], "item_id": [BAD], "column": ["split"], "was": [BAD], "now": [BAD]}
    ).with_columns(iou=pl.lit(None, pl.Float64))
    emoji = likewise.open("emoji")
    found = Difference(
        "emoji", BAD, "v2", (24, 23), {"split": "changed"}, changes, [], [], (emoji, emoji)
    )
    assert repr(found).endswith("24 items → 23 items; 1 moved)")
    assert "&lt;script&gt;" in html(found)


def test_what_is_not_published_prints_too(workspace: Path) -> None:
    (workspace / "catalog" / "emoji.lance").rename(workspace / "away")
    (workspace / "catalog" / "emoji.columns.yaml").unlink()
    emoji = likewise.open("emoji")
    assert repr(emoji) == "Dataset('emoji', not published)"
    assert "dvc repro publish@emoji" in html(emoji)
    (workspace / "catalog" / "emoji.yaml").unlink()
    assert "has no card" in html(likewise.open())


def test_a_data_set_is_a_container_of_items(workspace: Path) -> None:
    emoji = likewise.open("emoji")
    ids = emoji.items["item_id"].to_list()
    assert (len(emoji), list(emoji)) == (24, ids)
    assert ITEM in emoji
    assert "none.jpg" not in emoji
    assert 3 not in emoji
    item = emoji[ITEM]
    assert dict(item) == emoji.items.row(ids.index(ITEM), named=True)
    assert (item.row, item.item_id, item.label) == (ids.index(ITEM), ITEM, "200")
    assert item.text == item["text"]
    path = workspace / "emoji" / "images" / ITEM
    assert item.encoded() == path.read_bytes()
    assert item.image().size == (160, 160)
    with pytest.raises(
        UnknownNameError, match=r"no item named '200_notto.jpg' in emoji; .*" + ITEM
    ):
        emoji["200_notto.jpg"]


def test_a_catalogue_is_a_container_of_data_sets(workspace: Path) -> None:
    catalogue = likewise.open()
    assert "emoji" in catalogue
    assert "emojis" not in catalogue
    assert list(catalogue) == ["emoji"]


def test_every_class_of_a_result_has_a_representation() -> None:
    bare = [
        name
        for name in likewise.__all__
        if inspect.isclass(found := getattr(likewise, name))
        and not issubclass(found, Exception)
        and found.__repr__ is object.__repr__
    ]
    assert bare == []
