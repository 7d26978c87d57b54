"""What several tests share: real drawings, and a small catalogue that is made of them."""

import json
import shutil
from pathlib import Path

import pytest

import likewise
from likewise.versions import run_dvc

REPOSITORY = Path(__file__).parents[1]
EMOJI = REPOSITORY / "samples" / "emoji"

CATEGORIES = (0, 200, 400, 600, 800, 1000)
"""One category of each of GPR1200's six subsets."""

SETS = ("fluent", "noto", "openmoji", "twemoji")

PARAMS = """\
seed: 0
datasets:
  emoji: {path: emoji/images, annotations: emoji/categories.json}
models:
  tiny: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}
embeddings:
  emoji-tiny: {dataset: emoji, model: tiny}
indexes:
  exact: {kind: exact}
runs:
  emoji-tiny: {dataset: emoji, model: tiny, index: exact, protocol: gpr1200}
"""

CARD = """\
title: Emoji in GPR1200's layout
source: {kind: gpr1200}
licence: {spdx: CC-BY-SA-4.0, terms: each drawing under its set's own licence}
citation: OpenMoji, the open-source emoji and icon project
faults: [a drawing is a drawing]
"""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of benchmark stand-ins beside the checkout."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of 24 drawings, 6 categories of 4, in GPR1200's layout."""
    return _copy_pictures(tmp_path / "pictures")


@pytest.fixture(scope="session")
def _catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of those drawings: ingested, embedded by a tiny random model, published."""
    root = tmp_path_factory.mktemp("catalogue")
    _copy_pictures(root / "emoji" / "images")
    texts = json.loads((EMOJI / "categories.json").read_text(encoding="utf-8"))
    few = {str(category): texts[str(category)] for category in CATEGORIES}
    (root / "emoji" / "categories.json").write_text(json.dumps(few), encoding="utf-8")
    (root / "catalog").mkdir()
    (root / "catalog" / "emoji.yaml").write_text(CARD, encoding="utf-8")
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    likewise.ingest("emoji", workspace=root)
    likewise.train("tiny", workspace=root)
    likewise.embed("emoji", "tiny", workspace=root)
    likewise.publish("emoji", workspace=root)
    return root


@pytest.fixture
def workspace(_catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that catalogue for one test, which is then the current folder."""
    root = tmp_path / "workspace"
    shutil.copytree(_catalogue, root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="session")
def _repository(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That catalogue evaluated, in git and DVC, and all of it recorded in dvc.lock."""
    root = tmp_path_factory.mktemp("repository") / "workspace"
    shutil.copytree(_catalogue, root)
    likewise.init(root)
    likewise.evaluate("emoji-tiny", workspace=root)
    run_dvc(root, "commit", "--quiet", "--force")
    return root


@pytest.fixture
def recorded(_repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that repository for one test, which is then the current folder."""
    root = tmp_path / "workspace"
    shutil.copytree(_repository, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def _copy_pictures(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for category in CATEGORIES:
        for drawn_by in SETS:
            shutil.copy(EMOJI / "images" / f"{category}_{drawn_by}.jpg", folder)
    return folder
