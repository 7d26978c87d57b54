"""Stories of the grid in a real browser: filter, open, come back, and scroll to the last."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from browser_tab import NARROW, Tab
from likewise.web.page_modules import MOST_FILES, page_modules
from shapes import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]

MANY = 12_000_000


def test_the_first_load_has_few_requests(tab: Tab) -> None:
    """The bar of corrections follows when the first rows are there."""
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page = tab.open("/d/emoji")
    expect(tab.tile(0).locator("img")).to_be_visible()
    page.wait_for_load_state("load")
    tiles = {path for path in asked if path.startswith("/t/")}
    answers = [path for path in asked if path.startswith(("/api/", "/events"))]
    later = {f"/static/{name}" for name in ("curate.js", "curate.css", *page_modules("curate"))}
    later -= {f"/static/{name}" for name in page_modules("browse")}
    files = {*asked} - tiles - {*answers} - later  # the icon is in the page and in its tab
    assert len(files) <= MOST_FILES, files
    assert len([path for path in answers if not path.endswith("/pending")]) <= 5, answers
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog").locator("img")).to_be_visible()


def test_filter_then_an_item_then_back_to_the_same_place(tab: Tab) -> None:
    page = tab.open("/d/emoji?size=280")
    expect(page.locator("#total")).to_have_text("24 items")
    group = page.get_by_role("group", name="subset")
    group.get_by_role("button", name="faces").click()
    expect(page.locator("#total")).to_have_text("4 items of 24")
    group.get_by_role("button", name="instre").click()
    expect(page.locator("#total")).to_have_text("8 items of 24")
    assert parse_qs(urlsplit(page.url).query)["f.subset"] == ["faces", "instre"]
    page.keyboard.press("End")
    expect(tab.tile(7)).to_be_focused()
    item = tab.tile(7).get_attribute("title") or ""
    page.keyboard.press("Enter")
    expect(page.get_by_text("8 of 8")).to_be_visible()
    expect(page).to_have_title(re.compile(f"^{re.escape(item.split(' · ')[-1])}"))
    page.get_by_role("link", name="Previous item").click()
    expect(page.get_by_text("7 of 8")).to_be_visible()
    page.go_back()
    expect(page.locator("#total")).to_have_text("8 items of 24")
    expect(tab.tile(7)).to_be_visible()
    expect(group.get_by_role("button", name="faces")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Remove the filter subset: faces").click()
    expect(page.locator("#total")).to_have_text("4 items of 24")


def test_a_wrong_filter_names_the_nearest_column(tab: Tab) -> None:
    tab.refusals = True
    page = tab.open("/d/emoji")
    page.locator("#where").fill("lable = '0'")
    page.keyboard.press("Enter")
    expect(page.locator("#where-problem")).to_contain_text("label")
    page.locator("#where").fill("label = '0'")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_have_text("4 items of 24")
    expect(page.locator("#where-problem")).to_have_count(0)


def test_groups_have_headings_and_the_order_has_a_direction(tab: Tab) -> None:
    page = tab.open("/d/emoji")
    page.get_by_label("Group by").select_option("label")
    expect(page.locator(".view .head").first).to_contain_text("0")
    expect(page.locator(".view .head").first).to_contain_text("4")
    page.get_by_label("Sort by").select_option("nbytes")
    page.get_by_role("button", name=re.compile("Ascending")).click()
    expect(page.get_by_role("button", name=re.compile("Descending"))).to_be_visible()
    expect(page).to_have_url(re.compile("sort=-nbytes"))
    sizes = page.request.get(f"{tab.server}/d/emoji.json?sort=-nbytes&columns=nbytes").json()
    expect(tab.tile(0)).to_have_attribute("title", re.compile(sizes["columns"]["item_id"][0]))


def test_a_selection_is_searched(tab: Tab) -> None:
    page = tab.open("/d/emoji")
    expect(tab.tile(0)).to_be_visible()
    for key in ("x", "ArrowRight", "x"):
        page.keyboard.press(key)
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("link", name="Search like these").click()
    expect(page.locator(".example")).to_have_count(2)
    expect(page.locator(".hits .tile").first).to_be_visible()


def test_a_quick_look_and_the_list_of_keys(tab: Tab) -> None:
    page = tab.open("/d/emoji")
    expect(tab.tile(0)).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog").get_by_role("img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("a row up, down")


def test_a_whole_story_by_keys_alone(tab: Tab) -> None:
    page = tab.open("/")
    expect(page.locator(".set img").first).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "emoji":
            break
    page.keyboard.press("Enter")
    expect(tab.tile(0)).to_be_visible()
    page.keyboard.press("f")
    page.keyboard.type("subset = 'faces'")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_have_text("4 items of 24")
    page.keyboard.press("Escape")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.view .tile')"):
            break
    page.keyboard.press("ArrowRight")
    expect(tab.tile(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 4")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_text("3 of 4")).to_be_visible()
    page.keyboard.press("u")
    expect(tab.tile(2)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("scissors")
    page.keyboard.press("Enter")
    expect(page.locator(".hits .tile")).to_have_count(4)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("m")
    expect(page.locator(".example")).to_have_count(1)


def test_an_address_without_a_page_says_so(tab: Tab) -> None:
    tab.refusals = True
    page = tab.open("/map/emoji")
    expect(page.get_by_text("There is no page at this address")).to_be_visible()
    tab.open("/d/emojy")
    expect(page.get_by_role("alert").first).to_contain_text("emoji")


def test_names_are_shown_as_text(tab: Tab) -> None:
    page = tab.open("/d/shapes?f.label=bars")
    expect(page.locator("#total")).to_have_text("3 items of 9")
    tile = page.get_by_title(HOSTILE)
    expect(tile).to_be_visible()
    tile.click()
    expect(page.locator(".mono").first).to_have_text(f"bars/{HOSTILE}")
    expect(page.locator(".picture img")).to_be_visible()


def _synthetic(route: "Route") -> None:
    """Answer a page of 12 million rows; each row has the picture of a real one."""
    query = parse_qs(urlsplit(route.request.url).query)
    offset = int(query.get("offset", ["0"])[0])
    count = max(0, min(int(query.get("limit", ["100"])[0]), MANY - offset))
    answer = route.fetch(url=re.sub(r"\?.*", "?limit=1", route.request.url))
    content: dict[str, Any] = answer.json()
    content |= {"total": MANY, "items": MANY, "offset": offset}
    content["rows"] = list(range(offset, offset + count))
    content["thumbs"] = content["thumbs"] * count
    content["columns"] = {name: values * count for name, values in content["columns"].items()}
    content["columns"]["item_id"] = [f"item-{row}" for row in content["rows"]]
    route.fulfill(response=answer, json=content)


@pytest.fixture
def many(tab: Tab) -> Tab:
    """Open a grid of 12 million positions."""
    tab.page.route(re.compile(r"/api/d/emoji/page\?"), _synthetic)
    tab.open("/d/emoji")
    expect(tab.page.locator("#total")).to_have_text("12,000,000 items")
    expect(tab.tile(0)).to_be_visible()  # the grid has measured its place, and can be scrolled
    return tab


FIRST = """() => {
  const top = element => element.getBoundingClientRect().top;
  const view = document.querySelector('.view');
  const whole = [...view.querySelectorAll('.tile')].filter(one => top(one) >= top(view) - 2);
  return Math.min(...whole.map(tile => Number(tile.dataset.i)));
}"""
"""The first tile whose row begins in the view."""


def _first(tab: Tab) -> int:
    return int(tab.page.evaluate(FIRST))


def _wheeled(tab: Tab, height: int) -> int:
    """The first tile after a step of the wheel, which does not wait until the view moves."""
    before = _first(tab)
    tab.page.mouse.wheel(0, height)
    tab.page.wait_for_function(f"before => ({FIRST})() !== before", arg=before)
    return _first(tab)


def test_the_last_of_12_million_and_ten_steps_of_the_wheel(many: Tab) -> None:
    page = many.page
    view = page.locator(".view")
    view.evaluate("view => { view.scrollTop = 1e12; }")
    expect(many.tile(MANY - 1)).to_have_attribute("title", re.compile(f"item-{MANY - 1}$"))
    height = round(many.tile(MANY - 1).bounding_box()["height"])  # type: ignore[index]
    columns = int(
        view.evaluate(
            """view => {
              const tiles = [...view.querySelectorAll('.tile')];
              return new Set(tiles.map(one => one.getBoundingClientRect().left)).size;
            }"""
        )
    )
    view.hover()
    for start in ("end", "middle"):
        if start == "middle":
            view.evaluate("view => { view.scrollTop = 3e6; }")
            expect(many.tile(MANY - 1)).to_have_count(0)
        steps = [_wheeled(many, -height) for _ in range(1 + 10)]
        assert steps[0] - steps[-1] == 10 * columns


def test_keys_and_the_scrubber_reach_any_of_12_million(many: Tab) -> None:
    page = many.page
    page.keyboard.press("End")
    expect(many.tile(MANY - 1)).to_be_focused()
    page.keyboard.press("Home")
    expect(many.tile(0)).to_be_focused()
    expect(page.locator("#pending")).to_be_visible()  # its bar comes late, and moves the grid
    slider = page.get_by_role("slider", name="Place in the result")
    box = slider.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 6, box["y"] + box["height"] / 2)
    expect(slider).to_have_attribute("aria-valuenow", re.compile("49|50|51"))
    expect(page.locator(".view .tile img").first).to_be_visible()
    assert abs(_first(many) - MANY / 2) < MANY / 50
    expect(page).to_have_url(re.compile(r"at=\d{7}"))


def test_a_range_has_the_items_that_were_not_loaded(many: Tab) -> None:
    page = many.open("/d/emoji?at=600")
    expect(many.tile(600)).to_be_visible()
    expect(page.locator("#pending")).to_be_visible()
    page.keyboard.press("x")
    selection = page.get_by_role("group", name="Selection")
    expect(selection).to_contain_text("1 selected")
    page.keyboard.press("Home")
    expect(many.tile(0)).to_be_focused()
    page.keyboard.press("X")
    expect(selection).to_contain_text("601 selected")
    expect(selection.get_by_role("link", name="Search like the first 50")).to_be_visible()
    page.keyboard.press("Escape")
    expect(selection).to_have_count(0)
    page.keyboard.press("x")
    page.keyboard.press("End")
    expect(many.tile(MANY - 1)).to_be_focused()
    page.keyboard.press("X")
    expect(selection).to_contain_text("1,000 selected")
    expect(selection).to_contain_text("Of the range of 12,000,000 items, the 1,000 next to its")


@pytest.fixture
def narrow(chromium: "Browser", server: str) -> Iterator[Tab]:
    """Open an empty page of a telephone."""
    yield from Tab.opened(chromium, server, viewport=NARROW, has_touch=True)


def test_the_filter_opens_over_a_narrow_page(narrow: Tab) -> None:
    page = narrow.open("/d/emoji")
    expect(narrow.tile(0)).to_be_visible()
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_role("group", name="subset").get_by_role("button", name="faces").click()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#total")).to_have_text("4 items of 24")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
