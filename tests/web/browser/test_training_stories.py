"""Stories of trainings in a real browser: curves over each other, and a running training."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser_tab import Tab
from likewise.models.training.training_log import TrainingLog
from likewise.storage import journal
from likewise.storage.workspace import Workspace
from page_server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]


def test_the_kept_epoch_is_marked(tab: Tab) -> None:
    page = tab.open("/")
    page.get_by_role("link", name="Training").click()
    chart = page.locator(".chart", has=page.get_by_role("heading", name="train/loss"))
    expect(chart.locator(".line path")).to_have_count(1)
    expect(chart.locator(".kept title")).to_have_text("weights kept at step 19")
    expect(page.get_by_role("cell", name="complete")).to_be_visible()
    page.get_by_role("button", name="learned").press("Enter")
    expect(page).to_have_url(f"{tab.server}/training?model=learned")
    page.get_by_role("link", name="Results of all runs").click()
    expect(page.get_by_role("heading", name="gpr1200")).to_be_visible()
    page.get_by_role("link", name=re.compile("^p ")).first.click()
    expect(page.locator(".numbers .mainrow")).to_be_visible()


def test_a_running_training_grows(chromium: "Browser", pages: Path, tmp_path: Path) -> None:
    root = tmp_path / "pages"
    shutil.copytree(pages, root)
    ws = Workspace(root)
    report = ws.trainings("learned") / "abcdef00" / "report"
    report.parent.mkdir(parents=True)
    log = TrainingLog(report)
    log.step(0, 2.0, 0.1)
    with journal.exclusive_job(ws, "train-learned"), serving(root) as server:
        for tab in Tab.opened(chromium, server):
            page = tab.open("/training")
            line = page.locator(".chart figcaption > span", has_text="learned (running")
            expect(line.first).to_contain_text("step 0")
            log.step(1, 1.0, 0.1)
            log.step(2, 0.5, 0.1)
            expect(line.first).to_contain_text("step 2")
