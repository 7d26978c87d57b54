"""Pull some columns of a published table: bytes are counted, missing columns are fetched."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import likewise
from forked import run_dvc
from likewise.errors import DataError, LikewiseError, UnknownNameError, VersionError
from likewise.storage import tables, versions
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

SECOND = """\
models:
  other: {kind: timm, backbone: test_resnet.r160_in1k, weights: random, input_size: 64}
"""

EMBEDDED = """\
embeddings:
  emoji-other: {dataset: emoji, model: other}
"""


@pytest.fixture(scope="module")
def _prepared(_team: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The team, with the vectors of two models in Alice's catalogue, committed and pushed."""
    top = tmp_path_factory.mktemp("columns") / "team"
    shutil.copytree(_team, top, symlinks=True, ignore=shutil.ignore_patterns("site", "views"))
    root = top / "alice"
    params = root / "params.yaml"
    text = params.read_text("utf-8").replace("models:\n", SECOND)
    params.write_text(text.replace("embeddings:\n", EMBEDDED), "utf-8")
    likewise.load("other", workspace=root)
    likewise.embed("emoji", "other", workspace=root)
    likewise.publish("emoji", workspace=root)
    run_dvc(root, "commit", "--quiet", "--force")
    run_git(root, "commit", "--quiet", "--all", "--message", "two models")
    run_git(root, "push", "--quiet", "origin", "main")
    likewise.push(workspace=root)
    return top


def size(root: Path, *columns: str) -> int:
    """Return the bytes of the files of the published table that contain these columns."""
    path = root / "catalog" / "emoji.lance"
    names = tables.open_table(path).files(columns)
    files = [
        f for f in path.rglob("*") if f.relative_to(path).as_posix().startswith(tuple(names))
    ]
    return sum(f.stat().st_size for f in files if f.is_file())


def cached(root: Path) -> int:
    files = (root / ".dvc" / "cache").rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file())


def there(remote: Path) -> set[str]:
    """Return the MD5 of every file in a remote folder."""
    return {f"{path.parent.name}{path.name}" for path in remote.rglob("*") if path.is_file()}


def test_columns_come_without_others(alice: Path, bob: Path) -> None:
    table = tables.open_table(alice / "catalog" / "emoji.lance", "")
    plain = table.metadata_columns
    done = likewise.pull_columns("emoji", ["label", "subset"], workspace=bob)
    assert done.columns == plain
    assert done.partial == ["catalog/emoji.lance"]
    assert done.nbytes == cached(bob)
    assert size(alice, *plain) < done.nbytes < size(alice, *plain) + 100_000
    mine, yours = (likewise.open("emoji", workspace=root) for root in (alice, bob))
    assert yours.items.equals(mine.items)
    assert yours.frame().collect_schema().names() == plain
    sql = "select count(*) as n from emoji where label = '0'"
    here, there = (likewise.query(sql, workspace=ws).frame.item() for ws in (bob, None))
    assert here == there > 0
    with pytest.raises(DataError, match="tiny"):
        likewise.query("select tiny from emoji", workspace=bob)
    assert cached(bob) == done.nbytes
    assert not (bob / "catalog" / "emoji.lance").exists()


def test_a_models_vectors_come_alone_or_when_asked_for(alice: Path, bob: Path) -> None:
    likewise.pull_columns("emoji", ["label"], workspace=bob)
    before = cached(bob)
    done = likewise.pull_columns("emoji", ["tiny"], workspace=bob)
    assert done.nbytes == cached(bob) - before == size(alice, "tiny")
    mine, yours = (likewise.open("emoji", workspace=root) for root in (alice, bob))
    assert yours.absent == ["other"]
    np.testing.assert_array_equal(yours.vectors("tiny"), mine.vectors("tiny"))
    hits = [
        d.search(id="0_noto.jpg", model="tiny", k=3)["item_id"].to_list() for d in (mine, yours)
    ]
    assert hits[0] == hits[1]
    np.testing.assert_array_equal(yours.vectors("other"), mine.vectors("other"))
    assert cached(bob) == before + size(alice, "tiny") + size(alice, "other")
    assert yours.absent == []
    done = likewise.pull_columns("emoji", ["label", "other", "tiny"], workspace=bob)
    assert (done.nbytes, done.partial) == (0, [])
    assert (bob / "catalog" / "emoji.lance").is_dir()
    assert run_git(bob, "status", "--porcelain") == ""


def test_an_export_fetches_the_vectors_that_it_writes(
    alice: Path, bob: Path, tmp_path: Path
) -> None:
    likewise.pull_columns("emoji", ["label"], workspace=bob)
    ws = Workspace(bob)
    versions.pull_files(ws, ws.table("emoji", "images"), lambda _: True)
    before = cached(bob)
    likewise.export("emoji", "csv", tmp_path / "csv", workspace=bob)
    assert cached(bob) == before
    choice = {"model": "tiny"}
    likewise.export("emoji", "embeddings", tmp_path / "tiny", options=choice, workspace=bob)
    assert cached(bob) == before + size(alice, "tiny")
    assert likewise.open("emoji", workspace=bob).absent == ["other"]
    expected = likewise.open("emoji", workspace=alice).vectors("tiny")
    np.testing.assert_array_equal(np.load(tmp_path / "tiny" / "tiny.npy"), expected)


def test_it_is_found_again_when_its_view_was_pruned(alice: Path, bob: Path) -> None:
    likewise.pull_columns("emoji", ["label"], workspace=bob)
    shutil.rmtree(bob / ".likewise" / "views")
    shutil.rmtree(alice.parent / "remote")
    assert len(likewise.open("emoji", workspace=bob).items) == 23
    with pytest.raises(VersionError, match="remote"):
        likewise.open("emoji", workspace=bob).vectors("tiny")


def test_a_list_of_another_checkout_is_not_used(alice: Path, bob: Path) -> None:
    likewise.pull_columns("emoji", ["label"], workspace=bob)
    (record,) = (bob / ".likewise" / "parts").iterdir()
    names = json.loads(json.loads(record.read_text("utf-8"))["names"])
    record.write_text(json.dumps(names), "utf-8")
    shutil.rmtree(bob / ".likewise" / "views")
    shutil.rmtree(alice.parent / "remote")
    with pytest.raises(LikewiseError):
        likewise.open("emoji", workspace=bob).items  # noqa: B018 (the table is read)


def test_what_is_not_there_is_reported(alice: Path, bob: Path) -> None:
    with pytest.raises(DataError, match="no column 'lable'; did you mean 'label'"):
        likewise.pull_columns("emoji", ["lable"], workspace=bob)
    with pytest.raises(UnknownNameError, match="did you mean 'emoji'"):
        likewise.pull_columns("emojis", ["label"], workspace=bob)
    (bob / "dvc.lock").unlink()
    with pytest.raises(
        VersionError, match=r"dvc.lock does not list catalog/emoji.lance; run: git pull"
    ):
        likewise.pull_columns("emoji", ["label"], workspace=bob)


def test_a_corrected_label_pushes_no_vector(alice: Path) -> None:
    output = Workspace(alice).published("emoji")
    before = versions.recorded_files(Workspace(alice), output)
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"})
    likewise.publish("emoji")
    run_dvc(alice, "commit", "--quiet", "--force", "publish")
    after = versions.recorded_files(Workspace(alice), output)
    new = set(after.values()) - set(before.values())
    vectors = {after[file] for file in tables.open_table(output).files(["tiny", "other"])}
    assert len(vectors) == 2
    assert not vectors & new
    new.add(versions.outputs(alice)["catalog/emoji.lance"].md5)
    # A small file may exist already: two indexes of words can be equal.
    lacking = new - there(alice.parent / "remote")
    pushed = likewise.push(["emoji"])
    assert pushed.files == len(lacking) > 0
    assert pushed.nbytes == versions.Store(alice).size(lacking)


def test_a_model_that_comes_brings_its_own_vectors_alone(alice: Path) -> None:
    """The new model is listed first in params.yaml; the files of the other stay unchanged."""
    lock = versions.read_outputs(run_git(alice, "show", "v2:dvc.lock"))
    members = versions.Store(alice).members(lock["catalog/emoji.lance"])
    assert members is not None
    now = versions.recorded_files(Workspace(alice), Workspace(alice).published("emoji"))
    before, after = (
        {md5 for path, md5 in files.items() if path.startswith("data/")}
        for files in (members, now)
    )
    assert before < after
    assert versions.Store(alice).size(after - before) == size(alice, "other")
    assert len([path for path in now if path.endswith(".manifest")]) == 1
    assert likewise.open("emoji").models == ["tiny", "other"]
