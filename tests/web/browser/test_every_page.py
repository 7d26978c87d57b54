"""Every page in a real browser: accessible, within the window, and with an empty console."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from browser_tab import NARROW, Tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")

pytestmark = [pytest.mark.browser, pytest.mark.torch]

PAGES = {
    "/": ".set img",
    "/d/emoji": ".view .tile img",
    "/d/emoji?group=subset&where=width>1": ".view .head",
    "/d/emoji?where=width>5000": ".problem.empty",
    "/d/emoji/i/0_noto.jpg": "table",
    "/d/emoji/search": ".problem.empty",
    "/d/emoji/search?id=0_noto.jpg&unlike=200_noto.jpg": ".hits img",
    "/d/shapes/search?id=cross/cross00.png&text=red&not_text=blue&keywords=ring": ".hits img",
    "/d/shapes/sketch?target=ring%2Fring12.png": ".aim img",
    "/compare/emoji-tiny/emoji-other?side=all&subset=faces": ".pair img",
    "/reports/emoji-tiny": "iframe",
}
"""Address -> what is there when the page is complete."""


@pytest.fixture
def narrow(chromium: "Browser", server: str) -> Iterator[Tab]:
    """Open an empty page of a telephone."""
    yield from Tab.opened(chromium, server, viewport=NARROW)


def _complete(tab: Tab, address: str) -> "Page":
    page = tab.open(address)
    expect(page.locator(PAGES[address]).first).to_be_visible()
    expect(page.locator(".busy")).to_have_count(0)
    assert page.title().endswith("Likewise")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return page


def _violations(page: "Page") -> list[tuple[str, list[str]]]:
    """Return the rules of axe-core that the page violates, and where."""
    found = axe.Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:150] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_accessible_light_and_dark(tab: Tab, address: str) -> None:
    page = _complete(tab, address)
    assert not _violations(page)
    page.emulate_media(color_scheme="dark")
    assert not _violations(page)


@pytest.mark.parametrize("address", PAGES)
def test_a_narrow_page_is_accessible(narrow: Tab, address: str) -> None:
    assert not _violations(_complete(narrow, address))
