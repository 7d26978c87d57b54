"""A server of a small catalogue, and a real browser that opens its pages."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import likewise
from browser_tab import Tab
from browsers import browser
from catalogues import once
from colour_words import register
from page_server import serving
from shapes import draw_shapes
from trained_curves import log_training

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHAPES = """\
title: Shapes of one line
source: {kind: folder}
licence: {spdx: CC0-1.0}
"""

PARAMS = """\
seed: 0
datasets:
  emoji: {path: emoji/images, annotations: emoji/categories.json}
  shapes: {path: shapes, annotations: shapes}
trained:
  learned: {kind: metric, init: tiny, data: emoji, split: null}
pretrained: {}
distilled: {}
models:
  tiny: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}
  other: {kind: timm, backbone: test_vit.r160_in1k, weights: random}
  colours: {kind: colour-words}
embeddings:
  emoji-tiny: {dataset: emoji, model: tiny}
  emoji-other: {dataset: emoji, model: other}
  shapes-tiny: {dataset: shapes, model: tiny}
  shapes-colours: {dataset: shapes, model: colours}
indexes:
  exact: {kind: exact}
maps:
  plane: {dataset: emoji, model: tiny}
checks:
  shapes: {min_side: 1000, max_outlier: null, similar: null}
runs:
  emoji-tiny: {dataset: emoji, model: tiny, index: exact, protocol: gpr1200}
  emoji-other: {dataset: emoji, model: other, index: exact, protocol: gpr1200}
"""


def make_pages(root: Path, catalogue: Path) -> None:
    """Add to the catalogue of drawings a second model with its run, and shapes of two roles."""
    shutil.copytree(catalogue, root, dirs_exist_ok=True)
    draw_shapes(root / "shapes")
    (root / "params.yaml").write_text(PARAMS, "utf-8")
    (root / "catalog" / "shapes.yaml").write_text(SHAPES, "utf-8")
    likewise.load("other", workspace=root)
    likewise.embed("emoji", "other", workspace=root)
    likewise.publish("emoji", workspace=root)
    likewise.ingest("shapes", workspace=root)
    asking = ["bars/bars00.png", "bars/bars24.png"]
    likewise.correct("shapes", asking, {"role": "query"}, workspace=root)
    likewise.embed("shapes", "tiny", workspace=root)
    likewise.load("colours", workspace=root)
    likewise.embed("shapes", "colours", workspace=root)
    likewise.publish("shapes", workspace=root)
    for run in ("emoji-tiny", "emoji-other"):
        likewise.evaluate(run, workspace=root)
    likewise.report("emoji-tiny", workspace=root)
    likewise.map("plane", workspace=root)
    likewise.measure("shapes", workspace=root)
    likewise.check("shapes", workspace=root)
    log_training(root / "reports" / "training" / "learned")


@pytest.fixture(scope="session")
def _pages(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        register(patch)
        return once(tmp_path_factory, "pages", lambda root: make_pages(root, _catalogue))


@pytest.fixture
def pages(_pages: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The catalogue whose pages are opened; no test changes it.

    Its recipe is registered for one test: others, which a worker may run in between, list all
    recipes.
    """
    register(monkeypatch)
    return _pages


@pytest.fixture(scope="session")
def _server(_pages: Path) -> Iterator[str]:
    with serving(_pages) as address:
        yield address


@pytest.fixture
def server(pages: Path, _server: str) -> str:
    """The address of the first page of that catalogue."""
    return _server


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """Start the browser, once for all tests."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright")
    command = browser()
    if command is None:
        pytest.skip("no browser: apt-get install chromium")
    with sync_api.sync_playwright() as play:
        started = play.chromium.launch(
            executable_path=shutil.which(command),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        sync_api.expect.set_options(timeout=30_000)
        yield started
        started.close()


@pytest.fixture
def curated(workspace: Path, chromium: "Browser") -> Iterator[Tab]:
    """Open a page over a catalogue of which the test is the only writer."""
    with serving(workspace) as address:
        yield from Tab.opened(chromium, address)


@pytest.fixture
def tab(chromium: "Browser", server: str) -> Iterator[Tab]:
    """Open an empty page; a message of its console or a foreign request fails the test."""
    yield from Tab.opened(chromium, server)
