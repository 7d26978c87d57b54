"""Answers read one version; events report a new one."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import likewise
from forked import run_dvc
from likewise.catalogue import snapshots
from likewise.errors import LikewiseError
from likewise.storage.versions import run_git
from likewise.web import shelf
from likewise.web.routes.job_routes import newest_versions
from likewise.web.shelf import KEPT
from page_client import Page, opened

pytestmark = [pytest.mark.torch, pytest.mark.dvc]


def checkout(root: Path, version: str) -> None:
    """Check out a version of the catalogue."""
    run_git(root, "checkout", "--quiet", version)
    run_dvc(root, "checkout", "--quiet", "--force")


def ids(page: Page, address: str) -> list[str]:
    found: list[str] = page.get(f"/api/d/emoji/{address}")["columns"]["item_id"]
    return found


def test_a_checkout_changes_nothing_until_the_page_asks(alice: Path) -> None:
    with opened() as page:
        before = page.get("/api/d/emoji/page?limit=30")
        version = before["v"]
        checkout(alice, "v1")
        assert page.get(f"/api/d/emoji/page?limit=30&v={version}") == before
        for url in before["thumbs"]:
            page.body(url)
        site = page.client.app.state.site  # type: ignore[attr-defined]
        named = newest_versions(site)
        newest = page.get("/api/d/emoji/page?limit=30")
        assert named == {"emoji": newest["v"]}
        assert (before["items"], newest["items"]) == (23, 24)
        assert newest["v"] != version
        assert page.get(f"/api/d/emoji/page?limit=30&v={version}") == before


def test_a_table_that_is_removed_while_it_is_looked_for(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = workspace / "catalog" / "emoji.lance"
    scandir = os.scandir

    def removed_before(folder: Any = ".") -> Any:
        """Remove the table between the look at its folder and the list of its manifests."""
        if folder == table / "_versions":
            shutil.rmtree(table)
        return scandir(folder)

    with opened() as page:
        before = page.get("/api/d/emoji/page?limit=30")
        kept = workspace / "kept"
        shutil.copytree(table, kept)
        monkeypatch.setattr(os, "scandir", removed_before)
        assert page.get("/api/d/emoji/page?limit=30") == before
        assert not table.exists()
        monkeypatch.undo()
        monkeypatch.chdir(workspace)
        kept.rename(table)
        assert page.get("/api/d/emoji/page?limit=30") == before


def test_no_process_sees_a_snapshot_that_lacks_files(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in (workspace / "catalog" / "emoji.lance" / "data").iterdir():
        data.unlink()  # as in the middle of a checkout
    seen: list[Path] = []
    is_complete = snapshots.is_complete_table

    def looked_at(table: Path) -> bool:
        views = workspace.glob(".likewise/views/*/emoji.lance")
        seen.extend(view for view in views if not is_complete(view))
        return is_complete(table)

    monkeypatch.setattr(snapshots, "is_complete_table", looked_at)
    with pytest.raises(LikewiseError, match="emoji"):
        len(likewise.open("emoji"))
    assert not seen


def test_a_revision_is_opened_by_its_name(alice: Path) -> None:
    with opened() as page:
        assert page.get("/api/d/emoji/page?rev=v1")["items"] == 24
        assert page.get("/api/d/emoji/page?rev=v2")["items"] == 23
        mark = page.get("/api/d/emoji/page?rev=v1")["v"]
        assert page.get(f"/api/d/emoji/page?v={mark}")["items"] == 24
        page.refused("/api/d/emoji/page?rev=v9", 404)


def test_a_branch_is_the_commit_that_it_has_now(
    alice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "REVISION_SECONDS", 0.0)
    run_git(alice, "branch", "moving", "v1")
    with opened() as page:
        assert page.get("/api/d/emoji/page?rev=moving")["items"] == 24
        run_git(alice, "branch", "--force", "moving", "v2")
        now = page.get("/api/d/emoji/page?rev=moving")
        assert (now["items"], now["copy"]["sql"]) == (23, None)
        assert page.get("/api/d/emoji/page")["copy"]["sql"], "the checkout is no revision"


def test_a_version_that_is_not_open_is_refused(alice: Path) -> None:
    with opened() as page:
        fault = page.refused("/api/d/emoji/page?v=0123456789abcdef", 409)
        assert fault["kind"] == "StaleArtefactError"


def test_few_versions_are_kept_open(workspace: Path) -> None:
    with opened() as page:
        marks = [page.get("/api/d/emoji/page")["v"]]
        for number in range(KEPT):
            likewise.correct("emoji", ["0_noto.jpg"], {"text": f"text {number}"})
            likewise.ingest("emoji")
            likewise.publish("emoji")
            marks.append(page.get("/api/d/emoji/page")["v"])
        assert len(set(marks)) == KEPT + 1
        page.refused(f"/api/d/emoji/page?v={marks[0]}", 409)
        for mark in marks[1:]:
            assert page.get(f"/api/d/emoji/page?v={mark}")["v"] == mark


def test_a_table_that_is_replaced_is_read_as_before(workspace: Path) -> None:
    with opened() as page:
        before = page.get("/api/d/emoji/page")
        shutil.rmtree(workspace / "catalog" / "emoji.lance")
        assert page.get("/api/d/emoji/page") == before
