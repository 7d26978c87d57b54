"""Fixtures of several tests: real drawings, and a small catalogue of them."""

import gc
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest

import likewise
from catalogues import copied, once, published, run_folder, sign
from disks import Disk
from emoji_catalogue import copy_pictures, make_catalogue
from forked import (
    MEASURED,
    PROGRAMS_MEASURED,
    UNMEASURED,
    load_libraries,
    python,
    run_dvc,
)
from likewise.storage.versions import run_git

if TYPE_CHECKING:
    from page_client import Page
    from servers import Server

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Set before torch and FAISS are loaded: idle threads must not spin, which blocks a core."""

REPOSITORY = Path(__file__).parents[1]

TEST_LIBRARIES = (
    "boto3",
    "cv2",
    "datasets",
    "lancedb",
    "mlcroissant",
    "playwright.sync_api",
    "ray",
    "timm",
    "torchvision",
)
"""Libraries that only tests import, or import first."""

GARBAGE = 20_000
"""Number of new objects after which garbage is collected; Python's default is 700."""

STEPS = (
    ("ingest", "emoji"),
    ("embed", "emoji", "tiny"),
    ("publish", "emoji"),
    ("evaluate", "emoji-tiny"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Let pass what a library below DVC deprecates when DVC checks files out.

    A shell ignores Ctrl-C in its background jobs, and processes inherit this. Tests send it to
    the commands that they start, so it is set back.
    """
    gc.set_threshold(GARBAGE)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    line = "ignore:_NoneStep.value will soon raise AttributeError:DeprecationWarning"
    config.addinivalue_line("filterwarnings", line)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let a worker of several be measured once, after it has loaded libraries.

    pytest-cov is about to begin. It has begun a first time before it knew that this is a
    worker. That measure would continue where a test without coverage pauses the second one.
    """
    if hasattr(session.config, "workerinput"):
        if (running := coverage.Coverage.current()) is not None:
            running.stop()
            running.save()
        load_libraries(*TEST_LIBRARIES)


def pytest_collection_finish() -> None:
    """Let the garbage collector skip the libraries and all tests: a million objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _own_state(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[None]:
    """Folders of its own for the keys of catalogues without git and for the settings of DVC.

    All workers have one key, because they copy catalogues that one of them has made.
    By default, a dvc command starts a process that asks a server for the latest version of DVC.
    Coverage is measured in forked commands, too.
    """
    measuring = getattr(pytestconfig.pluginmanager.getplugin("_cov"), "cov_controller", None)
    settings = tmp_path_factory.mktemp("dvc")
    (settings / "config").write_text("[core]\nanalytics = false\ncheck_update = false\n")
    state = run_folder(tmp_path_factory) / "state"
    state.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        patch.setenv("DVC_GLOBAL_CONFIG_DIR", str(settings))
        if measuring is not None:
            patch.setenv(MEASURED, measuring.cov.config.serialize())
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the shared folder of benchmark stand-ins, next to the checkout."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder


@pytest.fixture(autouse=True)
def _no_cover(request: pytest.FixtureRequest) -> None:
    """Measure no command of a test that is not measured itself."""
    if request.node.get_closest_marker("no_cover"):
        request.getfixturevalue("unmeasured")


@pytest.fixture(autouse=True)
def _safe_path_stays() -> Iterator[None]:
    """Restore the variable that the command line sets for its child processes."""
    before = os.environ.get("PYTHONSAFEPATH")
    yield
    if before is None:
        os.environ.pop("PYTHONSAFEPATH", None)


@pytest.fixture
def several_threads() -> Iterator[None]:
    """Use two threads in torch and FAISS, for tests that results do not depend on threads."""
    import faiss
    import torch

    before = torch.get_num_threads(), faiss.omp_get_max_threads()
    torch.set_num_threads(2)
    faiss.omp_set_num_threads(2)
    yield
    torch.set_num_threads(before[0])
    faiss.omp_set_num_threads(before[1])


@pytest.fixture
def forked_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let likewise start its own commands as forks, which have loaded their libraries."""
    monkeypatch.setattr(sys, "executable", python())


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that run lines which other tests cover: they are faster without coverage."""
    monkeypatch.setenv(UNMEASURED, "1")


@pytest.fixture
def measured_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure also processes that are not forked: how a command starts, and how it ends."""
    if MEASURED in os.environ:
        monkeypatch.setenv(PROGRAMS_MEASURED, os.environ[MEASURED])


@pytest.fixture(scope="module")
def s3_server() -> Iterator[tuple["Server", dict[str, str]]]:
    """Start an S3 server with an empty bucket ``lab`` and one valid key."""
    import buckets

    with buckets.s3_server() as started:
        yield started


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Make a folder of 24 drawings, 6 categories of 4, in GPR1200's layout."""
    return copy_pictures(tmp_path / "pictures")


@pytest.fixture(scope="session")
def _catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of those drawings: ingested, embedded by a tiny random model, published."""
    return once(tmp_path_factory, "catalogue", make_catalogue)


@pytest.fixture(scope="session")
def cards(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """Make a catalogue of 160 real photographs with 311 boxes, read from VOC files."""
    source = shared_data / "boxes_labels" / "cards"
    return published(tmp_path_factory.mktemp("cards"), "cards", "voc", source, "Apache-2.0")


@pytest.fixture
def workspace(_catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy that catalogue for one test, and make it the current folder."""
    return copied(_catalogue, tmp_path / "workspace", monkeypatch)


@pytest.fixture(scope="session")
def _coloured(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Add the model ``colours``, which has a text tower, to that catalogue."""
    from colour_words import add_colours, register

    def make(root: Path) -> None:
        shutil.copytree(_catalogue, root, dirs_exist_ok=True)
        add_colours(root)

    with pytest.MonkeyPatch.context() as patch:
        register(patch)
        return once(tmp_path_factory, "coloured", make)


@pytest.fixture
def coloured(_coloured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy that catalogue for one test, and make it the current folder."""
    from colour_words import register

    register(monkeypatch)
    return copied(_coloured, tmp_path / "workspace", monkeypatch)


@pytest.fixture(scope="session")
def _repository(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evaluate that catalogue and commit it to git and DVC, with all outputs in dvc.lock."""

    def make(root: Path) -> None:
        shutil.copytree(_catalogue, root, dirs_exist_ok=True)
        likewise.init(root)
        likewise.evaluate("emoji-tiny", workspace=root)
        run_dvc(root, "commit", "--quiet", "--force")

    return once(tmp_path_factory, "repository", make)


@pytest.fixture
def recorded(_repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy that repository for one test, and make it the current folder."""
    return copied(_repository, tmp_path / "workspace", monkeypatch)


def _record(root: Path, message: str) -> None:
    """Commit everything to git, and set a tag."""
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message", message)
    run_git(root, "tag", message)


@pytest.fixture(scope="session")
def _team(_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a folder with ``alice`` (a catalogue), ``remote`` (of DVC) and ``git`` (a bare one).

    v1 is the catalogue as made. In v2 one drawing has moved from category 1000 to 0, and one is
    removed.
    """
    with pytest.MonkeyPatch.context() as patch:
        sign(patch, tmp_path_factory.mktemp("signed"))
        yield once(tmp_path_factory, "team", lambda top: _make_team(top, _repository))


def _make_team(top: Path, repository: Path) -> None:
    root = top / "alice"
    shutil.copytree(repository, root, symlinks=True)
    run_git(top, "init", "--quiet", "--bare", "--initial-branch=main", "git")
    run_git(root, "symbolic-ref", "HEAD", "refs/heads/main")
    run_git(root, "remote", "add", "origin", "../git")
    run_dvc(root, "remote", "add", "--default", "team", "../remote")
    _record(root, "v1")
    run_dvc(root, "push", "--quiet")
    images = root / "emoji" / "images"
    (images / "1000_noto.jpg").rename(images / "0_znoto.jpg")
    (images / "400_fluent.jpg").unlink()
    for step, *names in STEPS:
        getattr(likewise, step)(*names, workspace=root)
    run_dvc(root, "commit", "--force", "--quiet")
    _record(root, "v2")
    # Not --all-tags: of another revision DVC takes a relative address from the root, "/".
    run_dvc(root, "push", "--quiet")
    run_git(root, "push", "--quiet", "--tags", "origin", "main")


@pytest.fixture(scope="session")
def _prepared(_team: Path) -> Path:
    """The folder that every test copies; a module may prepare it further."""
    return _team


@pytest.fixture
def team(_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the folder for one test, and make ``alice`` the current folder."""
    top = tmp_path / "team"
    shutil.copytree(
        _prepared, top, symlinks=True, ignore=shutil.ignore_patterns("site", "views")
    )
    sign(monkeypatch, top)
    monkeypatch.chdir(top / "alice")
    return top


@pytest.fixture
def alice(team: Path) -> Path:
    """Return the catalogue with both versions."""
    return team / "alice"


@pytest.fixture
def bob(team: Path) -> Path:
    """Make a new clone of it that contains only git's files."""
    run_git(team, "clone", "--quiet", "git", "bob")
    return team / "bob"


@pytest.fixture
def page(workspace: Path) -> Iterator["Page"]:
    """A page of the catalogue of 24 drawings."""
    from page_client import opened

    with opened() as page:
        yield page


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Make a separate file system, which the test mounts with the size that it needs."""
    made = Disk(tmp_path / "disk")
    yield made
    made.unmount()
