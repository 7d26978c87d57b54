"""Some columns of a published table: what comes is counted, and what does not is fetched."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import likewise
from likewise import tables, versions
from likewise.errors import DataError, UnknownNameError, VersionError
from likewise.versions import run_dvc, run_git
from likewise.workspace import Workspace

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

SECOND = """\
models:
  other: {kind: timm, backbone: test_resnet.r160_in1k, weights: random, input_size: 64}
"""

EMBEDDED = """\
embeddings:
  emoji-other: {dataset: emoji, model: other}
"""


@pytest.fixture
def two_models(alice: Path) -> Path:
    """Her catalogue with the vectors of two models, committed and pushed."""
    params = alice / "params.yaml"
    text = params.read_text("utf-8").replace("models:\n", SECOND)
    params.write_text(text.replace("embeddings:\n", EMBEDDED), "utf-8")
    likewise.train("other")
    likewise.embed("emoji", "other")
    likewise.publish("emoji")
    run_dvc(alice, "commit", "--quiet", "--force")
    run_git(alice, "commit", "--quiet", "--all", "--message", "two models")
    run_git(alice, "push", "--quiet", "origin", "main")
    likewise.push()
    return alice


def size(root: Path, *columns: str) -> int:
    """Bytes of the files of the published table in which these columns lie."""
    path = root / "catalog" / "emoji.lance"
    names = tables.files_of(tables.open_table(path, ""), columns)
    files = [
        f for f in path.rglob("*") if f.relative_to(path).as_posix().startswith(tuple(names))
    ]
    return sum(f.stat().st_size for f in files if f.is_file())


def cached(root: Path) -> int:
    files = (root / ".dvc" / "cache").rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file())


def test_columns_come_without_others(two_models: Path, bob: Path) -> None:
    table = tables.open_table(two_models / "catalog" / "emoji.lance", "")
    plain = tables.metadata_columns(table)
    done = likewise.pull_columns("emoji", ["label", "subset"], workspace=bob)
    assert done.columns == plain
    assert done.partial == ["catalog/emoji.lance"]
    assert done.nbytes == cached(bob)
    assert size(two_models, *plain) < done.nbytes < size(two_models, *plain) + 100_000
    mine, yours = (likewise.open("emoji", workspace=root) for root in (two_models, bob))
    assert yours.items.equals(mine.items)
    assert yours.frame().collect_schema().names() == plain
    sql = "select count(*) as n from emoji where label = '0'"
    assert likewise.query(sql, workspace=bob).item() == likewise.query(sql).item() > 0
    with pytest.raises(DataError, match="tiny"):
        likewise.query("select tiny from emoji", workspace=bob)
    assert cached(bob) == done.nbytes
    assert not (bob / "catalog" / "emoji.lance").exists()


def test_a_models_vectors_come_alone_or_when_asked_for(two_models: Path, bob: Path) -> None:
    likewise.pull_columns("emoji", ["label"], workspace=bob)
    before = cached(bob)
    done = likewise.pull_columns("emoji", ["tiny"], workspace=bob)
    assert done.nbytes == cached(bob) - before == size(two_models, "tiny")
    mine, yours = (likewise.open("emoji", workspace=root) for root in (two_models, bob))
    assert yours.absent == ["other"]
    np.testing.assert_array_equal(yours.vectors("tiny"), mine.vectors("tiny"))
    hits = [
        d.search(id="0_noto.jpg", model="tiny", k=3)["item_id"].to_list() for d in (mine, yours)
    ]
    assert hits[0] == hits[1]
    np.testing.assert_array_equal(yours.vectors("other"), mine.vectors("other"))
    assert cached(bob) == before + size(two_models, "tiny") + size(two_models, "other")
    assert yours.absent == []
    done = likewise.pull_columns("emoji", ["label", "other", "tiny"], workspace=bob)
    assert (done.nbytes, done.partial) == (0, [])
    assert (bob / "catalog" / "emoji.lance").is_dir()
    assert run_git(bob, "status", "--porcelain") == ""


def test_it_is_found_again_when_its_view_was_pruned(two_models: Path, bob: Path) -> None:
    likewise.pull_columns("emoji", ["label"], workspace=bob)
    shutil.rmtree(bob / ".likewise" / "views")
    shutil.rmtree(two_models.parent / "remote")
    assert len(likewise.open("emoji", workspace=bob).items) == 23
    with pytest.raises(VersionError, match="remote"):
        likewise.open("emoji", workspace=bob).vectors("tiny")


def test_what_is_not_there_is_said(two_models: Path, bob: Path) -> None:
    with pytest.raises(DataError, match="no column 'lable'; did you mean 'label'"):
        likewise.pull_columns("emoji", ["lable"], workspace=bob)
    with pytest.raises(UnknownNameError, match="did you mean 'emoji'"):
        likewise.pull_columns("emojis", ["label"], workspace=bob)
    (bob / "dvc.lock").unlink()
    with pytest.raises(
        VersionError, match=r"dvc.lock knows no catalog/emoji.lance; run: git pull"
    ):
        likewise.pull_columns("emoji", ["label"], workspace=bob)


def test_a_corrected_label_pushes_no_vector(two_models: Path) -> None:
    output = Workspace(two_models).published("emoji")
    before = versions.files_of(Workspace(two_models), output)
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"})
    likewise.publish("emoji")
    run_dvc(two_models, "commit", "--quiet", "--force", "publish")
    after = versions.files_of(Workspace(two_models), output)
    new = set(after.values()) - set(before.values())
    vectors = {
        after[file]
        for file in tables.files_of(tables.open_table(output, ""), ["tiny", "other"])
    }
    assert len(vectors) == 2
    assert not vectors & new
    listed = versions.outputs(two_models)["catalog/emoji.lance"].md5
    pushed = likewise.push(["emoji"])
    # A small file may lie there already: an index of words is at times the same as another.
    assert 0 < pushed.nbytes <= versions.Store(two_models).size({*new, listed})
