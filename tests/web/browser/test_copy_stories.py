"""The Python, SQL and command line that a page offers give the rows that it shows."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import likewise
from browser_tab import Tab
from forked import run

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]

COPIES = {
    "/d/emoji?f.subset=faces&sort=-nbytes": ".view .tile",
    "/d/emoji?where=label+%3D+'0'": ".view .tile",
    "/d/emoji/search?id=0_noto.jpg&model=tiny&k=20&f.subset=faces": ".hits .tile",
    "/d/emoji/search?keywords=house": ".hits .tile",
}
"""Address -> tiles whose items the copies must give."""


def _python(text: str) -> list[str]:
    scope: dict[str, Any] = {"likewise": likewise}
    *lines, last = text.strip().splitlines()
    exec("\n".join(line for line in lines if line != "import likewise"), scope)  # noqa: S102
    found = eval(last, scope)  # noqa: S307
    return list(getattr(found, "frame", found)["item_id"])


@pytest.mark.parametrize("address", COPIES)
def test_what_is_copied_gives_the_rows_of_the_page(
    tab: Tab, pages: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir(pages)
    page = tab.open(address)
    expect(page.locator(COPIES[address]).first).to_be_visible()
    shown = tab.names(COPIES[address])
    page.get_by_role("button", name="Copy as").click()
    expect(page.locator("[data-copy=python]")).to_be_visible()
    assert _python(page.locator("[data-copy=python]").inner_text()) == shown
    sql = page.locator("[data-copy=sql]")
    if sql.count():
        rows = list(likewise.query(sql.inner_text())["item_id"])
        # SQL has no search: it selects the hits, in the order of the data set.
        assert (sorted(rows) == sorted(shown)) if "/search?" in address else rows == shown
    words = shlex.split(page.locator("[data-copy=cli]").inner_text())
    done = run(pages, *words, "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    rows = content["rows"] if isinstance(content, dict) else content
    assert [row["item_id"] for row in rows] == shown
