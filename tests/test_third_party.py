"""Another package adds kinds by entry points: they are found, listed and used."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import likewise
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Protocol
from likewise.registry import Registry
from likewise.sources import SOURCES

EXAMPLE = Path(__file__).parent / "third_party"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with the example package and all packages of this one."""
    top = tmp_path_factory.mktemp("lab")
    package = shutil.copytree(EXAMPLE, top / "package")
    venv.create(top / "env", symlinks=True)
    python = top / "env" / "bin" / "python"
    own = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    present = [path for path in sys.path if path and Path(path).is_dir()]
    Path(own, "present.pth").write_text("\n".join(present), encoding="utf-8")
    # No package index is needed: all dependencies are installed here.
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", own, package], check=True
    )
    return python


def run(python: Path, folder: Path, *arguments: str) -> str:
    """Return the output of the command line in that environment."""
    done = subprocess.run(
        [python, "-m", "likewise", *arguments],
        cwd=folder,
        env=os.environ | {"DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_source_and_a_protocol_of_another_package_are_used(lab: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, name in enumerate(("cat__1", "cat__2", "dog__1", "dog__2")):
        Image.new("RGB", (9, 9), (60 * number, 0, 0)).save(pictures / f"{name}.png")
    run(lab, tmp_path, "init", "catalogue")
    catalogue = tmp_path / "catalogue"
    run(lab, catalogue, "add", "pets", "--source", "underscored", "--path", str(pictures))
    assert "nearest-item" in (catalogue / "params.yaml").read_text(encoding="utf-8")
    run(lab, catalogue, "ingest", "pets")
    labels = json.loads(run(lab, catalogue, "show", "pets", "--labels", "--json"))
    assert {label["label"]: label["items"] for label in labels} == {"cat": 2, "dog": 2}

    np.save(tmp_path / "vectors.npy", np.array([[1, 0], [1, 0.1], [0, 1], [1, 0]], np.float32))
    items = "item_id,label\na,cat\nb,cat\nc,dog\nd,dog\n"
    (tmp_path / "items.csv").write_text(items, encoding="utf-8")
    vectors = ["--embeddings", "vectors.npy", "--items", "items.csv", "--json"]
    scored = json.loads(run(lab, tmp_path, "score", "nearest-item", *vectors))
    # d and a have equal scores for a, and d comes after a; c's nearest is b, d's is a.
    assert scored["metrics"]["recall@1"] == 1 / 4


def test_without_the_package_the_kinds_are_unknown() -> None:
    assert "underscored" not in SOURCES.kinds()
    with pytest.raises(
        likewise.UnknownNameError, match="no protocol kind named 'nearest-item'"
    ):
        PROTOCOLS.load("nearest-item")


def registered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> Registry[Protocol]:
    """Return the registry of protocols with an installed package that has the entry point."""
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", "utf-8"
    )
    (info / "entry_points.txt").write_text(f"[likewise.protocols]\n{line}\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    table = {kind: PROTOCOLS._table[kind] for kind in PROTOCOLS.builtin()}
    return Registry("protocol", table, base=PROTOCOLS._base)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("knn = json:JSONDecoder", "'knn' is registered by likewise and other; uninstall one"),
        ("new = no_such_module:New", "of the package other cannot be imported"),
        ("new = json:JSONDecoder", "of the package other is not a subclass of likewise."),
        ("new = json:loads", "of the package other is not a subclass of likewise."),
    ],
)
def test_a_wrong_registration_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, message: str
) -> None:
    registry = registered(monkeypatch, tmp_path, line)
    kind = line.partition(" ")[0]
    assert kind in registry.kinds()
    with pytest.raises(likewise.ConfigError, match=message):
        registry.load(kind)


def test_other_kinds_do_not_suffer_from_a_wrong_registration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry = registered(monkeypatch, tmp_path, "knn = json:JSONDecoder")
    assert registry.load("gpr1200") is PROTOCOLS.load("gpr1200")
