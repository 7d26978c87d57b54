"""Stories of runs in a real browser: a broken query, numbers, and the report."""

import re
from pathlib import Path

import pytest

import likewise
from browser_tab import Tab

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]

RUNS = ("emoji-tiny", "emoji-other")


def test_a_broken_query_of_a_comparison_opens(tab: Tab, pages: Path) -> None:
    compared = likewise.compare(*RUNS, workspace=pages)
    page = tab.open("/compare/emoji-tiny/emoji-other")
    broken = page.get_by_role("button", name=re.compile("^Broken"))
    expect(broken).to_have_text(f"Broken {len(compared.broken)}")
    expect(broken).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".pair")).to_have_count(len(compared.broken))
    assert set(tab.names(".asker .tile")) == {query.item_id for query in compared.broken}
    main = compared.rows[0]
    row = page.locator(".mainrow tr")
    expect(row).to_contain_text(f"{main.first:.3f}")
    expect(row).to_contain_text(f"{main.second:.3f}")
    page.keyboard.press("j")
    expect(page.locator(".pair").first).to_be_focused()
    name = tab.names(".asker .tile")[0]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="As a query of runs")).to_be_visible()
    expect(page).to_have_title(re.compile(f"^{re.escape(name)}"))
    expect(page.get_by_text("dvc repro check@emoji", exact=True)).to_be_visible()
    page.go_back()
    page.get_by_role("button", name=re.compile("^All")).click()
    expect(page.locator(".pair")).to_have_count(20)
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".pair")).to_have_count(4)
    page.get_by_label("Subset").select_option(index=1)
    expect(page.locator(".pair")).to_have_count(4)
    expect(page).to_have_url(re.compile("subset="))
    page.get_by_role("button", name="Exchange A and B").click()
    expect(page).to_have_url(re.compile("/compare/emoji-other/emoji-tiny"))


def test_the_p_values_of_subsets_are_corrected(tab: Tab, pages: Path) -> None:
    compared = likewise.compare(*RUNS, workspace=pages)
    page = tab.open("/compare/emoji-tiny/emoji-other")
    corrected = [one.p_holm for one in compared.rows if one.p_holm is not None]
    assert len(corrected) == 6, "one row a subset"
    shown = [f"{p:.3f}" if p >= 0.001 else "< 0.001" for p in corrected]
    cells = page.locator(".numbers td:last-child").filter(has_text=re.compile(r"\d"))
    expect(cells).to_have_text(shown)


def test_the_report_is_in_a_frame_that_runs_nothing(tab: Tab) -> None:
    page = tab.open("/")
    page.get_by_role("link", name="emoji-tiny", exact=True).click()
    frame = page.locator("iframe")
    expect(frame).to_have_attribute("sandbox", "")
    expect(frame.content_frame.get_by_role("heading", level=1)).to_contain_text("emoji-tiny")


def test_a_report_that_was_not_written_names_the_command(tab: Tab) -> None:
    tab.refusals = True
    page = tab.open("/reports/emoji-other")
    expect(page.get_by_role("alert")).to_contain_text("likewise report emoji-other")
