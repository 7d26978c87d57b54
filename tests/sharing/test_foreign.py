"""A catalogue that somebody else wrote: opening and pulling it harms nothing outside it."""

import json
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import likewise
from foreign_catalogue import CARD, OUTPUT, Foreign, foreign_folder
from likewise.catalogue.pulled_outputs import left_out, record_left_out
from likewise.errors import DataError, LikewiseError
from likewise.imaging.file_stamps import read_stamps, write_stamps
from likewise.storage import journal, seals, tables
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.dvc


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Foreign:
    return foreign_folder(tmp_path, monkeypatch)


PLANTED = {
    "a journal": ".likewise/commits/x.json",
    "a take-down": ".likewise/forgetting/birds.json",
    "an index": ".likewise/indexes/birds/tiny/cells/index",
    "a staged table": ".likewise/staging/embed-birds-tiny/tiny.lance/data/1",
    "a checkpoint": ".likewise/trainings/m/0/checkpoints/last.pt",
    "a view": ".likewise/views/0/birds.lance/data/1",
    "another case": ".LIKEWISE/commits/x.json",
    "local settings": ".dvc/config.local",
    "a file of DVC's cache": ".dvc/cache/files/md5/00/0",
    "a lock of DVC": ".dvc/tmp/lock",
}


@pytest.mark.parametrize("name", PLANTED.values(), ids=PLANTED.keys())
def test_files_that_only_a_checkout_writes_are_refused_from_git(
    foreign: Foreign, name: str
) -> None:
    moves = {"../home/thesis.txt": "stolen.txt", "params.yaml": ".git/hooks/post-commit"}
    clone = foreign.publish({name: json.dumps(moves)})
    before = foreign.outside()
    verbs: tuple[Callable[[], object], ...] = (
        lambda: likewise.open(workspace=clone),
        lambda: likewise.datasets(workspace=clone),
        lambda: likewise.open(repo=str(clone)),
        lambda: likewise.init(clone),
        lambda: likewise.forget("birds", ["x"], reason="y", workspace=clone),
    )
    for verb in verbs:
        with pytest.raises(DataError, match=r"git tracks \.\w+.*git rm -r --cached \."):
            verb()
    assert foreign.outside() == before


LINKS = {
    "catalog/birds": "../../home",
    "params.yaml": "../home/.bashrc",
    ".gitignore": "../home/.bashrc",
    "reports": "/etc",
    "models": "../home",
    "dvc.lock": "../home/thesis.txt",
    "catalog/x": "../.git/hooks",
    ".dvc/config": "../../home/.bashrc",
}


@pytest.mark.parametrize(("name", "target"), LINKS.items())
def test_links_out_of_the_places_that_are_written_are_refused(
    foreign: Foreign, name: str, target: str
) -> None:
    theirs = foreign.top / "theirs"
    clone = foreign.publish({})
    (theirs / name).parent.mkdir(parents=True, exist_ok=True)
    (theirs / name).unlink(missing_ok=True)
    (theirs / name).symlink_to(target)
    run_git(theirs, "add", "--all", "--force")
    run_git(theirs, "commit", "--quiet", "--message", "a link")
    run_git(clone, "pull", "--quiet")
    before = foreign.outside()
    with pytest.raises(LikewiseError, match=r"outside the catalogue|no catalogue"):
        likewise.open(workspace=clone)
    with pytest.raises(DataError, match=r"outside the catalogue, but Likewise writes"):
        likewise.init(clone)
    assert foreign.outside() == before


def test_links_that_stay_in_the_catalogue_are_allowed(foreign: Foreign) -> None:
    clone = foreign.publish({"catalog/a.yaml": CARD}, {"catalog/b.yaml": "a.yaml"})
    assert list(likewise.open(workspace=clone)) == ["birds"]


JOURNALS: dict[str, dict[str, str]] = {
    "out": {"{staged}": "../home/.bashrc"},
    "absolute": {"{staged}": "{top}/home/.bashrc"},
    "a hook": {"{staged}": ".git/hooks/post-commit"},
    "a hook in capitals": {"{staged}": ".GIT/hooks/post-commit"},
    "through a link": {"{staged}": "catalog/away/.bashrc"},
    "NUL": {"{staged}": "catalog/\0"},
    "from outside": {"../home/thesis.txt": "catalog/stolen.txt"},
    "from git": {".git/config": "catalog/stolen.txt"},
    "from another job": {".likewise/staging/other/a": "catalog/stolen.txt"},
    "up and down": {"{staged}": "catalog/../catalog/x"},
}


@pytest.mark.parametrize("moves", JOURNALS.values(), ids=JOURNALS.keys())
@pytest.mark.parametrize("sealed", [False, True])
def test_no_journal_moves_anything_out_of_the_catalogue(
    foreign: Foreign, moves: dict[str, str], sealed: bool
) -> None:
    clone = foreign.publish({})
    ws = Workspace(clone)
    (clone / "catalog" / "away").symlink_to(foreign.top / "home")
    staged = journal.Staging(ws, "x").folder / "a"
    staged.write_text("PWNED\n", "utf-8")
    names = {"staged": ws.relative(staged), "top": str(foreign.top)}
    text = json.dumps({a.format(**names): b.format(**names) for a, b in moves.items()})
    document: dict[str, Any] = json.loads(text)  # as releases before the seals wrote it
    if sealed:
        document = {"moves": text, "seal": seals.seal(ws, "staging/x", text.encode())}
    ws.commits.mkdir(parents=True)
    (ws.commits / "x.json").write_text(json.dumps(document), "utf-8")
    before = foreign.outside()
    why = r"refused|symbolic link|staging folder of its" if sealed else "not written by this"
    with pytest.raises(DataError, match=why):
        likewise.open(workspace=clone)
    assert foreign.outside() == before
    assert not list(clone.rglob("stolen.txt"))
    assert staged.is_file()


def pending(ws: Workspace) -> Path:
    """A commit of this checkout that was killed before its first move."""
    staging = journal.Staging(ws, "x")
    staging.path(ws.corrections("birds")).write_text("new\n", "utf-8")
    recover, journal.recover = journal.recover, lambda _: None  # type: ignore[assignment]
    try:
        staging.commit()
    finally:
        journal.recover = recover
    return ws.commits / "x.json"


def test_a_checkout_completes_its_own_commit_on_any_host(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = Workspace(foreign.publish({}))
    pending(ws)
    monkeypatch.setattr("socket.gethostname", lambda: "another-node")
    likewise.open(workspace=ws.root)
    assert ws.corrections("birds").read_text("utf-8") == "new\n"


def test_a_journal_of_another_checkout_is_not_obeyed(foreign: Foreign) -> None:
    first = Workspace(foreign.publish({}))
    run_git(first.root, "worktree", "add", "--quiet", "../tree")
    tree = Workspace(foreign.top / "tree")
    run_git(foreign.top, "clone", "--quiet", "theirs", "second")
    pending(first)
    for other in (tree, Workspace(foreign.top / "second")):
        shutil.copytree(first.private, other.private)
        with pytest.raises(DataError, match="was not written by this checkout"):
            likewise.open(workspace=other.root)
        assert not other.corrections("birds").exists()
        shutil.rmtree(other.private)
        pending(other)
        likewise.open(workspace=other.root)
        assert other.corrections("birds").exists()


def test_the_key_is_where_no_clone_carries_it(foreign: Foreign) -> None:
    clone = foreign.publish({})
    pending(Workspace(clone))
    (key,) = (clone / ".git" / "likewise").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) == 32
    run_git(foreign.top, "clone", "--quiet", "clone", "again")
    assert not (foreign.top / "again" / ".git" / "likewise").exists()


def test_a_key_that_others_could_have_written_is_none(foreign: Foreign) -> None:
    ws = Workspace(foreign.publish({}))
    pending(ws)
    (key,) = (ws.root / ".git" / "likewise").iterdir()
    key.chmod(0o666)
    with pytest.raises(DataError, match="was not written by this checkout"):
        likewise.open(workspace=ws.root)


def test_without_git_the_key_is_in_the_users_state(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(foreign.top / "state"))
    shutil.rmtree(foreign.publish({}) / ".git")
    ws = Workspace(foreign.clone)
    pending(ws)
    moved = Workspace(ws.root.rename(foreign.top / "elsewhere"))
    likewise.open(workspace=moved.root)
    assert moved.corrections("birds").exists()
    pending(moved)
    monkeypatch.setenv("XDG_STATE_HOME", str(foreign.top / "of somebody else"))
    with pytest.raises(DataError, match="was not written by this checkout"):
        likewise.open(workspace=moved.root)


def test_a_planted_take_down_removes_nothing(workspace: Path) -> None:
    ws, precious = Workspace(workspace), workspace.parent / "precious.txt"
    precious.write_text("mine", "utf-8")
    plan = json.dumps({"stages": [], "stale": [], "dropped": [], "files": ["../precious.txt"]})
    own = seals.seal(ws, "forgetting/emoji", plan.encode())
    for text, why in (
        (plan, "was not written by this checkout"),
        (json.dumps({"plan": plan, "seal": "0" * 64}), "was not written by this checkout"),
        (json.dumps({"plan": plan, "seal": own}), "it leads upwards"),
        ("[" * 100_000, "was not written by this checkout"),
    ):
        ws.forgetting("emoji").parent.mkdir(parents=True, exist_ok=True)
        ws.forgetting("emoji").write_text(text, "utf-8")
        with pytest.raises(DataError, match=rf"forgetting/emoji\.json.*{why}"):
            likewise.forget("emoji")
        assert precious.is_file()


def test_stamps_of_another_checkout_are_not_believed(workspace: Path) -> None:
    ws = Workspace(workspace)
    source = ws.source(ws.dataset("emoji").path)
    picture, other = source / "0_noto.jpg", source / "1000_noto.jpg"
    images = tables.open_table(ws.table("emoji", "images"), "")
    before = dict(images.read(["image_id", "sha256"]).iter_rows())
    picture.write_bytes(other.read_bytes())
    facts = pl.DataFrame(
        {
            "path": [picture.name],
            "nbytes": [picture.stat().st_size],
            "stamp": [picture.stat().st_mtime_ns],
            "sha256": [before[picture.name]],
        }
    )
    forged = BytesIO()
    facts.write_ipc(forged)
    for text in (b"", b"0" * 64, b"\xff" * 64):
        ws.stamps("emoji").parent.mkdir(parents=True, exist_ok=True)
        ws.stamps("emoji").write_bytes(text + forged.getvalue())
        assert read_stamps(ws, ws.stamps("emoji")).is_empty()
    assert likewise.ingest("emoji").read == 1
    write_stamps(ws, facts, ws.stamps("emoji"))
    assert read_stamps(ws, ws.stamps("emoji")).equals(facts)


def test_lists_of_pulls_of_another_checkout_are_not_believed(foreign: Foreign) -> None:
    ws = Workspace(foreign.publish({}))
    list_of_names = ws.record("left_out.json")
    foreign_seal = json.dumps({"names": json.dumps([OUTPUT]), "seal": "0" * 64})
    for text in (json.dumps([OUTPUT]), foreign_seal, "[" * 100_000, "null", "\xff"):
        list_of_names.parent.mkdir(parents=True, exist_ok=True)
        list_of_names.write_text(text, "latin-1")
        assert left_out(ws) == set()
    record_left_out(ws, [], [OUTPUT])
    assert left_out(ws) == {OUTPUT}
    run_git(foreign.top, "clone", "--quiet", "theirs", "second")
    second = Workspace(foreign.top / "second")
    shutil.copytree(ws.private, second.private)
    assert left_out(second) == set()
    list_of_names.unlink()
    list_of_names.symlink_to(foreign.top / "home" / "names.json")
    with pytest.raises(DataError, match="is a symbolic link"):
        record_left_out(ws, [], [OUTPUT])
    assert not (foreign.top / "home" / "names.json").exists()


def test_kept_work_of_another_checkout_is_not_resumed(foreign: Foreign) -> None:
    ws = Workspace(foreign.publish({}))
    (ws.staging("embed-birds-tiny") / "tiny.lance").mkdir(parents=True)
    with pytest.raises(DataError, match="embed-birds-tiny was not written by this checkout"):
        journal.Staging(ws, "embed-birds-tiny", keep=("tiny.lance",))
    assert journal.Staging(ws, "embed-birds-tiny").folder.is_dir()


def test_state_folders_that_are_links_are_not_written_through(foreign: Foreign) -> None:
    clone = foreign.publish({})
    (clone / ".likewise").symlink_to(foreign.top / "home")
    before = foreign.outside()
    with pytest.raises(DataError, match=r"\.likewise is a symbolic link"):
        likewise.open(workspace=clone)
    with pytest.raises(DataError, match=r"\.likewise is a symbolic link"):
        journal.Staging(Workspace(clone), "ingest-birds")
    with (
        pytest.raises(DataError, match=r"\.likewise is a symbolic link"),
        journal.exclusive_job(Workspace(clone), "ingest-birds"),
    ):
        pass
    assert foreign.outside() == before
