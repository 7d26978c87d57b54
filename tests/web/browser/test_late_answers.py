"""Stories of answers that come late: what one does meanwhile is neither lost nor undone."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser_tab import Tab

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]

LABEL_KEYS = """
localStorage.setItem('likewise.labels.emoji', JSON.stringify(
  ['200', '400'].map((label, used) => ({label, used}))))
"""
"""The key 1 gives the label 200, the key 2 the label 400."""


def keyed(curated: Tab) -> "Page":
    """Open the grid with two label keys, and wait for its tiles and the bar of corrections."""
    curated.page.add_init_script(LABEL_KEYS)
    page = curated.open("/d/emoji")
    expect(curated.tile(0)).to_be_visible()
    expect(page.locator("#pending")).to_be_visible()
    return page


def labels(root: Path) -> list[str]:
    """The corrected labels."""
    lines = (root / "catalog" / "emoji" / "corrections.csv").read_text("utf-8").splitlines()
    return [line.split(",")[2] for line in lines if ",label," in line]


def test_words_stay_while_hits_come(tab: Tab) -> None:
    with tab.held(r"/api/d/emoji/search\?") as held:
        page = tab.open("/d/emoji/search?id=0_noto.jpg&model=tiny")
        page.get_by_label("Keywords").fill("house")
        held.until(1)
    expect(page.locator(".hits .tile").first).to_be_visible()
    expect(page.get_by_label("Keywords")).to_have_value("house")


def test_a_search_is_busy_from_its_first_moment(tab: Tab) -> None:
    page = tab.open("/d/emoji/search?id=0_noto.jpg&model=tiny")
    expect(page.locator(".hits .tile").first).to_be_visible()
    busy = page.locator(".likes button").first.evaluate(
        """async button => {
          button.click();
          for (let turn = 0; turn < 10; turn++) await null;
          return [...document.querySelectorAll('.example, .busy')].map(one => one.className);
        }"""
    )
    assert busy == ["example", "example", "busy"]


def test_both_ends_of_a_range_stay(tab: Tab) -> None:
    page = tab.open("/d/emoji")
    low, high = (page.get_by_role("textbox", name=f"nbytes {end}") for end in ("from", "to"))
    low.wait_for()
    with tab.held(r"/facets\?"):
        low.fill("1000")
        low.press("Enter")
        high.fill("9000")
        expect(page.locator("#total")).to_contain_text("item")
        expect(low).to_have_value("1000")
        expect(high).to_have_value("9000")
        high.press("Enter")
        expect(page).to_have_url(re.compile(r"f\.nbytes=1000\.\.9000"))
    page.get_by_role("button", name=re.compile("^Remove the filter nbytes")).click()
    expect(low).to_have_value("")


def test_two_pictures_at_once_are_both_in_the_query(tab: Tab, pages: Path) -> None:
    page = tab.open("/d/emoji")
    expect(tab.tile(0)).to_be_visible()
    for name in ("400_noto.jpg", "0_noto.jpg"):
        tab.give(pages / "emoji" / "images" / name, "paste")
    expect(page.locator(".example img")).to_have_count(2)


def test_the_error_of_a_picture_goes_with_the_next_query(tab: Tab, tmp_path: Path) -> None:
    page = tab.open("/d/emoji/search")
    file = tmp_path / "note.txt"
    file.write_text("no picture", "utf-8")
    page.get_by_label("Picture to search by").set_input_files(file)
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Keywords").fill("house")
    page.keyboard.press("Enter")
    expect(page.locator(".hits .tile").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_second_label_follows_the_first_without_a_conflict(
    curated: Tab, workspace: Path
) -> None:
    page = keyed(curated)
    with curated.held("/corrections") as held:
        curated.tile(0).focus()
        for key in ("1", "2"):
            page.keyboard.press(key)
        held.until(1)
    expect(page.locator(".tile.changed")).to_have_attribute("title", re.compile("pending: 400"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#pending")).to_have_text("Pending 1")
    assert labels(workspace) == ["400"]


def test_an_old_answer_undoes_no_label(curated: Tab) -> None:
    with curated.held("/pending") as held:
        page = keyed(curated)
        expect(page.locator("#pending")).to_have_text("Pending …")
        held.until(1)
        held.answered()
        curated.tile(0).focus()
        page.keyboard.press("1")
        expect(page.locator(".tile.changed")).to_have_count(1)
        held.let_go()
        curated.settled()
        assert page.locator(".tile.changed").count() == 1
    expect(page.locator("#pending")).to_have_text("Pending 1")


def test_items_that_are_chosen_meanwhile_stay_chosen(curated: Tab) -> None:
    page = keyed(curated)
    with curated.held("/corrections") as held:
        for key in ("x", "1", "ArrowRight", "x"):
            page.keyboard.press(key)
        expect(page.get_by_text("2 selected")).to_be_visible()
        held.until(1)
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(page.locator(".tile.changed")).to_have_count(1)


def test_a_late_tag_closes_no_other_window(curated: Tab) -> None:
    page = keyed(curated)
    with curated.held("/tags") as held:
        curated.tile(0).focus()
        page.keyboard.press("t")
        window = page.get_by_role("dialog", name="Tags")
        window.get_by_label("Tag").fill("house")
        held.let_go()  # the tags in use
        page.keyboard.press("Enter")
        held.until(1)
        window.get_by_role("button", name="Cancel").click()
        page.keyboard.press("s")
        expect(page.get_by_role("dialog", name="Save a selection")).to_be_visible()
    expect(page.get_by_text("1 item got the tag house")).to_be_visible()
    expect(page.get_by_role("dialog", name="Save a selection")).to_be_visible()


def test_a_map_waits_for_its_bounds(tab: Tab) -> None:
    with tab.held("/bounds") as held:
        page = tab.open("/d/emoji/map")
        select = page.get_by_role("button", name="Select the view")
        held.until(1)
        expect(page.locator(".legend li")).to_have_count(6)
        expect(select).to_be_disabled()
        tab.settled()
        assert page.locator("canvas[data-drawn]").count() == 0
    expect(page.locator("canvas[data-drawn]")).to_be_visible()
    select.click()
    expect(page).to_have_url(re.compile("region=plane"))


def test_a_window_without_focus_has_the_keys(tab: Tab) -> None:
    page = tab.open("/d/emoji")
    expect(tab.tile(0)).to_be_visible()
    for key in ("x", "?"):
        page.keyboard.press(key)
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    page.evaluate("document.activeElement.blur()")  # as when its button is disabled
    for key in ("ArrowRight", "x", "Escape"):
        page.keyboard.press(key)
    expect(keys).to_have_count(0)
    page.get_by_role("button", name="Copy as").click()
    expect(page.locator("[data-copy=python]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-copy=python]")).to_be_hidden()
    expect(page.get_by_text("1 selected")).to_be_visible()
