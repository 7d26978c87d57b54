"""A small catalogue of drawings, for the fixtures of tests and for fuzzing."""

import json
import shutil
from pathlib import Path

import likewise

EMOJI = Path(__file__).parents[1] / "samples" / "emoji"

CATEGORIES = (0, 200, 400, 600, 800, 1000)
"""One category of each of GPR1200's six subsets."""

SETS = ("fluent", "noto", "openmoji", "twemoji")

PARAMS = """\
seed: 0
datasets:
  emoji: {path: emoji/images, annotations: emoji/categories.json}
trained: {}
pretrained: {}
distilled: {}
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


def copy_pictures(folder: Path) -> Path:
    """Copy 24 drawings, 6 categories of 4, to the new ``folder``."""
    folder.mkdir(parents=True)
    for category in CATEGORIES:
        for drawn_by in SETS:
            shutil.copy(EMOJI / "images" / f"{category}_{drawn_by}.jpg", folder)
    return folder


def make_catalogue(root: Path) -> None:
    """Make the catalogue in ``root``: ingested, embedded by a tiny model, published."""
    copy_pictures(root / "emoji" / "images")
    texts = json.loads((EMOJI / "categories.json").read_text(encoding="utf-8"))
    few = {str(category): texts[str(category)] for category in CATEGORIES}
    (root / "emoji" / "categories.json").write_text(json.dumps(few), encoding="utf-8")
    (root / "catalog").mkdir()
    (root / "catalog" / "emoji.yaml").write_text(CARD, encoding="utf-8")
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    likewise.ingest("emoji", workspace=root)
    likewise.load("tiny", workspace=root)
    likewise.embed("emoji", "tiny", workspace=root)
    likewise.publish("emoji", workspace=root)
