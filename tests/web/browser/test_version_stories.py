"""Stories of versions in a real browser: a checkout while a page is open."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser_tab import Tab
from forked import run_dvc
from likewise.storage.versions import run_git
from page_server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.dvc, pytest.mark.torch]


@pytest.fixture
def versions(alice: Path, chromium: "Browser") -> Iterator[Tab]:
    """Open a page over a catalogue with two versions; the second one is checked out."""
    with serving(alice) as server:
        yield from Tab.opened(chromium, server)


def test_a_checkout_changes_nothing_until_it_is_accepted(versions: Tab, alice: Path) -> None:
    with versions.held("/pending") as late:
        page = versions.open("/d/emoji")
        expect(page.locator("#total")).to_have_text("23 items")
        late.until(1)
        late.answered()
        run_git(alice, "checkout", "--quiet", "v1")
        run_dvc(alice, "checkout", "--quiet")
        expect(page.get_by_text("A newer version of emoji is here.")).to_be_visible()
        page.get_by_role("group", name="label").get_by_role("button", name="1000").click()
        expect(page.locator("#total")).to_have_text("3 items of 23")
        with versions.held(r"/emoji/page\?") as first:
            page.get_by_role("button", name="Show the new version").click()
            first.until(1)
            late.let_go()  # an answer of the old version comes first
            versions.settled()
    expect(page.locator("#total")).to_have_text("4 items of 24")
    expect(page.get_by_text("A newer version of emoji is here.")).to_have_count(0)


def test_an_older_version_is_opened_by_its_name(versions: Tab) -> None:
    page = versions.open("/d/emoji?rev=v1")
    expect(page.locator("#total")).to_have_text("24 items")
    expect(page.locator(".top .chip")).to_have_text("v1")
    expect(versions.tile(0)).to_be_visible()


def test_labels_are_compared_in_the_newest_version(versions: Tab) -> None:
    page = versions.open("/d/emoji/suspects?model=tiny&rev=v1")
    expect(page.get_by_text("in the newest version only")).to_be_visible()
    page.get_by_role("button", name="Show the newest version").click()
    expect(page.locator(".suspect img").first).to_be_visible()
    assert "rev=" not in page.url


def test_two_versions_are_compared(versions: Tab) -> None:
    page = versions.open("/d/emoji")
    page.get_by_role("link", name="Versions").click()
    expect(page.get_by_role("row", name="v1")).to_contain_text("24")
    page.get_by_label("Old version").select_option("v1")
    page.get_by_label("New version").select_option("v2")
    page.get_by_role("link", name="Show the difference").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("emoji: v1 to v2")
    moved = page.locator(".changed", has_text="0_znoto.jpg")
    expect(moved.locator(".both img")).to_have_count(2)
    expect(moved).to_contain_text("1000")
    page.get_by_role("button", name="removed").press("Enter")
    expect(page.locator(".changed")).to_have_count(1)
    expect(page.locator(".changed")).to_contain_text("400_fluent.jpg")
    page.locator(".changed .tile").click()
    expect(page).to_have_url(f"{versions.server}/d/emoji/i/400_fluent.jpg?rev=v1")
