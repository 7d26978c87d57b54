"""Take-downs: removed contents are searched byte by byte in every possible place."""

import hashlib
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

import forked
import likewise
from catalogues import once
from forked import run_dvc
from likewise.catalogue import corrections, takedowns
from likewise.catalogue.takedowns import Entry, Record
from likewise.errors import (
    DataError,
    MissingArtefactError,
    UnknownNameError,
    VersionError,
)
from likewise.storage import tables, versions
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace
from servers import DIE_AT_RENAME

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

ITEM = "0_noto.jpg"

LEFT = shutil.ignore_patterns("site", "views")
"""Files that a copy of a catalogue makes again."""

FLAT = "\nindexes:\n  flat: {kind: faiss, factory: 'IVF2,Flat'}"


def traces(root: Path) -> list[bytes]:
    """Bytes of the item's picture, and of its vector."""
    picture = (root / "emoji" / "images" / ITEM).read_bytes()
    table = tables.open_table(root / "catalog" / "emoji.lance", "")
    row = table.read(["item_id"])["item_id"].to_list().index(ITEM)
    return [picture[-400:-300], table.vectors("tiny")[row].tobytes()[:40]]


def command(root: Path, *words: str) -> None:
    """Run likewise in a process of its own, which holds nothing when it ends."""
    forked.run(root, "likewise", *words).check_returncode()


def found(folder: Path, words: list[bytes]) -> set[str]:
    """Return the files below ``folder`` that contain one of ``words``."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix()
        for path in files
        if any(word in path.read_bytes() for word in words)
    }


def repro(root: Path) -> list[str]:
    """Return the stages that dvc repro runs."""
    said = run_dvc(root, "repro")
    return [line.split("'")[1] for line in said.splitlines() if line.startswith("Running")]


def files(done: "likewise.Forgotten", kind: str) -> set[str]:
    return {path for holder in done.holders if holder.kind == kind for path in holder.files}


@dataclass(frozen=True)
class Taken:
    """The team after an item was forgotten; the item's contents, and the printed text."""

    top: Path
    words: list[bytes]
    done: "likewise.Forgotten"


@pytest.fixture(scope="module")
def taken(_team: Path, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """The item is also in an index, a correction and a card."""
    top = tmp_path_factory.mktemp("taken") / "team"
    shutil.copytree(_team, top, symlinks=True, ignore=LEFT)
    alice = top / "alice"
    words = traces(alice)
    params, card = alice / "params.yaml", alice / "catalog" / "emoji.yaml"
    params.write_text(params.read_text("utf-8").replace("\nindexes:", FLAT), "utf-8")
    command(alice, "index", "emoji", "tiny", "flat")
    likewise.correct("emoji", [ITEM], {"label": "200"}, workspace=alice)
    assert found(alice / ".likewise" / "indexes", words)
    card.write_text(card.read_text("utf-8").replace("a drawing is", f"{ITEM} is"), "utf-8")
    done = likewise.forget("emoji", [ITEM], reason="request 17", workspace=alice)
    return Taken(top, words, done)


@pytest.fixture
def without(taken: Taken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the catalogue without the item, and make it the current folder."""
    shutil.copytree(taken.top, tmp_path / "team", symlinks=True, ignore=LEFT)
    monkeypatch.chdir(tmp_path / "team" / "alice")
    return tmp_path / "team" / "alice"


def test_nothing_of_it_is_left(taken: Taken, without: Path) -> None:
    done, words, alice = taken.done, taken.words, taken.top / "alice"
    assert (done.items, done.forgotten) == ([ITEM], 1)
    assert done.remade == [
        "prepare@emoji",
        "ingest@emoji",
        "embed@emoji-tiny",
        "publish@emoji",
    ]
    assert done.repro == ["evaluate@emoji-tiny"]
    for folder in ("catalog", "reports", ".likewise"):
        assert found(alice / folder, words) == set()
    assert corrections.read(Workspace(alice).corrections("emoji")) == {}
    assert not list(alice.glob("reports/emoji-tiny*"))
    named = {holder.kind: holder for holder in done.holders}
    assert [h.where.split()[-1] for h in done.holders if h.kind == "version"] == [
        "origin/main",
        "v1",
    ]
    assert named["text"].where == "catalog/emoji.yaml"
    assert named["source"].command == f"rm emoji/images/{ITEM}"
    assert named["history"].where == f"emoji/images/{ITEM}"
    held = {f".dvc/cache/{path}" for path in found(alice / ".dvc" / "cache", words)}
    assert len(held) > 3
    assert held <= files(done, "cache")
    remote = taken.top / "remote"
    there = {str(remote / path) for path in found(remote, words)}
    assert there <= files(done, "remote")
    assert repro(without) == ["evaluate@emoji-tiny"]
    assert repro(without) == []
    hits = pl.read_parquet(without / "reports" / "emoji-tiny.parquet")
    assert not hits["hits"].explode().is_in([ITEM]).any()
    assert [p for p in likewise.doctor() if p.check not in ("library", "source")] == []


def test_it_is_purged_from_cache_and_remote(taken: Taken, without: Path) -> None:
    words, team = taken.words, without.parent
    run_git(without, "commit", "--quiet", "--all", "--message", "without it")
    likewise.push()
    before = len(likewise.open("emoji").items)
    done = likewise.forget("emoji", purge=True)
    assert done.purged > 0
    assert {holder.kind for holder in done.holders} == {"source", "history", "text"}
    for folder in (without / ".dvc", without / ".likewise", without / "catalog"):
        assert found(folder, words) == set()
    assert found(team / "remote", words) == set()
    assert run_dvc(without, "status", "--cloud") == "Cache and remote 'team' are in sync.\n"
    run_git(without, "push", "--quiet", "origin", "main")
    run_git(team, "clone", "--quiet", "git", "carol")
    likewise.pull(workspace=team / "carol")
    assert len(likewise.open("emoji", workspace=team / "carol").items) == before
    old = likewise.open("emoji", rev="v1", workspace=team / "carol")
    with pytest.raises(VersionError, match="missing or damaged on the remote"):
        old.vectors("tiny")


def test_a_source_that_dvc_keeps_is_reported(recorded: Path) -> None:
    data = (recorded / "emoji" / "images" / ITEM).read_bytes()
    cached = versions.Store(recorded).path(hashlib.md5(data, usedforsecurity=False).hexdigest())
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(data)  # as dvc add does
    done = likewise.forget("emoji", [ITEM], reason="request 17")
    told = [h for h in done.holders if (h.kind, h.where) == ("cache", "emoji/images")]
    assert [holder.files for holder in told] == [[cached.relative_to(recorded).as_posix()]]
    assert "dvc gc --workspace --cloud" in told[0].command


def test_it_does_not_come_back(without: Path) -> None:
    images = without / "emoji" / "images"
    shutil.copy(images / ITEM, images / "600_copy.jpg")
    shutil.copy(images / "600_noto.jpg", images / ITEM)  # its name, with other bytes
    said = run_dvc(without, "repro", "--single-item", "ingest@emoji")
    assert "Running stage 'ingest@emoji'" in said
    likewise.embed("emoji", "tiny")
    likewise.publish("emoji")
    dataset = likewise.open("emoji")
    assert len(dataset.items) == 22
    assert not {ITEM, "600_copy.jpg"} & set(dataset.items["image_id"])
    assert likewise.ingest("emoji").forgotten == 2
    findings = tables.open_table(Path("catalog/emoji/findings.lance")).read(["path"])
    assert not findings["path"].str.contains("copy|0_noto").any()


def test_a_record_that_a_merge_brought_is_put_into_force(alice: Path) -> None:
    words = traces(alice)
    picture = alice / "emoji" / "images" / ITEM
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    file = Workspace(alice).forgotten("emoji")
    file.write_text(takedowns.text(Record((Entry("", "", sha256, "request 17"),))), "utf-8")
    told = [p.command for p in likewise.doctor() if p.check == "forgotten"]
    assert set(told) == {"likewise forget emoji"}
    assert len(told) == 4
    done = likewise.forget("emoji")
    assert done.items == [ITEM]
    assert takedowns.read(file).entries[-1] == Entry(ITEM, ITEM, sha256, "request 17")
    assert found(alice / "catalog", words) == set()
    assert picture.is_file()
    again = likewise.forget("emoji", [ITEM])
    assert (again.items, again.remade) == ([], [])


@pytest.mark.usefixtures("forked_python")
def test_two_branches_forget_and_git_keeps_both(taken: Taken, without: Path) -> None:
    run_git(without, "commit", "--quiet", "--all", "--message", "request 17")
    run_git(without, "checkout", "--quiet", "-b", "other", "HEAD~1")
    run_dvc(without, "checkout", "--quiet", "--force")
    likewise.forget("emoji", ["200_noto.jpg"], reason="request 18")
    run_git(without, "commit", "--quiet", "--all", "--message", "request 18")
    run_git(without, "checkout", "--quiet", "main")
    run_dvc(without, "checkout", "--quiet", "--force", *taken.done.remade)
    likewise.merge("other", prefer="ours")
    both = takedowns.read(Workspace(without).forgotten("emoji"))
    assert both.items == {ITEM, "200_noto.jpg"}
    assert likewise.forget("emoji").items == []
    assert len(likewise.open("emoji").items) == 21


def test_what_cannot_be_forgotten_is_reported(alice: Path, bob: Path) -> None:
    with pytest.raises(DataError, match=r"no item '0_not.jpg'; did you mean '0_noto.jpg'"):
        likewise.forget("emoji", [ITEM, "0_not.jpg"], reason="request 17")
    with pytest.raises(DataError, match="a new take-down needs a reason"):
        likewise.forget("emoji", [ITEM])
    with pytest.raises(DataError, match="emoji would have no items left"):
        likewise.forget(
            "emoji", likewise.open("emoji").items["item_id"].to_list(), reason="all"
        )
    with pytest.raises(UnknownNameError, match="did you mean 'emoji'"):
        likewise.forget("emojis", [ITEM], reason="request 17")
    assert run_git(alice, "status", "--porcelain") == ""
    likewise.pull(images=False, workspace=bob)
    with pytest.raises(MissingArtefactError, match="run: likewise pull emoji --images"):
        likewise.forget("emoji", [ITEM], reason="request 17", workspace=bob)


def test_bytes_that_no_version_has_are_recorded(recorded: Path) -> None:
    done = likewise.forget("emoji", ["ab" * 32], reason="never take it in")
    assert (done.items, done.remade, done.holders) == (["ab" * 32], ["prepare@emoji"], [])
    assert versions.changed_dependencies(Workspace(recorded), ["ingest@emoji"]) == [
        ("ingest@emoji", "catalog/emoji/forgotten.csv")
    ]


KILLED = f"""{DIE_AT_RENAME}
left = die_at_rename(int(sys.argv[1]))
import likewise
likewise.forget("emoji", ["0_noto.jpg"], reason="request 17")
print(left())
"""


def killed(root: Path, deadly: int) -> "subprocess.CompletedProcess[str]":
    """Forget the item in a process that kills itself at this rename."""
    return forked.run(root, "python", "-c", KILLED, str(deadly))


@pytest.fixture(scope="module")
def renames(_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """The number of renames of a take-down that nothing kills."""

    def make(root: Path) -> None:
        shutil.copytree(_repository, root, symlinks=True, dirs_exist_ok=True)
        (root / "count").write_text(str(1000 - int(killed(root, 1000).stdout)), "utf-8")

    return int((once(tmp_path_factory, "renames", make) / "count").read_text("utf-8"))


@pytest.mark.parametrize(
    ("share", "back", "rows"),
    [
        (0, -1, 24),
        (0.5, 0, 23),
        pytest.param(1, 8, 23, marks=pytest.mark.slow),
        (1, 3, 23),
        pytest.param(1, 0, 23, marks=pytest.mark.slow),
    ],
)
def test_a_killed_forget_leaves_the_old_or_the_new(
    recorded: Path, renames: int, share: float, back: int, rows: int
) -> None:
    """It is killed at a share of the renames, less ``back``; later moments leave the new."""
    words = traces(recorded)
    assert killed(recorded, int(share * renames) - back).returncode == -signal.SIGKILL
    likewise.datasets()  # completes the decided take-down
    assert tables.open_table(recorded / "catalog" / "emoji.lance", "").rows == rows
    likewise.forget("emoji", [ITEM], reason="request 17")
    assert len(likewise.open("emoji").items) == 23
    for folder in ("catalog", "reports", ".likewise"):
        assert found(recorded / folder, words) == set()
    assert not any((recorded / ".likewise" / "staging").glob("*"))


def test_a_box_goes_with_its_picture(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shutil.copytree(cards, tmp_path / "cards")
    monkeypatch.chdir(root)
    published = root / "catalog" / "cards.lance"
    names = ["item_id", "image_id", "label"]
    before = tables.open_table(published, "").read(names)
    image = before.filter(pl.col("item_id").str.ends_with("#2"))["image_id"][0]
    gone = before.filter(image_id=image)["item_id"].to_list()
    assert len(gone) > 1
    done = likewise.forget("cards", [gone[-1]], reason="a face")
    assert done.items == sorted(gone)
    assert [holder.kind for holder in done.holders] == ["source"]
    after = tables.open_table(published, "").read(names)
    assert after.equals(before.filter(pl.col("image_id") != image))
    images = tables.open_table(root / "catalog" / "cards" / "images.lance", "")
    assert images.rows == before["image_id"].n_unique() - 1
    assert likewise.ingest("cards").forgotten == 1


def test_a_record_is_read_strictly_and_merged_by_union(tmp_path: Path) -> None:
    file = tmp_path / "forgotten.csv"
    entry = Entry("a", "a", "0" * 64, "one, two")
    file.write_text(
        takedowns.text(Record((entry,))) + takedowns.text(Record((entry,))), "utf-8"
    )
    assert takedowns.read(file) == Record((entry,))
    file.write_text("item_id,image_id,sha256,reason\na,a,zz,why\n", "utf-8")
    with pytest.raises(DataError, match="line 2 is not item_id,image_id,sha256,reason"):
        takedowns.read(file)
    file.write_text("a,b\n", "utf-8")
    with pytest.raises(DataError, match="its first line is not"):
        takedowns.read(file)
    assert takedowns.read(tmp_path / "none.csv") == Record()
