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
    page = versions.open("/d/emoji")
    expect(page.locator("#total")).to_have_text("23 items")
    run_git(alice, "checkout", "--quiet", "v1")
    run_dvc(alice, "checkout", "--quiet")
    expect(page.get_by_text("A newer version of emoji is here.")).to_be_visible()
    page.get_by_role("group", name="label").get_by_role("button", name="1000").click()
    expect(page.locator("#total")).to_have_text("3 items of 23")
    page.get_by_role("button", name="Show the new version").click()
    expect(page.locator("#total")).to_have_text("4 items of 24")
    expect(page.get_by_text("A newer version of emoji is here.")).to_have_count(0)


def test_an_older_version_is_opened_by_its_name(versions: Tab) -> None:
    page = versions.open("/d/emoji?rev=v1")
    expect(page.locator("#total")).to_have_text("24 items")
    expect(page.locator(".top .chip")).to_have_text("v1")
    expect(versions.tile(0)).to_be_visible()
