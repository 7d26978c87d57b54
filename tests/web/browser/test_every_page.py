"""Every page in a real browser: accessible, within the window, and with an empty console."""

from typing import TYPE_CHECKING

import pytest

from accessibility import violations
from browser_tab import NARROW, Tab

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

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
    "/d/emoji/suspects?model=tiny": ".suspect img",
    "/d/shapes/sketch?target=ring%2Fring12.png": ".aim img",
    "/compare/emoji-tiny/emoji-other?side=all&subset=faces": ".pair img",
    "/reports/emoji-tiny": "iframe",
    "/d/shapes/review": ".pairview img",
    "/d/emoji/map?f.label=0": ".mapview canvas[data-drawn]",
    "/d/emoji/versions": "table, .problem",
    "/training": ".chart path",
    "/leaderboard": ".board table",
}
"""Address -> what is there when the page is complete."""


COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe-core whose result depends on the colours of a page."""


def _complete(page: "Page", address: str) -> None:
    """Wait until the page is complete; check its title and its width."""
    expect(page.locator(PAGES[address]).first).to_be_visible()
    expect(page.locator(".busy")).to_have_count(0)
    assert page.title().endswith("Likewise")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_accessible_light_dark_and_narrow(tab: Tab, address: str) -> None:
    page = tab.open(address)
    _complete(page, address)
    assert not violations(page)
    page.emulate_media(color_scheme="dark")
    assert not violations(page, *COLOURS)
    page.set_viewport_size(NARROW)
    page.reload()
    _complete(page, address)
    assert not violations(page)
