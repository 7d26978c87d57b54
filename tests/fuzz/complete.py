"""A complete small catalogue in git and DVC, which cases copy."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

_EMOJI = Path(__file__).parents[2] / "samples" / "emoji"
_CATEGORIES = (0, 200, 400)

_MAKE = """
import sys, likewise
from likewise.storage.versions import run_git
root = sys.argv[1]
likewise.init(root)
likewise.ingest("emoji", workspace=root)
likewise.load("tiny", workspace=root)
likewise.embed("emoji", "tiny", workspace=root)
likewise.publish("emoji", workspace=root)
likewise.evaluate("emoji-tiny", workspace=root)
"""

_PARAMS = """\
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

_CARD = """\
title: Emoji in GPR1200's layout
source: {kind: gpr1200}
licence: {spdx: CC-BY-SA-4.0, terms: each drawing under its set's own licence}
citation: OpenMoji
faults: [a drawing is a drawing]
"""


def make_catalogue(root: Path) -> None:
    """Make it in ``root``, in a process of its own, so that this one stays without threads."""
    (root / "emoji" / "images").mkdir(parents=True)
    for category in _CATEGORIES:
        for path in sorted((_EMOJI / "images").glob(f"{category}_*")):
            shutil.copy(path, root / "emoji" / "images")
    texts = json.loads((_EMOJI / "categories.json").read_text("utf-8"))
    few = {str(category): texts[str(category)] for category in _CATEGORIES}
    (root / "emoji" / "categories.json").write_text(json.dumps(few), "utf-8")
    (root / "catalog").mkdir()
    (root / "catalog" / "emoji.yaml").write_text(_CARD, "utf-8")
    (root / "params.yaml").write_text(_PARAMS, "utf-8")
    # A pipe would stay open as long as the background process that dvc starts.
    words = [sys.executable, "-c", _MAKE, str(root)]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)
