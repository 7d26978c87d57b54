"""Pages in a real browser, wide and narrow: nothing scrolls sideways, no number is broken."""

from pathlib import Path

import polars as pl
import pytest
from PIL import Image

import likewise
from browsers import browser, measure, screenshot
from html_tags import BAD
from likewise import Difference
from likewise.pages.gallery import (
    FlaggedItem,
    FlagSection,
    Tile,
    flags_page,
    search_page,
    thumbnail,
)
from likewise.steps.diff.metric_change import MetricChange

pytestmark = [pytest.mark.browser, pytest.mark.torch]

LONG = "x" * 3_000
NAMES = (LONG, BAD, "狗 " * 40, "a/b c.jpg")


def _changes() -> pl.DataFrame:
    rows = [
        ("relabelled", "0_noto.jpg", "label", "0", LONG, None),
        ("image", "600_noto.jpg", "sha256", "a" * 64, "b" * 64, None),
        ("box", "200_noto.jpg", "box", "[0.0, 0.0, 1234.5, 99.0]", "[0.0, 0.0, 9.0, 5.0]", 0.5),
    ]
    names = ("change", "item_id", "column", "was", "now")
    return pl.DataFrame(
        rows, {**dict.fromkeys(names, pl.String), "iou": pl.Float64}, orient="row"
    )


def test_pages_fit_any_window(workspace: Path) -> None:
    command = browser()
    if command is None:
        pytest.skip("no browser")
    likewise.correct("emoji", ["0_noto.jpg"], {"label": LONG, "text": LONG, "subset": LONG})
    likewise.publish("emoji")
    likewise.evaluate("emoji-tiny")
    report = (workspace / likewise.report("emoji-tiny").page).read_text("utf-8")
    emoji = likewise.open("emoji")
    metrics = [MetricChange("emoji-tiny", "mAP of a subset", 0.51234, -0.4)]
    sides = (emoji, emoji)
    Difference(
        "emoji",
        LONG,
        "v2",
        (24_000, 23_000),
        {"label": "changed"},
        _changes(),
        [],
        metrics,
        sides,
    ).to_html("diff.html")
    likewise.describe("emoji").to_html("statistics.html")
    hits = [
        Tile(NAMES[n % 4], None, NAMES[n % 3], 1 - n / 100, same=n % 2 == 0) for n in range(300)
    ]
    flagged = [FlaggedItem([hit, hit], hit.name) for hit in hits[:8]]
    pages = {
        "report": report,
        "diff": (workspace / "diff.html").read_text("utf-8"),
        "statistics": (workspace / "statistics.html").read_text("utf-8"),
        "sheet": search_page(LONG, hits[:1], hits, LONG),
        "ten hits": search_page("t", hits[3:4], hits[:10]),
        "no hits": search_page("t", [], []),
        "flags": flags_page(LONG, [FlagSection(LONG, 1_234_567, flagged)], LONG),
    }
    measured = measure(command, pages, workspace)
    assert len(measured) == 2 * len(pages)
    for found in measured:
        assert found["window"] in (1400, 390)
        assert found["width"] <= found["window"], found
        assert not found["broken"], found
        assert not found["outside"], found
        assert set(found["rows"]) <= {1}, found
    assert sum(found["numbers"] for found in measured) > 1_000


def test_a_picture_that_is_embedded_once_is_shown_at_each_of_its_places(tmp_path: Path) -> None:
    command = browser()
    if command is None:
        pytest.skip("no browser")
    colours = {"#ff0000": (200, 100), "#0000ff": (60, 120)}
    pictures = [thumbnail(Image.new("RGB", size, name)) for name, size in colours.items()]
    hits = [Tile(str(n), pictures[n % 2], score=0.5) for n in range(6)]
    whole = screenshot(command, search_page("t", [], hits), tmp_path, (1400, 600))
    (red, blue) = (
        sum(count for count, pixel in whole.getcolors(1 << 24) or [] if near(pixel, name))
        for name in ((255, 0, 0), (0, 0, 255))
    )
    # Each picture fits its square: half of three squares is red, half of three is blue.
    assert red == pytest.approx(blue, rel=0.02)
    assert red == pytest.approx(3 * 212 * 212 / 2, rel=0.1)


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) < 30 for one, other in zip(pixel, colour, strict=True))
