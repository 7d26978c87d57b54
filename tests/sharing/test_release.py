"""Releases: checks, written files, and reading them again."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import likewise
from likewise.errors import DataError, UnknownNameError
from likewise.storage import versions
from likewise.storage.versions import run_git

pytestmark = [pytest.mark.dvc, pytest.mark.torch]


def test_a_release_is_a_tag_of_gto_and_an_entry(alice: Path) -> None:
    done = likewise.release("emoji", "1.2", message="Emoji, all of them.")
    assert (done.tag, done.before, done.changes) == ("emoji@v1.2.0", "", "first release")
    text = (alice / "catalog" / "emoji" / "CHANGELOG.md").read_text("utf-8")
    assert text == "# emoji: releases\n\n## emoji@v1.2.0\n\nEmoji, all of them.\n\n23 items.\n"
    assert done.files == ["catalog/emoji/CHANGELOG.md", "catalog/emoji/croissant.json"]
    assert run_git(alice, "status", "--porcelain") == ""
    assert run_git(alice, "cat-file", "-t", "emoji@v1.2.0") == "tag\n"
    for rev in ("1.2", "v1.2", "v1.2.0", "emoji@v1.2.0"):
        assert len(likewise.open("emoji", rev=rev).items) == 23
    assert "emoji@v1.2.0" in likewise.log("emoji")[0].names  # though its commit changed nothing
    with pytest.raises(UnknownNameError, match=r"did you mean 'emoji@v1.2.0'"):
        likewise.open("emoji", rev="emoji@v1.3")
    with pytest.raises(DataError, match=r"was released as emoji@v1.2.0; choose a larger"):
        likewise.release("emoji", "1.2.0")
    with pytest.raises(DataError, match="'one' is not a version"):
        likewise.release("emoji", "one")


VALIDATE = """
import sys, mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
print(sorted(dataset.metadata.ctx.issues.errors), dataset.metadata.version)
print(len(list(dataset.records("items"))) if len(sys.argv) > 2 else "")
"""


def test_a_release_is_described_in_croissant(alice: Path) -> None:
    """An export of the release contains exactly the table of the committed digest."""
    pytest.importorskip("mlcroissant")
    likewise.release("emoji", "1.2")
    released = alice / "catalog" / "emoji" / "croissant.json"
    assert not list((alice / ".likewise" / "staging").glob("release*"))
    likewise.export("emoji", "croissant", alice / "out", rev="1.2")
    shutil.copy(released, alice / "out" / "croissant.json")
    command = [sys.executable, "-c", VALIDATE, str(alice / "out" / "croissant.json"), "all"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "[] 1.2.0\n23\n"
    document = json.loads(released.read_text("utf-8"))
    table = (alice / "out" / "items.csv").read_bytes()
    assert document["distribution"][0]["sha256"] == hashlib.sha256(table).hexdigest()


def test_what_keeps_a_release_back_is_named(alice: Path) -> None:
    card = alice / "catalog" / "emoji.yaml"
    card.write_text(card.read_text("utf-8").replace("title: ", "title: My "), "utf-8")
    with pytest.raises(DataError, match=r"uncommitted changes: catalog/emoji.yaml"):
        likewise.release("emoji", "1")
    text = card.read_text("utf-8")
    cut = text[: text.index("licence:")] + text[text.index("citation:") :]
    card.write_text(cut, "utf-8")
    run_git(alice, "commit", "--quiet", "--all", "--message", "no licence")
    with pytest.raises(DataError, match=r"emoji.yaml names no licence") as caught:
        likewise.release("emoji", "1")
    assert len(str(caught.value).splitlines()) == 1
    assert run_git(alice, "tag", "--list", "emoji*") == ""


@pytest.mark.parametrize("last", ["add", "commit", "tag"])
def test_a_release_that_was_killed_is_completed_by_the_next(
    alice: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    def killed(root: Path, *words: str, watch: versions.Watch | None = None) -> str:
        writes = (("add", "--"), ("commit", "--quiet"), ("tag", "--annotate"))
        if words[:2] in writes and words[0] == last:
            raise KeyboardInterrupt
        return run_git(root, *words, watch=watch)

    with monkeypatch.context() as patch:
        patch.setattr("likewise.steps.release.versions.run_git", killed)
        with pytest.raises(KeyboardInterrupt):
            likewise.release("emoji", "1.2", message="All.")
    assert likewise.release("emoji", "1.2", message="All.").tag == "emoji@v1.2.0"
    text = (alice / "catalog" / "emoji" / "CHANGELOG.md").read_text("utf-8")
    assert text == "# emoji: releases\n\n## emoji@v1.2.0\n\nAll.\n\n23 items.\n"
    assert run_git(alice, "status", "--porcelain") == ""
    assert run_git(alice, "tag", "--list", "emoji@*") == "emoji@v1.2.0\n"
    with pytest.raises(DataError, match="was released as"):
        likewise.release("emoji", "1.2")
