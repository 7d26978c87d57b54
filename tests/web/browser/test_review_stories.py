"""Stories of reviews in a real browser: pairs, keys, and a verdict of somebody else."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

import likewise
from browser_tab import Tab
from page_server import serving
from reviewed_drawings import make_copies

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def _copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copies")
    make_copies(root)
    return root


@pytest.fixture
def copies(_copies: Path, tmp_path: Path) -> Path:
    root = tmp_path / "copies"
    shutil.copytree(_copies, root)
    return root


@pytest.fixture
def reviewing(copies: Path, chromium: "Browser") -> Iterator[Tab]:
    with serving(copies) as server:
        yield from Tab.opened(chromium, server)


def verdicts(root: Path) -> dict[str, tuple[str | None, str | None]]:
    listing = likewise.reviews("toys", judged=True, workspace=root)
    return {one.name: (one.verdict, one.note) for one in listing.doubts}


def test_flags_are_judged_by_keys(reviewing: Tab, copies: Path) -> None:
    page = reviewing.open("/d/toys/review")
    head = page.locator(".doubt h2")
    expect(head).to_have_text("duplicate")
    page.keyboard.press("a")
    expect(head).to_have_text("leak")
    expect(page.get_by_text("1 of 3 judged")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.type("the same street")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    expect(head).to_have_text("near_duplicate")
    page.keyboard.press("w")
    expect(page.get_by_text("This was the last one of the list.")).to_be_visible()
    assert verdicts(copies) == {
        "duplicate": ("kept", None),
        "leak": ("dropped", "the same street"),
        "near_duplicate": ("wrong", None),
    }
    page.keyboard.press("z")
    expect(head).to_have_text("near_duplicate")
    expect(page.get_by_text("2 of 3 judged")).to_be_visible()
    assert verdicts(copies)["near_duplicate"] == (None, None)
    expect(page.locator("code", has_text="git add catalog/toys/reviews.csv")).to_be_visible()
    page.get_by_label("Show").select_option("judged")
    expect(head).to_have_text("duplicate")
    page.keyboard.press("j")
    expect(head).to_have_text("leak")
    expect(page.get_by_label("Note")).to_have_value("the same street")


def test_pairs_are_compared_at_one_zoom(reviewing: Tab) -> None:
    page = reviewing.open("/d/toys/review?flag=near_duplicate")
    panes = page.locator(".pairview .pane")
    expect(panes).to_have_count(2)
    expect(page.locator(".caption").first).to_contain_text("b/1.jpg")
    for _ in range(4):
        page.keyboard.press("+")
    panes.first.evaluate("pane => { pane.scrollLeft = 40; pane.scrollTop = 30; }")
    page.wait_for_function(
        """() => {
          const [, second] = document.querySelectorAll('.pairview .pane');
          return second.scrollLeft === 40 && second.scrollTop === 30;
        }"""
    )
    page.keyboard.press("i")
    expect(panes).to_have_count(1)
    expect(page.locator(".stacked img").nth(1)).to_have_css("mix-blend-mode", "difference")
    page.keyboard.press("b")
    second = page.locator(".stacked img").nth(1)
    expect(second).to_be_hidden()
    page.keyboard.down(" ")
    expect(second).to_be_visible()
    page.keyboard.up(" ")
    expect(second).to_be_hidden()


def test_a_verdict_of_somebody_else_is_shown(reviewing: Tab, copies: Path) -> None:
    reviewing.refusals = True
    page = reviewing.open("/d/toys/review?flag=leak")
    expect(page.locator(".doubt h2")).to_have_text("leak")
    likewise.review("toys", name="leak", verdict="kept", workspace=copies)
    page.keyboard.press("w")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile("their verdict.*kept.*yours.*wrong"))
    assert verdicts(copies)["leak"] == ("kept", None)
    alert.get_by_role("button", name="Write mine").click()
    expect(alert).to_have_count(0)
    assert verdicts(copies)["leak"] == ("wrong", None)


def test_a_note_of_somebody_else_is_shown(reviewing: Tab, copies: Path) -> None:
    reviewing.refusals = True
    page = reviewing.open("/d/toys/review?flag=leak")
    expect(page.locator(".doubt h2")).to_have_text("leak")
    likewise.review("toys", name="leak", verdict="kept", note="theirs", workspace=copies)
    page.keyboard.press("n")
    page.keyboard.type("mine")
    page.keyboard.press("Enter")
    page.keyboard.press("a")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile("their verdict.*kept, theirs.*yours.*kept, mine"))
    alert.get_by_role("button", name="Keep theirs").click()
    expect(alert).to_have_count(0)
    expect(page.get_by_label("Note")).to_have_value("theirs")
    page.keyboard.press("n")
    page.keyboard.press("End")
    page.keyboard.type(" and mine")
    page.keyboard.press("Enter")
    expect(page.get_by_text("kept, theirs and mine")).to_be_visible()
    assert verdicts(copies)["leak"] == ("kept", "theirs and mine")


def _sixty(route: "Route") -> None:
    """Answer 60 open flags; before the second answer, somebody judges the first one."""
    offset = int(parse_qs(urlsplit(route.request.url).query).get("offset", ["0"])[0])
    answer = route.fetch(url=re.sub(r"offset=\d+", "offset=0", route.request.url))
    content: dict[str, Any] = answer.json()
    flags = [{**content["doubts"][0], "id": str(one)} for one in range(bool(offset), 60)]
    content |= {"total": 60, "offset": offset, "doubts": flags[offset : offset + 50]}
    route.fulfill(response=answer, json=content)


def test_a_verdict_while_further_flags_come_skips_none(reviewing: Tab) -> None:
    page = reviewing.page
    page.route(re.compile(r"/review\?"), _sixty)
    reviewing.open("/d/toys/review")
    expect(page.get_by_text("1 of 60")).to_be_visible()
    for _ in range(50):
        page.keyboard.press("j")
    expect(page.get_by_text("51 of 60")).to_be_visible()  # further flags have come
    for _ in range(9):
        page.keyboard.press("j")
    expect(page.get_by_text("60 of 60")).to_be_visible()
