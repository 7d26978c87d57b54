"""With parallel processes and killed ones, readers see one version, and nothing is lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import forked
import likewise
from forked import run_dvc
from likewise.errors import LikewiseError, MissingArtefactError
from likewise.storage.versions import run_git
from servers import Command, kill

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

MOVED, GONE = "1000_noto.jpg", "400_fluent.jpg"
"""Items of v1; v2 has 23 items, without these two."""

HOLD = """
import sys, time
from pathlib import Path
from likewise.storage import journal
from likewise.storage.workspace import Workspace
with journal.exclusive_job(Workspace(Path(".").resolve()), "publish-emoji"):
    print("held", flush=True)
    time.sleep(600)
"""

CHECKOUT = """
import os, signal, sys
from dvc.cli import main
left = int(sys.argv[1])
def count(event, args):
    global left
    if event in ("os.link", "os.remove") and "/catalog/" in str(args):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
main(["checkout"])
"""
"""A checkout that kills itself when the given number of files is linked or removed."""

TOGGLE = "for rev in v1 v2 v1; do git checkout -q $rev && dvc checkout -q; done"


def whole(root: Path) -> int:
    """Open and read everything; return the number of items, equal everywhere."""
    dataset = likewise.open("emoji", workspace=root)
    items = dataset.items
    count = len(items)
    assert (MOVED in items["item_id"]) == (count == 24)
    assert dataset.vectors("tiny").shape[0] == count
    found = dataset.search(id="0_noto.jpg", model="tiny", k=100)
    assert {*found["item_id"], "0_noto.jpg"} == {*items["item_id"]}
    assert len(dataset.images(items["item_id"].to_list(), encoded=True)) == count
    return count


def test_a_reader_keeps_its_version_through_a_dvc_checkout(alice: Path) -> None:
    """With an open table, Lance once found 299 of 599 rows without an error."""
    reader = likewise.open("emoji")
    items, vectors = reader.items, reader.vectors("tiny")
    lazy = likewise.open("emoji")
    assert lazy.table.rows == 23
    run_git(alice, "checkout", "--quiet", "v1")
    run_dvc(alice, "checkout", "--quiet")
    assert whole(alice) == 24
    for old in (reader, lazy):
        assert old.items.equals(items)
        np.testing.assert_array_equal(old.vectors("tiny"), vectors)
        found = old.search(id="0_noto.jpg", model="tiny", k=100)
        assert {*found["item_id"], "0_noto.jpg"} == {*items["item_id"]}
        assert len(old.images(items["item_id"].to_list(), encoded=True)) == 23


def test_whoever_opens_during_a_checkout_sees_one_version(alice: Path) -> None:
    commands = {**os.environ, "PATH": forked.search_path()}
    seen: list[int] = []
    with subprocess.Popen(["sh", "-c", TOGGLE], cwd=alice, env=commands) as toggling:
        while toggling.poll() is None:
            with suppress(LikewiseError):  # git replaces dvc.lock at this moment
                seen.append(whole(alice))
    assert toggling.returncode == 0
    assert set(seen) == {23, 24}
    assert whole(alice) == 24


@pytest.mark.parametrize(
    "pattern",
    [
        "emoji.lance/data/*.lance",
        "emoji.lance/_indices/*/part_0_docs.lance",
        "emoji/images.lance/data/*/*.blob",
    ],
)
def test_a_table_without_all_of_its_files_is_not_read(alice: Path, pattern: str) -> None:
    """As during a checkout: Lance opens the table, and fails or reads fewer rows."""
    missing = min((alice / "catalog").glob(pattern))
    kept = missing.rename(alice / missing.name)
    assert whole(alice) == 23  # the version that dvc.lock names
    shutil.rmtree(alice / ".likewise")
    (alice / ".dvc" / "cache").rename(alice / "cache")
    with pytest.raises(MissingArtefactError, match=r"lacks files: .*; run: dvc checkout"):
        likewise.open("emoji", workspace=alice)
    kept.rename(missing)
    assert whole(alice) == 23


@pytest.mark.parametrize("deadly", [2, 15])
def test_a_killed_checkout_resumes(alice: Path, deadly: int) -> None:
    run_git(alice, "checkout", "--quiet", "v1")
    done = forked.run(alice, "python", "-c", CHECKOUT, str(deadly))
    assert done.returncode == -signal.SIGKILL
    assert whole(alice) in (23, 24)
    likewise.pull()  # DVC's locks of the dead process are in nobody's way
    assert whole(alice) == 24
    assert run_dvc(alice, "diff") == ""


def test_a_second_writer_is_refused_with_its_name_until_that_one_dies(alice: Path) -> None:
    words = [sys.executable, "-c", HOLD]
    with subprocess.Popen(words, cwd=alice, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        said = Command(alice, "publish", "emoji").fails(4)
        assert said.startswith(f"likewise: publish-emoji is running in process {first.pid} on ")
        kill(first.pid)
    lock = alice / ".likewise" / "locks" / "publish-emoji"
    assert str(first.pid) in lock.read_text("utf-8")  # its lock is still there
    assert likewise.publish("emoji").items == 23


def test_two_pushes_at_once(alice: Path, team: Path, bob: Path) -> None:
    likewise.pull(workspace=bob)
    shutil.rmtree(team / "remote")
    both = [Command(root, "push", "--json") for root in (alice, bob)]
    assert sum(json.loads(one.ends())["files"] for one in both) > 0
    (bob / ".dvc" / "cache").rename(team / "cache")
    assert likewise.pull(workspace=bob).files > 0
    assert whole(bob) == 23
