"""The code of the quickstart, the how-tos and the tutorials runs, and its output is true.

``WRITE_OUTPUTS=1 pytest tests/test_doc_pages.py`` replaces the outputs in the pages by those of
this run; read the difference, and replace times by ``...``.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import forked
import likewise
from catalogues import once, sign
from document_blocks import Block, blocks, differs, folder_of, rewrite, run_block
from likewise.storage.versions import run_git

pytestmark = [pytest.mark.dvc, pytest.mark.torch, pytest.mark.no_cover]

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SAMPLES = ROOT / "samples"

PAGES = [DOCS / "quickstart.md", DOCS / "formats.md", *sorted(DOCS.glob("howto/*.md"))]
PAGES = [
    page for page in [*PAGES, *sorted(DOCS.glob("tutorials/*.md"))] if page.stem != "index"
]
LONG = (
    "paper-table",
    "text-search",
    "two-teams",  # tests/sharing/test_merge.py and test_push_pull.py try its parts
    *(page.stem for page in DOCS.glob("tutorials/*.md")),
)
"""Pages that take more than ten seconds."""

WRITE = bool(os.environ.get("WRITE_OUTPUTS"))

PICTURES = ("banana", "carrot", "coffee", "pizza")


def make_example(root: Path) -> None:
    """Make the example of `likewise init --example`, and compute its smallest data set."""
    likewise.init(root, example=True)
    for name in ("emoji", "sketches"):
        likewise.remove(name, workspace=root)
    likewise.ingest("food", workspace=root)
    likewise.load("lite0", workspace=root)
    likewise.embed("food", "lite0", workspace=root)
    likewise.publish("food", workspace=root)
    likewise.evaluate("food-lite0-leave-one-out", workspace=root)
    likewise.measure("food", workspace=root)
    likewise.check("food", workspace=root)
    forked.run_dvc(root, "commit", "--force", "--quiet")
    run_git(root, "symbolic-ref", "HEAD", "refs/heads/main")
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message", "The example")


def make_two_models(root: Path) -> None:
    """Add the model ``pixels`` to the example, and its run."""
    food = likewise.open("food", workspace=root)
    items = food.items["item_id"].to_list()
    rows = [np.asarray(image.convert("RGB").resize((6, 6))) for image in food.images(items)]
    vectors = np.stack(rows).reshape(len(rows), -1).astype(np.float32) - 127.5
    np.save(root / "pixels.npy", vectors)
    likewise.import_vectors("food", "pixels", root / "pixels.npy", workspace=root)
    likewise.add_run("food", "pixels", "leave-one-out", workspace=root)
    likewise.publish("food", workspace=root)
    likewise.evaluate("food-pixels-leave-one-out", workspace=root)


def make_shared(root: Path) -> None:
    """Make two clones of the example, ``alice`` and ``bob``, with a remote next to them."""
    shutil.copytree(root, root / "alice", symlinks=True, ignore=lambda *_: ["alice"])
    for path in root.iterdir():
        if path.name != "alice":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    alice = root / "alice"
    run_git(root, "init", "--quiet", "--bare", "--initial-branch=main", "team.git")
    run_git(alice, "remote", "add", "origin", "../team.git")
    forked.run_dvc(alice, "remote", "add", "--default", "team", "../team-data")
    run_git(alice, "commit", "--quiet", "--all", "--message", "Name the remote")
    likewise.push(workspace=alice)
    run_git(alice, "push", "--quiet", "--set-upstream", "origin", "main")
    run_git(root, "clone", "--quiet", "team.git", "bob")
    likewise.init(root / "bob")
    likewise.pull(images=False, workspace=root / "bob")


@pytest.fixture(scope="session")
def _example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        sign(patch, tmp_path_factory.mktemp("signed"))
        return once(tmp_path_factory, "example", make_example)


def copy_photos(root: Path) -> None:
    """Make a folder of a few pictures, in folders of their labels."""
    for file in sorted((SAMPLES / "food").glob("*/*/*_noto.png")):
        label = file.parent.name
        target = root / "photos" / label / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def copy_samples(root: Path) -> None:
    """Make the folder ``samples``, with six categories of emoji only."""
    images = root / "samples" / "emoji" / "images"
    images.mkdir(parents=True)
    for category in (0, 200, 400, 600, 800, 1000):
        for file in sorted((SAMPLES / "emoji" / "images").glob(f"{category}_*.jpg")):
            shutil.copy(file, images)
    shutil.copy(SAMPLES / "emoji" / "categories.json", root / "samples" / "emoji")
    for name in ("food", "sketches"):
        shutil.copytree(SAMPLES / name, root / "samples" / name)


CHANGES: dict[str, Callable[[Path], None]] = {
    "example": lambda root: None,
    "two-models": make_two_models,
    "shared": make_shared,
}
"""Name of a folder in a page -> a change of the example."""

FOLDERS: dict[str, Callable[[Path], None]] = {
    "empty": lambda root: None,
    "photos": copy_photos,
    "samples": copy_samples,
}
"""Name of a folder in a page -> how the tests prepare it."""


def _folder(name: str, root: Path, request: pytest.FixtureRequest) -> None:
    if name in CHANGES:
        shutil.copytree(request.getfixturevalue("_example"), root, symlinks=True)
        CHANGES[name](root)
    else:
        root.mkdir()
        FOLDERS[name](root)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if page.stem in LONG else [])
        for page in PAGES
    ],
)
def test_the_code_of_a_page_runs(
    page: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    unmeasured: None,
) -> None:
    run_page(page, tmp_path, request, monkeypatch, slow=False)


SLOW = [page for page in PAGES if any(block.mark == "slow" for block in blocks(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW, ids=lambda page: page.stem)
def test_the_slow_code_of_a_page_runs(
    page: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    unmeasured: None,
) -> None:
    run_page(page, tmp_path, request, monkeypatch, slow=True)


def run_page(
    page: Path,
    folder: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    *,
    slow: bool,
) -> None:
    """Run the blocks of a page in order; after the first slow block only with ``slow``."""
    root = folder / "work"
    sign(monkeypatch, folder)
    _folder(folder_of(page), root, request)
    monkeypatch.setenv("COLUMNS", "96")
    outputs: dict[Block, str] = {}
    wrong = []
    for number, block in enumerate(blocks(page)):
        if block.mark == "slow" and not slow:
            break
        if block.mark == "not run":
            continue
        output = run_block(block, root, number)
        if block.output is not None:
            outputs[block] = output
            if difference := differs(block.output, output):
                wrong.append(f"{page.name}:{block.line}: {difference!r} is not in:\n{output}")
    if WRITE and wrong:
        rewrite(page, outputs)
    assert WRITE or not wrong, "\n".join(wrong)


def test_a_block_that_is_not_run_has_a_reason() -> None:
    for page in PAGES:
        for block in blocks(page):
            assert not block.mark or len(block.reason.split()) > 2, f"{page}:{block.line}"


@pytest.mark.parametrize(
    ("expected", "output", "first"),
    [
        ("a\nb\n", "a\nb\n", ""),
        ("a\n...\nd\n", "a\nb\nc\nd\n", ""),
        ("a ... c 0.81\n", "a b  c 0.82\n", ""),
        ("a\nc\n", "a\nb\n", "c"),
        ("a 0.81\n", "a 0.9\n", "a 0.81"),
        ("a\n", "a\nb\n", "(the output continues: b)"),
        ("a\nb\n", "a\n", "b"),
    ],
)
def test_an_output_that_differs_is_named(expected: str, output: str, first: str) -> None:
    assert differs(expected, output) == first
