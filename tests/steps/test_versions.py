"""Earlier versions through dvc.lock and the DVC cache, with the real git and dvc."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import likewise
from forked import run_dvc
from likewise.errors import MissingArtefactError, VersionError
from likewise.storage import tables, versions
from likewise.storage.workspace import Workspace

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

TABLES = (
    "catalog/emoji/images.lance",
    "catalog/emoji/items.lance",
    "catalog/emoji/findings.lance",
    "catalog/emoji/embeddings/tiny.lance",
    "catalog/emoji.lance",
)
STEPS = (
    ("ingest", "emoji"),
    ("embed", "emoji", "tiny"),
    ("publish", "emoji"),
    ("evaluate", "emoji-tiny"),
)


@pytest.fixture(scope="module")
def committed(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Evaluate the catalogue and commit it to git and a DVC cache."""
    root = tmp_path_factory.mktemp("committed") / "workspace"
    shutil.copytree(_catalogue, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(root.parent / "site"))
        patch.setenv("DVC_NO_ANALYTICS", "1")
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "A")
            patch.setenv(f"GIT_{role}_EMAIL", "a@example.org")
        likewise.init(root)
        likewise.evaluate("emoji-tiny", workspace=root)
        record(root, "one")
        yield root


@pytest.fixture
def versioned(committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy it for one test, and make it the current folder."""
    root = tmp_path / "versioned"
    shutil.copytree(committed, root, ignore=shutil.ignore_patterns("views"))
    monkeypatch.chdir(root)
    return root


def record(root: Path, message: str) -> None:
    """Commit what is there to DVC and git."""
    run_dvc(root, "commit", "--force", "--quiet")
    versions.run_git(root, "add", "--all")
    versions.run_git(root, "commit", "--quiet", "--message", message)
    versions.run_git(root, "tag", message)


def remove(root: Path, *outputs: str) -> None:
    """Remove outputs, as DVC does before it runs their stage."""
    for output in outputs:
        shutil.rmtree(root / output)


def views(root: Path) -> dict[Path, int]:
    """Return the existing views and their times."""
    folder = root / ".likewise" / "views"
    return (
        {path: path.stat().st_mtime_ns for path in folder.iterdir()} if folder.exists() else {}
    )


def relabel(root: Path) -> None:
    """Make another version of everything: one drawing of 1000 gets label 0, one is removed."""
    images = root / "emoji" / "images"
    (images / "1000_noto.jpg").rename(images / "0_znoto.jpg")
    (images / "400_fluent.jpg").unlink()
    for step, *names in STEPS:
        getattr(likewise, step)(*names, workspace=root)


def test_what_is_there_is_itself(versioned: Path) -> None:
    ws = Workspace(versioned)
    assert versions.locate(ws, ws.published("emoji")) == ws.published("emoji")
    assert views(versioned) == {}


def test_what_was_never_made_is_nowhere(versioned: Path) -> None:
    ws = Workspace(versioned)
    assert versions.recorded_view(ws, ws.published("birds")) is None
    assert versions.locate(ws, ws.published("birds")) == ws.published("birds")


def test_a_published_table_that_dvc_removed_is_read(versioned: Path) -> None:
    before = likewise.open("emoji", workspace=versioned)
    items, vectors = before.items, before.vectors("tiny")
    data = before.images(["0_noto.jpg"], encoded=True)
    shutil.rmtree(versioned / ".likewise")
    remove(versioned, *TABLES)
    (versioned / "catalog" / "emoji.columns.yaml").unlink()
    dataset = likewise.open("emoji", workspace=versioned)
    assert dataset.items.equals(items)
    np.testing.assert_array_equal(dataset.vectors("tiny"), vectors)
    assert dataset.images(["0_noto.jpg"], encoded=True) == data


def test_a_view_is_links_into_the_cache_made_once(versioned: Path) -> None:
    remove(versioned, *TABLES)
    ws = Workspace(versioned)
    for output in TABLES:
        view = versions.locate(ws, versioned / output)
        files = [path for path in view.rglob("*") if path.is_file()]
        assert min(path.stat().st_nlink for path in files) == 2
        assert tables.exists(view)
    made = views(versioned)
    assert len(made) == len(TABLES)
    for output in TABLES:
        versions.locate(ws, versioned / output)
    assert views(versioned) == made


def test_an_output_that_is_a_file_has_a_view_too(versioned: Path) -> None:
    ws = Workspace(versioned)
    queries = ws.queries("emoji-tiny")
    data = queries.read_bytes()
    queries.unlink()
    assert versions.locate(ws, queries).read_bytes() == data


def test_outputs_of_the_same_bytes_have_a_view_each(versioned: Path) -> None:
    model = "  twin: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}\n"
    params = versioned / "params.yaml"
    text = params.read_text("utf-8").replace("embeddings:\n", f"{model}embeddings:\n", 1)
    params.write_text(text, "utf-8")
    likewise.load("twin", workspace=versioned)
    run_dvc(versioned, "commit", "--force", "--quiet", "load@twin")
    ws = Workspace(versioned)
    remove(versioned, "models/tiny", "models/twin")
    found = [versions.locate(ws, ws.model(name)) for name in ("tiny", "twin")]
    assert [path.name for path in found] == ["tiny", "twin"]
    weights = [(path / "model.safetensors").read_bytes() for path in found]
    assert weights[0] == weights[1]


def test_steps_take_over_what_dvc_removed(versioned: Path) -> None:
    """Also if only git's files and the cache exist: after a clone, after a pull."""
    digests = {path: path.read_bytes() for path in versioned.glob("catalog/**/*.yaml")}
    shutil.rmtree(versioned / ".likewise")
    remove(versioned, *TABLES, "models/tiny")
    ingested = likewise.ingest("emoji", workspace=versioned)
    assert (ingested.read, ingested.kept, ingested.removed) == (0, 24, 0)
    embedded = likewise.embed("emoji", "tiny", workspace=versioned)
    assert (embedded.computed, embedded.taken_over, embedded.dropped) == (0, 24, 0)
    assert likewise.publish("emoji", workspace=versioned).items == 24
    assert {path: path.read_bytes() for path in digests} == digests


def test_steps_read_each_others_removed_outputs(versioned: Path) -> None:
    remove(versioned, *TABLES, "models/tiny")
    assert likewise.embed("emoji", "tiny", workspace=versioned).taken_over == 24
    remove(versioned, "catalog/emoji/embeddings/tiny.lance")
    assert likewise.publish("emoji", workspace=versioned).items == 24


def test_a_cache_that_lacks_a_file_gives_no_view(versioned: Path) -> None:
    output = versioned / "catalog" / "emoji" / "embeddings" / "tiny.lance"
    largest = max((p for p in output.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    for path in (versioned / ".dvc" / "cache").rglob("*"):
        if path.is_file() and path.read_bytes() == largest.read_bytes():
            path.chmod(0o644)
            path.unlink()
    remove(versioned, "catalog/emoji/embeddings/tiny.lance")
    assert versions.recorded_view(Workspace(versioned), output) is None
    with pytest.raises(MissingArtefactError, match=r"run: dvc repro embed@emoji-tiny$"):
        likewise.publish("emoji", workspace=versioned)
    done = likewise.embed("emoji", "tiny", workspace=versioned)
    assert (done.computed, done.taken_over) == (24, 0)


def test_without_a_cache_the_command_is_named(versioned: Path) -> None:
    shutil.rmtree(versioned / ".dvc" / "cache")
    remove(versioned, "catalog/emoji.lance")
    dataset = likewise.open("emoji", workspace=versioned)
    with pytest.raises(MissingArtefactError, match=r"run: dvc repro publish@emoji$"):
        dataset.items  # noqa: B018 (it is read here)


def test_a_reader_outlives_a_checkout_of_another_version(versioned: Path) -> None:
    old = likewise.open("emoji", workspace=versioned)
    items, vectors = old.items, old.vectors("tiny")
    unread = likewise.open("emoji", workspace=versioned)
    relabel(versioned)
    record(versioned, "two")
    new = likewise.open("emoji", workspace=versioned)
    assert "0_znoto.jpg" in new.items["item_id"]
    after = new.vectors("tiny")

    versions.run_git(versioned, "checkout", "--quiet", "one")
    # Between git checkout and dvc checkout, the tables are still those of version two.
    assert likewise.open("emoji", workspace=versioned).items.equals(new.items)
    run_dvc(versioned, "checkout", "--quiet")
    again = likewise.open("emoji", workspace=versioned)
    for reader in (old, unread, again):
        assert reader.items.equals(items)
        np.testing.assert_array_equal(reader.vectors("tiny"), vectors)
        assert len(reader.images(["1000_noto.jpg", "400_fluent.jpg"])) == 2
    np.testing.assert_array_equal(new.vectors("tiny"), after)
    assert len(new.images(["0_znoto.jpg"])) == 1

    versions.run_git(versioned, "checkout", "--quiet", "two")
    run_dvc(versioned, "checkout", "--quiet")
    assert likewise.open("emoji", workspace=versioned).items.equals(new.items)


def test_a_version_that_grew_from_another_shares_its_data(versioned: Path) -> None:
    """Only the difference is new in the cache."""
    cache = versioned / ".dvc" / "cache"

    def stored() -> set[Path]:
        return {path for path in cache.rglob("*") if path.is_file()}

    data = versioned / "catalog" / "emoji" / "images.lance" / "data"
    old = {path.relative_to(data) for path in data.rglob("*")}
    before = stored()
    samples = Path(__file__).parents[2] / "samples" / "emoji" / "images"
    for path in samples.glob("1_*.jpg"):
        shutil.copy(path, versioned / "emoji" / "images" / f"0_{path.name}")
    likewise.ingest("emoji", workspace=versioned)
    assert old < {path.relative_to(data) for path in data.rglob("*")}
    run_dvc(versioned, "commit", "--force", "--quiet", "ingest@emoji")
    new = stored() - before
    bytes_of_images = {path.read_bytes() for path in (data / p for p in old) if path.is_file()}
    assert not bytes_of_images & {path.read_bytes() for path in new}


def test_a_catalogue_below_a_repositorys_root_has_views(
    committed: Path, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    root = tmp_path / "research" / "retrieval"
    shutil.copytree(committed, root, ignore=shutil.ignore_patterns(".git", ".dvc", ".likewise"))
    (root / "dvc.lock").unlink()
    likewise.init(root)
    run_dvc(root, "commit", "--force", "--quiet")
    items = likewise.open("emoji", workspace=root).items
    remove(root, *TABLES)
    assert likewise.open("emoji", workspace=root).items.equals(items)


def test_what_git_and_dvc_say_is_one_line(versioned: Path) -> None:
    with pytest.raises(VersionError, match=r"^git checkout nothing failed: error: ") as caught:
        versions.run_git(versioned, "checkout", "nothing")
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(VersionError, match=r"^dvc checkout failed: .*nothing") as caught:
        versions.check_out(versioned, ["nothing"])
    assert len(str(caught.value).splitlines()) == 1


def test_a_machine_without_git_is_reported(
    versioned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(versioned / "catalog"))
    with pytest.raises(VersionError, match=r"^git is not installed; install it and try again$"):
        versions.run_git(versioned, "status")
