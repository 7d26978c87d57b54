"""The source archive and the wheel are complete, small, and run outside of the clone."""

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

import core_only

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "likewise"
MOST_BYTES = 10_000_000
BUILD = "import sys; from setuptools import build_meta; build_meta.build_{}(sys.argv[1])"


def data_files() -> list[str]:
    """Return the files of the package that are not Python."""
    listed = ["git", "ls-files", "--", "."]
    said = subprocess.run(listed, cwd=PACKAGE, capture_output=True, text=True, check=True)
    names = said.stdout.splitlines()
    return [
        file
        for name in names
        if not name.endswith(".py")
        for file in (inside(name) if (PACKAGE / name).is_dir() else [name])
    ]


def inside(folder: str) -> list[str]:
    """Return the files in a folder that is a link, such as the samples."""
    files = (path for path in (PACKAGE / folder).rglob("*") if path.is_file())
    return [path.relative_to(PACKAGE).as_posix() for path in files]


def build(what: str, source: Path, folder: Path) -> None:
    command = [sys.executable, "-c", BUILD.format(what), str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the source archive, and the wheel built from it."""
    folder = tmp_path_factory.mktemp("built")
    source = folder / "clone"
    shutil.copytree(
        ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build("sdist", source, folder)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    build("wheel", unpacked, folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path) -> Path:
    """Return a folder that contains only the installed wheel."""
    (wheel,) = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    target = built / "installed"
    command = [*pip, "--disable-pip-version-check", "--target", str(target), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def core(installed: Path, *arguments: str | Path) -> str:
    """Run a command of the installed wheel as if no extra were installed."""
    command = [sys.executable, core_only.__file__, *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_file_of_the_package_is_named_as_its_data() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = told["tool"]["setuptools"]["package-data"]["likewise"]
    files = data_files()
    assert len(files) > 10
    missing = [
        name
        for name in files
        if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    ]
    assert not missing


@pytest.mark.slow
def test_wheel_and_source_archive_are_small_and_complete(built: Path) -> None:
    (archive,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    assert archive.stat().st_size < MOST_BYTES
    assert wheel.stat().st_size < MOST_BYTES
    with tarfile.open(archive) as opened:
        of_archive = {name.partition("/")[2] for name in opened.getnames()}
    of_wheel = set(zipfile.ZipFile(wheel).namelist())
    sources = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    for name in sources | set(data_files()):
        assert f"src/likewise/{name}" in of_archive
        assert f"likewise/{name}" in of_wheel
    assert {"LICENSE", "README.md", "pyproject.toml"} <= of_archive
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in of_wheel)
    assert {name.partition("/")[0].partition("-")[0] for name in of_wheel} == {"likewise"}


@pytest.mark.slow
def test_the_wheel_runs_without_extras(
    installed: Path, workspace: Path, tmp_path: Path
) -> None:
    assert "likewise" in core(installed, "--help")
    assert "emoji" in core(installed, "list")
    np.save(tmp_path / "e.npy", np.eye(6, dtype=np.float32)[[0, 0, 1, 1, 2, 2]])
    rows = "".join(f"{row},{row // 2}\n" for row in range(6))
    (tmp_path / "items.csv").write_text("item_id,label\n" + rows, encoding="utf-8")
    vectors = ("--embeddings", tmp_path / "e.npy", "--items", tmp_path / "items.csv")
    score = json.loads(core(installed, "score", "leave-one-out", *vectors, "--json"))
    assert score["metrics"]["mAP"] == 1


@pytest.mark.slow
def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import likewise; print(likewise.__file__)"]
    env = {**os.environ, "PYTHONPATH": str(installed)}
    said = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert Path(said.stdout.strip()).is_relative_to(installed)
