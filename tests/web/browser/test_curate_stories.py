"""Stories of corrections in a real browser: find, correct, publish, undo and merge."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import likewise
from accessibility import violations
from browser_tab import NARROW, Tab
from likewise.storage.versions import run_git
from page_server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]

WRONG = "0_znoto.jpg"
"""A drawing of category 1000, whose file was renamed to category 0."""


@pytest.fixture
def shared(alice: Path, chromium: "Browser", forked_python: None) -> Iterator[Tab]:
    """Open a page over a catalogue in git and DVC, which has a clone."""
    with serving(alice) as server:
        yield from Tab.opened(chromium, server)


def corrections(root: Path) -> list[str]:
    """The lines of the file of corrections, without the first; none without a file."""
    path = root / "catalog" / "emoji" / "corrections.csv"
    return path.read_text("utf-8").splitlines()[1:] if path.is_file() else []


def diff_lines(root: Path) -> list[str]:
    """The lines of corrections that the commit does not have."""
    shown = run_git(root, "diff", "--unified=0", "--", "catalog/emoji/corrections.csv")
    return [line for line in shown.splitlines() if re.match(r"[+-](?![+-])", line)]


def ready(tab: Tab, address: str = "/d/emoji") -> "Page":
    """Open the grid, and wait for its tiles and the bar of corrections."""
    page = tab.open(address)
    expect(tab.tile(0)).to_be_visible()
    expect(page.locator("#pending")).to_have_text("Pending 0")
    return page


def find_by_neighbours(page: "Page") -> None:
    """Filter to one class, and go through its likely wrong labels to the wrong one."""
    group = page.get_by_role("group", name="label")
    group.locator('[data-value="0"]').click()
    expect(page.locator("#total")).to_have_text("5 items of 23")
    page.get_by_role("link", name="Likely wrong labels").click()
    caption = page.locator(".suspect figcaption")
    expect(caption).to_be_visible()
    queue = page.locator(".queue button")
    names = queue.evaluate_all("all => all.map(one => one.ariaLabel)")
    for _ in range(next(at for at, name in enumerate(names) if name.endswith(WRONG))):
        page.keyboard.press("j")
    expect(caption).to_have_text(WRONG)
    assert not violations(page)


def choose_label(page: "Page", letters: str, label: str) -> None:
    """Choose a label by some of its letters."""
    page.keyboard.press("l")
    page.get_by_role("combobox", name="Label").fill(letters)
    expect(page.locator("#labels")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#labels [role=option]").first).to_contain_text(label)
    page.keyboard.press("Enter")


def publish(page: "Page") -> None:
    """Publish in the drawer, and see the new number of the run."""
    before = likewise.show("emoji").runs[0].metrics
    page.keyboard.press("p")
    drawer = page.get_by_role("dialog", name="Pending corrections")
    expect(drawer.locator(".change").first).to_contain_text("0")
    assert not violations(page)
    drawer.get_by_role("button", name="Publish", exact=True).click()
    expect(drawer.get_by_text("Published.", exact=True)).to_be_visible(timeout=120_000)
    after = likewise.show("emoji").runs[0].metrics
    assert before
    assert after
    assert after != before
    number = next(iter(after.values()))
    shown = f"{number:.1f}" if number > 1.5 else f"{number:.3f}"
    expect(drawer.locator("tbody td.number").last).to_have_text(shown)
    expect(drawer.locator(".log")).to_contain_text("likewise evaluate emoji-tiny")
    expect(drawer).to_contain_text("Everything is published.")
    # The page does not begin again below the window, which would lose the key.
    expect(page.get_by_text("A newer version of emoji is here.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def merge_corrections(alice: Path, bob: Path) -> None:
    """Correct a label in each of two clones, and merge them in the first."""
    likewise.pull(["emoji"], workspace=bob)
    likewise.correct("emoji", ["200_noto.jpg"], {"label": "400"}, workspace=bob)
    run_git(bob, "commit", "--quiet", "--all", "--message", "Correct another label")
    run_git(bob, "push", "--quiet", "origin", "HEAD:bob")
    likewise.correct("emoji", ["200_fluent.jpg"], {"label": "600"})
    run_git(alice, "commit", "--quiet", "--all", "--message", "Correct a third label")
    run_git(alice, "fetch", "--quiet", "origin")
    likewise.merge("origin/bob")


@pytest.mark.dvc
def test_a_wrong_label_is_found_corrected_published_and_merged(
    shared: Tab, alice: Path, bob: Path
) -> None:
    page = ready(shared)
    find_by_neighbours(page)
    choose_label(page, "100", "1000")
    expect(page.locator("#pending")).to_have_text("Pending 1")
    assert [line.split(",")[:3] for line in corrections(alice)] == [
        [WRONG, "label", "1000"],
        [WRONG, "text", "baby"],
    ]
    assert [line[0] for line in diff_lines(alice)] == ["+", "+"]
    page.get_by_role("link", name="emoji", exact=True).click()
    expect(page.locator(".tile.changed")).to_have_attribute(
        "title", re.compile("pending: 1000")
    )
    publish(page)
    expect(page.locator("#total")).to_have_text("4 items of 23")

    run_git(alice, "commit", "--quiet", "--all", "--message", "Correct a label")
    page.keyboard.press("z")
    expect(page.locator("#pending")).to_have_text("Pending 1")
    assert [line[0] for line in diff_lines(alice)] == ["-", "-"]
    run_git(alice, "checkout", "--quiet", "--", "catalog/emoji/corrections.csv")

    merge_corrections(alice, bob)
    page = shared.open("/d/emoji")
    expect(page.locator("#pending")).to_have_text("Pending 2")
    page.locator("#pending").click()
    listed = page.get_by_role("dialog").locator(".changes a")
    expect(listed).to_have_text(["200_fluent.jpg", "200_noto.jpg"])


def test_several_items_get_a_label_by_keys(curated: Tab, workspace: Path) -> None:
    page = ready(curated)
    before = corrections(workspace)
    for key in ("x", "ArrowRight", "x", "l"):
        page.keyboard.press(key)
    page.keyboard.type("pony")
    expect(page.locator("#labels").get_by_text("New label pony")).to_be_visible()
    assert not violations(page)
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog", name="New label")
    expect(question).to_contain_text("No item has the label pony yet.")
    question.get_by_role("button", name="Add the label pony").click()
    expect(page.locator("#pending")).to_have_text("Pending 2")
    expect(page.locator(".tile.changed")).to_have_count(2)
    assert [line.split(",")[2] for line in corrections(workspace)] == ["pony", "pony"]
    expect(page.locator(".selection")).to_have_count(0)
    curated.refusals = True
    page.keyboard.press("ArrowRight")
    for _ in range(2):  # the second one may find the value of the first: no conflict
        page.keyboard.press("1")
    expect(page.locator("#pending")).to_have_text("Pending 3")
    expect(page.locator(".curate")).to_contain_text("1 item: pony")
    page.keyboard.press("2")  # no label has this key yet
    for _ in range(2):  # the second one waits for the first
        page.keyboard.press("z")
    expect(page.locator("#pending")).to_have_text("Pending 0")
    assert corrections(workspace) == before
    page.reload()
    expect(page.locator(".curate .slot")).to_have_text(["1pony"])


def test_a_second_writer_is_shown_with_both_values(curated: Tab, workspace: Path) -> None:
    curated.refusals = True
    page = ready(curated)
    item = curated.names(".view .tile")[0]
    likewise.correct("emoji", [item], {"label": "400"})
    for choice, expected in (("Keep the values that are there", "400"), ("Use mine", "1000")):
        likewise.correct("emoji", [item], {"label": "0"})
        page.reload()
        expect(page.locator("#pending")).to_have_text("Pending 0")
        likewise.correct("emoji", [item], {"label": "400"})
        curated.tile(0).focus()
        choose_label(page, "1000", "1000")
        conflict = page.get_by_role("dialog", name="Somebody else changed this")
        expect(conflict.locator("tbody tr")).to_have_text(re.compile(f"{item}label04001000"))
        assert not violations(page)
        conflict.get_by_role("button", name=choice).click()
        expect(page.locator(".tile.changed")).to_have_attribute(
            "title", re.compile(f"pending: {expected}")
        )
        assert corrections(workspace)[0].split(",")[2] == expected


def test_tags_and_selections_are_made_from_the_grid(curated: Tab, workspace: Path) -> None:
    page = ready(curated, "/d/emoji?f.label=0")
    for key in ("x", "ArrowRight", "x", "t"):
        page.keyboard.press(key)
    page.get_by_role("dialog", name="Tags").get_by_label("Tag").fill("house")
    assert not violations(page)
    page.keyboard.press("Enter")
    expect(page.locator(".curate")).to_contain_text("2 items got the tag house")
    facet = page.get_by_role("group", name="tags")
    expect(facet.get_by_role("button", name="house")).to_contain_text("2")
    page.keyboard.press("s")
    window = page.get_by_role("dialog", name="Save a selection")
    expect(window.get_by_label("2 chosen items")).to_be_checked()
    assert not violations(page)
    window.get_by_label("Name").fill("two")
    page.keyboard.press("Enter")
    expect(page.locator(".curate")).to_contain_text("2 items in the selection two")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    window.get_by_label("4 items of the filter").check()
    window.get_by_label("Name").fill("Houses")
    curated.refusals = True
    window.get_by_role("button", name="Save").click()
    expect(window.get_by_role("alert")).to_contain_text("lower-case letters")
    window.get_by_label("Name").fill("houses")
    window.get_by_role("button", name="Save").click()
    expect(page.locator(".curate")).to_contain_text("4 items in the selection houses")
    names = {one.name: one.items for one in likewise.selections("emoji")}
    assert names == {"houses": 4, "two": 2}
    facet.get_by_role("button", name="house").click()
    expect(page.locator("#total")).to_have_text("2 items of 24")


def test_columns_of_an_item_are_corrected(curated: Tab, workspace: Path) -> None:
    page = curated.open("/d/emoji/i/0_noto.jpg")
    card = page.locator(".edit")
    card.get_by_role("button", name="Correct text").click()
    card.get_by_label("New value of text").fill("a small house")
    assert not violations(page)
    page.keyboard.press("Enter")
    expect(card.locator(".change")).to_contain_text("a small house")
    card.get_by_role("button", name="Correct split").click()
    card.get_by_label("New value of split").fill("test")
    page.keyboard.press("Enter")
    expect(card.locator(".change")).to_have_count(2)
    assert [line.split(",")[1:3] for line in corrections(workspace)] == [
        ["split", "test"],
        ["text", "a small house"],
    ]
    page.keyboard.press("z")
    expect(card.locator(".change")).to_have_count(1)
    page.keyboard.press("t")
    page.get_by_role("dialog", name="Tags").get_by_label("Tag").fill("house")
    page.keyboard.press("Enter")
    expect(card).to_contain_text("house")
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_read_only_page_offers_no_corrections(pages: Path, chromium: "Browser") -> None:
    with serving(pages, read_only=True) as server:
        for tab in Tab.opened(chromium, server):
            page = tab.open("/d/emoji/suspects?model=tiny")
            expect(page.locator(".suspect img").first).to_be_visible()
            expect(page.get_by_role("button", name="It is")).to_have_count(0)
            page.get_by_role("link", name="emoji", exact=True).click()
            expect(tab.tile(0)).to_be_visible()
            page.keyboard.press("l")
            expect(page.get_by_role("dialog")).to_have_count(0)
            expect(page.locator(".curate")).to_have_count(0)
