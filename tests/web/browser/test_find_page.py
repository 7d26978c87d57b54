"""The filter of a static site, opened from a folder in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import likewise
from browser_tab import Tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]


@pytest.fixture
def paper(chromium: "Browser", pages: Path, tmp_path: Path) -> Iterator[Tab]:
    done = likewise.site(tmp_path / "paper", "emoji", maps=["plane"], workspace=pages)
    yield from Tab.opened(chromium, f"{done.folder.as_uri()}/")


def test_items_are_found_without_a_server(paper: Tab) -> None:
    page = paper.open("index.html")
    page.get_by_role("link", name="Find items").click()
    expect(page.get_by_role("status")).to_have_text("24 of 24 items")
    page.get_by_label("Words").fill("noto")
    expect(page.get_by_role("status")).to_have_text("6 of 24 items")
    page.get_by_label("label", exact=True).select_option("200")
    expect(page.get_by_role("status")).to_have_text("1 of 24 items")
    page.locator("#tiles a").click()
    expect(page.locator("li:target")).to_contain_text("200_noto.jpg")
    page.get_by_role("link", name="Overview").first.click()
    page.get_by_role("link", name="plane").click()
    expect(page.locator(".maps svg")).to_be_visible()
