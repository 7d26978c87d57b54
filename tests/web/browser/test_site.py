"""Open the built documentation from files in a browser: nothing is fetched."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser_tab import NARROW, Tab
from test_docs import DOCS, check_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.no_cover]

PAGES = ("index", "quickstart", "concepts", "options", "api", "howto/compare-models")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site with all its pages."""
    folder = tmp_path_factory.mktemp("site")
    code, warnings = check_site(DOCS, folder, "html")
    assert (code, warnings) == (0, "")
    return folder / "site"


@pytest.fixture(params=["light", "dark"])
def narrow(request: pytest.FixtureRequest, chromium: "Browser", site: Path) -> Iterator[Tab]:
    """A narrow tab, which reports every request that leaves the folder of the site."""
    yield from Tab.opened(
        chromium, f"{site.as_uri()}/", viewport=NARROW, color_scheme=request.param
    )


def test_pages_fit_a_narrow_window_and_fetch_nothing(narrow: Tab) -> None:
    for name in PAGES:
        page = narrow.open(f"{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], name


def test_the_search_works_from_files(narrow: Tab) -> None:
    page = narrow.open("search.html?q=min_images_per_class")
    expect(page.locator("ul.search li", has_text="Options").first).to_be_visible()


def test_no_page_names_a_script_or_a_style_of_another_server(site: Path) -> None:
    for file in site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for mark in (
            '<script src="http',
            'src="//',
            'rel="stylesheet" type="text/css" href="http',
        ):
            assert mark not in text, (file, mark)
    for file in site.rglob("*.css"):
        assert "url(http" not in file.read_text(encoding="utf-8"), file
