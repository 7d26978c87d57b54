"""Stories of maps in a real browser: points, colours, a region, and the grid."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import likewise
from browser_tab import Tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]


@pytest.fixture(params=["webgl", "canvas"])
def mapped(
    request: pytest.FixtureRequest, chromium: "Browser", server: str
) -> Iterator[tuple[Tab, str]]:
    """A tab with WebGL, and one in which the canvas has none."""
    for tab in Tab.opened(chromium, server):
        if request.param == "canvas":
            tab.page.add_init_script(
                "const own = HTMLCanvasElement.prototype.getContext;"
                "HTMLCanvasElement.prototype.getContext = function (kind, options) {"
                "return kind === 'webgl2' ? null : own.call(this, kind, options); };"
            )
        yield tab, request.param


def drawn(page: "Page") -> None:
    """Wait until the map is drawn at its present size, after what has changed the page."""
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.locator("canvas[data-drawn='24']")).to_be_visible()


def spots(page: "Page", pages: Path) -> np.ndarray:
    """The places of all items in the window, as the whole map is drawn."""
    box = page.locator("canvas").bounding_box()
    assert box
    places = likewise.open("emoji", workspace=pages).places("plane")
    low, span = places.min(axis=0), places.max(axis=0) - places.min(axis=0)
    scale = 0.94 * min(box["width"] / span[0], box["height"] / span[1])
    x = box["x"] + (box["width"] - span[0] * scale) / 2 + (places[:, 0] - low[0]) * scale
    y = box["y"] + (box["height"] + span[1] * scale) / 2 - (places[:, 1] - low[1]) * scale
    return np.stack([x, y], axis=1)


def test_a_region_is_a_filter_of_the_grid(mapped: tuple[Tab, str], pages: Path) -> None:
    tab, kind = mapped
    page = tab.open("/d/emoji/map")
    drawn(page)
    expect(page.locator("canvas")).to_have_attribute("data-painter", kind)
    expect(page.locator(".legend li")).to_have_count(6)
    drawn(page)
    points = spots(page, pages)
    names = likewise.open("emoji", workspace=pages).items["item_id"].to_list()
    left = int(points[:, 0].argmin())
    x, y = (float(value) for value in points[left])
    page.mouse.move(x, y)
    expect(page.locator(".hovered")).to_contain_text(names[left])
    page.keyboard.down("Shift")
    page.mouse.move(x - 12, y - 12)
    page.mouse.down()
    for dx, dy in ((12, -12), (12, 12), (-12, 12)):
        page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    near = np.flatnonzero((np.abs(points - points[left]) < 12).all(axis=1))
    expect(page.locator("#total")).to_contain_text(f"{len(near)} item")
    expect(page).to_have_url(re.compile("region=plane"))
    expect(page.locator(".chosen .tile")).to_have_count(len(near))
    assert sorted(tab.names(".chosen .tile")) == sorted(names[row] for row in near)
    page.get_by_role("link", name="Show in Browse").click()
    expect(page.locator("#total")).to_contain_text(f"{len(near)} item")
    expect(page.locator(".chips")).to_contain_text("a region of the map plane")
    page.go_back()
    drawn(page)
    page.keyboard.press("Escape")
    expect(page.locator("#total")).to_have_text("24 items")


def test_filters_and_colours_of_a_map_by_keyboard(tab: Tab) -> None:
    page = tab.open("/d/emoji/map")
    drawn(page)
    page.locator(".legend button").first.press("Enter")
    expect(page.locator("#total")).to_have_text("4 items of 24")
    page.get_by_label("Colour by").select_option("nbytes")
    expect(page.locator(".legend .scale")).to_be_visible()
    page.locator("canvas").focus()
    for _ in range(12):
        page.keyboard.press("+")
    page.keyboard.press("v")
    expect(page).to_have_url(re.compile("region=plane"))
    expect(page.locator(".chosen")).to_be_visible()
    page.wait_for_function(
        """() => {  // the zoom stays
          const wide = one => document.querySelector(one).getBoundingClientRect().width;
          return wide('.outline polygon') > 0.9 * wide('canvas');
        }"""
    )
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    expect(page.locator("#total")).to_have_text("4 items of 24")


def test_a_pixel_has_the_colour_of_its_point(tab: Tab, pages: Path) -> None:
    page = tab.open("/d/emoji/map?f.label=0")
    drawn(page)
    expect(page.locator(".chosen .tile")).to_have_count(4)  # they take height from the map
    drawn(page)
    row = likewise.open("emoji", workspace=pages).items["label"].to_list().index("0")
    x, y = (round(float(value)) for value in spots(page, pages)[row])
    page.mouse.move(0, 0)
    expect(page.locator(".hovered")).to_have_count(0)
    swatch = page.locator(".legend button[aria-pressed=true] .swatch")
    wanted = swatch.evaluate("mark => getComputedStyle(mark).backgroundColor")
    with Image.open(BytesIO(page.screenshot())) as shot:
        pixel = shot.convert("RGB").getpixel((x, y))
    assert f"rgb({', '.join(map(str, pixel))})" == wanted  # type: ignore[arg-type]


def test_an_item_opens_only_while_its_map_is_shown(tab: Tab, pages: Path) -> None:
    page = tab.open("/d/emoji/map")
    drawn(page)
    expect(page.locator(".legend li")).to_have_count(6)
    drawn(page)
    x, y = (float(value) for value in spots(page, pages)[0])
    with tab.held(r"/at\?") as held:
        page.mouse.click(x, y)
        held.until(1)
        tab.settled()
        page.get_by_role("link", name="Browse").click()
        expect(tab.tile(0)).to_be_visible()
        held.answered()
        held.let_go()
        tab.settled()
        assert page.url == f"{tab.server}/d/emoji"
    with tab.held(r"/at\?") as held:
        page.go_back()
        drawn(page)
        page.mouse.click(x, y)
        held.until(1)
    expect(page).to_have_url(re.compile("/d/emoji/i/"))


def test_a_data_set_without_a_map_says_how_to_make_one(tab: Tab) -> None:
    page = tab.open("/d/shapes/map")
    expect(page.get_by_role("status").last).to_contain_text("params.yaml has no map")
