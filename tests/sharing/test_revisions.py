"""Open any version next to the checked-out one, without a copy; missing files are fetched."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import likewise
from forked import run, run_dvc
from likewise.errors import (
    DataError,
    MissingArtefactError,
    UnknownNameError,
    VersionError,
)
from likewise.storage import versions
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

MOVED, GONE = "1000_noto.jpg", "400_fluent.jpg"


def test_both_versions_are_open_at_once(alice: Path) -> None:
    new, old = likewise.open("emoji"), likewise.open("emoji", rev="v1")
    assert (len(new.items), len(old.items)) == (23, 24)
    assert {MOVED, GONE} <= set(old.items["item_id"])
    assert not {MOVED, GONE} & set(new.items["item_id"])
    assert len(old.images([GONE])) == 1
    np.testing.assert_array_equal(old.vectors("tiny").shape[0], 24)
    assert old.search(id=GONE, k=3)["item_id"].len() == 3
    assert len(likewise.open("emoji", rev="HEAD").items) == 23
    assert run_git(alice, "status", "--porcelain") == ""


def test_a_version_is_links_into_the_cache(alice: Path) -> None:
    likewise.open("emoji", rev="v1").items.clear()
    views = alice / ".likewise" / "views"
    files = [path for path in views.rglob("*.lance") if path.is_file()]
    assert files
    assert min(path.stat().st_nlink for path in files) >= 2


def test_card_params_and_numbers_are_those_of_the_revision(alice: Path) -> None:
    card = alice / "catalog" / "emoji.yaml"
    card.write_text(card.read_text("utf-8").replace("Emoji in", "Drawings in"), "utf-8")
    shown = likewise.show("emoji", rev="v1")
    assert shown.card.title == "Emoji in GPR1200's layout"
    assert likewise.show("emoji").card.title == "Drawings in GPR1200's layout"
    assert shown.contents is not None
    assert shown.contents.items == 24
    assert shown.runs[0].metrics == likewise.evaluate("emoji-tiny", rev="v1").metrics
    assert [summary.items for summary in likewise.datasets(rev="v1")] == [24]


def test_sql_at_a_revision(alice: Path) -> None:
    sql = "select count(*) as n from emoji where label = '1000'"
    assert likewise.query(sql, rev="v1").frame.item() == 4
    assert likewise.query(sql).frame.item() == 3
    joined = "select count(*) as n from queries_emoji_tiny"
    assert likewise.query(joined, rev="v1").frame.item() == 24


def test_an_evaluation_of_a_revision_writes_nothing(alice: Path) -> None:
    before = (alice / "reports" / "emoji-tiny.json").read_bytes()
    old = likewise.evaluate("emoji-tiny", rev="v1")
    assert len(old.queries) == 24
    assert (alice / "reports" / "emoji-tiny.json").read_bytes() == before
    assert run_git(alice, "status", "--porcelain") == ""


def test_what_the_cache_lacks_is_fetched_and_pixels_only_when_asked_for(bob: Path) -> None:
    cache = bob / ".dvc" / "cache"
    dataset = likewise.open("emoji", rev="v1", workspace=bob)
    assert len(dataset.items) == 24
    assert dataset.vectors("tiny").shape[0] == 24
    images = versions.recorded_files(
        versions.workspace_at(Workspace(bob), "v1"), dataset._ws.table("emoji", "images")
    )
    packs = [md5 for path, md5 in images.items() if path.endswith(".blob")]
    assert len(packs) == 1
    held = versions.Store(bob)
    assert sorted(held.lacking(packs)) == sorted(packs)
    data = dataset.images([GONE], encoded=True)
    assert held.lacking(packs) == []
    assert data == likewise.open("emoji", rev="v1").images([GONE], encoded=True)
    assert not (bob / "catalog" / "emoji.lance").exists()
    assert cache.is_dir()


def test_a_repository_elsewhere(team: Path) -> None:
    """Its DVC remote has an address relative to it, not to the clone of it."""
    assert "url = ../../remote" in (team / "alice" / ".dvc" / "config").read_text("utf-8")
    url = (team / "git").as_uri()
    old = likewise.open("emoji", repo=url, rev="v1")
    assert len(old.items) == 24
    assert old.images([GONE], encoded=True)[0][:2] == b"\xff\xd8"
    assert len(likewise.open("emoji", repo=url).items) == 23
    with pytest.raises(UnknownNameError, match="no revision named 'v9'"):
        likewise.open("emoji", repo=url, rev="v9")
    shutil.rmtree(team / "git")
    assert len(likewise.open("emoji", repo=url).items) == 23  # the last fetched state
    with pytest.raises(VersionError, match="nothing cannot be cloned"):
        likewise.open("emoji", repo=(team / "nothing").as_uri())


def test_a_checkout_elsewhere_is_opened_unchanged(
    team: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(likewise.open("emoji", repo=str(team / "alice"), rev="v1").items) == 24


def test_an_unknown_revision_gets_the_nearest(alice: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no revision named 'v3'; did you mean 'v[12]'"):
        likewise.open("emoji", rev="v3")
    with pytest.raises(UnknownNameError, match="no revision named '--help'"):
        likewise.open("emoji", rev="--help")


def test_a_revision_before_the_catalogue(alice: Path) -> None:
    run_git(alice, "checkout", "--quiet", "--orphan", "other")
    run_git(alice, "rm", "-r", "--quiet", "--cached", ".")
    run_git(alice, "commit", "--quiet", "--allow-empty", "--message", "nothing")
    with pytest.raises(MissingArtefactError, match="there was no catalogue at HEAD"):
        likewise.open("emoji", rev="HEAD")


def test_without_a_remote_what_lacks_is_a_clear_line(bob: Path) -> None:
    run_dvc(bob, "remote", "remove", "team")
    with pytest.raises(VersionError, match="there is no remote; run: dvc remote add"):
        likewise.open("emoji", rev="v1", workspace=bob).items  # noqa: B018


def test_a_version_that_dvc_gc_removed_is_named_and_fetched_again(alice: Path) -> None:
    url = str(alice.parent / "remote")
    run_dvc(alice, "gc", "--workspace", "--force", "--quiet")
    run_dvc(alice, "remote", "remove", "team")
    shutil.rmtree(alice / ".likewise", ignore_errors=True)
    with pytest.raises(VersionError) as caught:
        likewise.open("emoji", rev="v1").items  # noqa: B018
    commit = run_git(alice, "rev-parse", "v1^{commit}")[:10]
    assert str(caught.value) == (
        f"the data of catalog/emoji.lance at v1 ({commit}) are not in DVC's cache (dvc gc "
        "removes them), and cannot be fetched: there is no remote; run: dvc remote add -d NAME "
        "URL, with the URL that they were pushed to"
    )
    shown = likewise.show("emoji", rev="v1")
    assert (shown.state, shown.contents, shown.models) == ("published", None, [])
    assert shown.card.title
    assert shown.remark == f"{caught.value}; git has: 24 items, vectors of tiny"
    assert [run.metrics is None for run in shown.runs] == [False]
    done = run(alice, "likewise", "show", "emoji", "--rev", "v1")
    assert done.returncode == 0
    assert done.stderr == f"likewise: {shown.remark}\n"
    run_dvc(alice, "remote", "add", "--default", "team", url)
    assert len(likewise.open("emoji", rev="v1").items) == 24
    assert likewise.show("emoji", rev="v1").remark == ""


def test_a_remote_that_is_not_there_is_a_clear_line(bob: Path) -> None:
    run_dvc(bob, "remote", "modify", "team", "url", str(bob.parent / "elsewhere"))
    with pytest.raises(VersionError, match="missing or damaged on the remote") as caught:
        likewise.open("emoji", rev="v1", workspace=bob).items  # noqa: B018
    assert len(str(caught.value).splitlines()) == 1


def test_views_of_another_checkout_are_not_read(alice: Path, bob: Path) -> None:
    count = "select count(*) as n from emoji"
    assert likewise.query(count, rev="v1").frame.item() == 24
    card = next((alice / ".likewise" / "revisions").glob("*/catalog/emoji.yaml"))
    card.write_text(card.read_text("utf-8").replace("Emoji in", "False emoji in"), "utf-8")
    theirs, planted = alice / ".likewise", bob / ".likewise"
    for folder in ("revisions", "views"):  # an archive without git can contain them
        shutil.copytree(theirs / folder, planted / folder, symlinks=True)
    for view in [*planted.glob("views/*"), *planted.glob("revisions/*")]:
        shutil.copytree(view, view.with_name(view.name.rpartition("-")[0]))
    for table in planted.glob("views/*/emoji.lance"):
        shutil.rmtree(table)
        shutil.copytree(alice / "catalog" / "emoji.lance", table)
    shown = likewise.show("emoji", rev="v1", workspace=bob)
    assert shown.card.title == "Emoji in GPR1200's layout"
    assert shown.contents is not None
    assert shown.contents.items == 24
    assert likewise.query(count, rev="v1", workspace=bob).frame.item() == 24
    assert len(likewise.open("emoji", rev="v1", workspace=bob).items) == 24


def test_views_that_nobody_reads_are_pruned(alice: Path) -> None:
    ws = Workspace(alice)
    old = likewise.open("emoji", rev="v1")
    items = old.items
    private = alice / ".likewise"
    made = [p for name in ("revisions", "views") for p in sorted((private / name).iterdir())]
    assert versions.remove_unused_views(ws, unused=0) == []  # this process reads them
    for handle in versions.views._locked.values():
        os.close(handle)
    versions.views._locked.clear()
    assert versions.remove_unused_views(ws, unused=3600) == []
    assert versions.remove_unused_views(ws, unused=0) == made
    assert likewise.open("emoji", rev="v1").items.equals(items)


def test_a_read_only_checkout_opens_its_versions(
    alice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
    shutil.rmtree(alice / ".likewise", ignore_errors=True)
    assert len(likewise.open("emoji", rev="v1").items) == 24
    assert not (alice / ".likewise" / "views").exists()
    assert (tmp_path / "home" / "likewise").is_dir()


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A repository whose card is a link to a file outside the repository."""
    root = tmp_path / "foreign"
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text("models: {}\n", "utf-8")
    (root / "catalog" / "emoji.yaml").symlink_to("/etc/hostname")
    run_git(root, "init", "-q", "-b", "main")
    run_git(root, "add", ".")
    run_git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a link")
    return root


def test_a_link_that_leads_out_of_a_foreign_repository_is_refused(foreign: Path) -> None:
    with pytest.raises(DataError, match=r"emoji\.yaml.*is a link to an absolute path"):
        likewise.open("emoji", repo=str(foreign))


@pytest.mark.parametrize("nbytes", [0, 700, 1300, 1540])
def test_an_archive_that_broke_off_is_refused_and_leaves_nothing(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nbytes: int
) -> None:
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    broken = f'{shutil.which("git")} "$@" | head -c {nbytes}'
    git.write_text(
        f'#!/bin/sh\n[ "$1" != archive ] && exec {shutil.which("git")} "$@"\n{broken}\n'
    )
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    with pytest.raises(DataError, match="at main is incomplete; run: git fsck"):
        versions.workspace_at(Workspace(foreign), "main")
    assert not list(foreign.rglob("*.part"))


def test_a_release_is_found_by_its_number_where_only_one_has_it(alice: Path) -> None:
    run_git(alice, "tag", "emoji@v1.0.0", "v1")
    assert likewise.query("select count(*) as n from emoji", rev="1.0").frame.item() == 24
    assert likewise.evaluate("emoji-tiny", rev="v1.0").counts["queries"] == 24
    run_git(alice, "tag", "birds@v1.0.0", "v1")
    with pytest.raises(UnknownNameError, match=r"no revision named '1.0'; there are: birds@"):
        likewise.query("select count(*) as n from emoji", rev="1.0")
    assert len(likewise.open("emoji", rev="1.0").items) == 24
    for pattern in ("*", "v[12]", "v?"):
        with pytest.raises(UnknownNameError, match="no revision named"):
            likewise.open("emoji", rev=pattern)


def test_a_run_is_compared_with_itself_at_another_revision(alice: Path) -> None:
    found = likewise.compare("emoji-tiny@v1", "emoji-tiny")
    numbers = [likewise.evaluate("emoji-tiny", rev=rev).metrics for rev in ("v1", "v2")]
    assert (found.first, found.second) == ("emoji-tiny@v1", "emoji-tiny")
    # In v2 one drawing is removed, and another has another name.
    assert found.notes == [
        "2 of 24 queries of emoji-tiny@v1 are not in the other, and left out",
        "1 of 23 queries of emoji-tiny are not in the other, and left out",
    ]
    kept = likewise.compare("emoji-tiny@v2", "emoji-tiny").rows[0]
    assert kept.first == kept.second == pytest.approx(numbers[1]["all"], abs=1e-4)


def test_experiments_are_revisions_by_their_names(alice: Path) -> None:
    """DVC keeps them as git references: refs/exps, the parent commit, the name."""
    start = run_git(alice, "rev-parse", "v1").strip()
    run_git(alice, "update-ref", f"refs/exps/{start[:2]}/{start[2:]}/lucky-toms", start)
    assert len(likewise.open("emoji", rev="lucky-toms").items) == 24
    assert (
        likewise.compare("emoji-tiny@lucky-toms", "emoji-tiny@v1").rows[0].difference.value == 0
    )
