"""Measure `likewise leaderboard` of many reports, and how often equal models differ in it.

    python benchmarks/leaderboard.py [--small]

The reports are synthetic: 50 models on 10 data sets of 1,000 queries in 100 classes, with the
lists of hits that real reports have. The peer of the first run is `likewise.compare` of the
same pairs. The peer of a later run, whose tests are kept, is a program that only reads the
files.
"""

import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import yaml
from measure import LIKEWISE, Table, medians, parser, run

import likewise
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.significance import interval, randomisation_test
from likewise.formats.array_types import Float64Array
from likewise.steps.leaderboard.building import corrected
from likewise.steps.leaderboard.kept_tests import PairResult

PROTOCOL = "leave-one-out"
PER_CLASS, LISTED = 10, 20
COMPARED = 20
"""Number of pairs that are also compared by `compare`."""


def write_reports(root: Path, models: int, datasets: int, classes: int) -> None:
    """Write a catalogue with a report for every model and data set."""
    names = [f"model_{n}" for n in range(models)], [f"data_{n}" for n in range(datasets)]
    runs = {
        f"{d}-{m}": {"dataset": d, "model": m, "index": "exact", "protocol": PROTOCOL}
        for d in names[1]
        for m in names[0]
    }
    params = {
        "datasets": {d: {"path": d, "annotations": d} for d in names[1]},
        "models": {m: {"kind": "timm", "backbone": "x"} for m in names[0]},
        "embeddings": {
            n: {"dataset": r["dataset"], "model": r["model"]} for n, r in runs.items()
        },
        "indexes": {"exact": {"kind": "exact"}},
        "runs": runs,
    }
    (root / "catalog").mkdir(parents=True)
    (root / "reports").mkdir()
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")
    for name in names[1]:
        card = f"title: {name}\nsource: {{kind: folder}}\nlicence: {{spdx: CC0-1.0}}\n"
        (root / "catalog" / f"{name}.yaml").write_text(card, "utf-8")
    rng = np.random.default_rng(0)
    skills = rng.normal(0, 0.3, models)
    for column, dataset in enumerate(names[1]):
        ease = np.random.default_rng(column).normal(0, 1, (classes, 1))
        for number, model in enumerate(names[0]):
            noise = rng.normal(0, 0.4, (classes, 1)) + rng.normal(0, 1, (classes, PER_CLASS))
            values = 1 / (1 + np.exp(-ease - noise - skills[number]))
            write_report(root, f"{dataset}-{model}", runs[f"{dataset}-{model}"], values.ravel())


def write_report(root: Path, name: str, entry: dict[str, str], values: Float64Array) -> None:
    """Write the four files of the report of a run."""
    count = len(values)
    labels = np.arange(count) // PER_CLASS
    mean = interval(values, labels)
    lineage = {
        "run": entry,
        "protocol": PROTOCOLS.build({"kind": PROTOCOL}, name).describe(),
        "notes": [],
        "items": count,
        "counts": {"queries": count, "gallery": count, "labels": count // PER_CLASS},
        "columns": {"label": "0" * 64},
        "model": {"dim": 384},
    }
    intervals = {"method": {}, "intervals": {"mAP": mean.rescaled(1, 6).to_json()}}
    documents = {"json": {"mAP": round(mean.value, 4)}, "statistics.json": intervals}
    for kind, document in {**documents, "lineage.json": lineage}.items():
        (root / "reports" / f"{name}.{kind}").write_text(json.dumps(document), "utf-8")
    ids = [f"images/{number:06}.jpg" for number in range(count)]
    hits = [(ids[n:] + ids)[:LISTED] for n in range(count)]
    pl.DataFrame(
        {
            "item_id": ids,
            "label": [f"class {label}" for label in labels],
            "subset": pl.Series([None] * count, dtype=pl.String),
            "value": values,
            "ranks": [list(range(1, PER_CLASS))] * count,
            "hits": hits,
            "hit_relevant": [[True] * LISTED] * count,
        }
    ).write_parquet(root / "reports" / f"{name}.parquet")


def cold(root: Path) -> float:
    """Return the seconds of the command without kept tests."""
    (root / ".likewise" / "leaderboard.json").unlink(missing_ok=True)
    return run(LIKEWISE, "leaderboard", "--json", cwd=root).seconds


def kept(root: Path) -> float:
    """Return the seconds of the command with kept tests."""
    return run(LIKEWISE, "leaderboard", "--json", cwd=root).seconds


READ = """\
import hashlib, json, pathlib
for path in sorted(pathlib.Path("reports").iterdir()):
    data = path.read_bytes()
    hashlib.sha256(data) if path.suffix == ".parquet" else json.loads(data)
"""


def only_read(root: Path) -> float:
    """Return the seconds of a program that reads the files of the reports."""
    return run(sys.executable, "-c", READ, cwd=root).seconds


def compare_pairs(root: Path, pairs: list[tuple[str, str]]) -> float:
    """Return the seconds of `likewise.compare` of some pairs of runs, in this process."""
    began = time.perf_counter()
    for first, second in pairs:
        likewise.compare(first, second, workspace=root)
    return time.perf_counter() - began


def tested_pairs(root: Path) -> list[tuple[str, str]]:
    """Return the pairs of runs that a leaderboard tests; their number is that of its tests."""
    pairs = set()
    for board in likewise.leaderboard(workspace=root).boards:
        for dataset in board.datasets:
            for _, cell in board.ranking(dataset):
                pairs |= {(cell.best.other, cell.run)} if cell.best else set()
                pairs |= {(cell.run, cell.next.other)} if cell.next else set()
    return sorted(pairs)


def false_differences(draws: int, models: int, classes: int = 12) -> tuple[float, float]:
    """Return the share of boards of equal models with a difference: ours, and by plain p."""
    rng, called = np.random.default_rng(5), np.zeros(2)
    for _ in range(draws):
        ease = rng.normal(0, 1, (1, classes))
        sums = ease + rng.normal(0, 1, (models, classes))
        ranked = sums[np.argsort(-sums.mean(axis=1))]
        pairs = [(0, n) for n in range(1, models)] + [(n, n + 1) for n in range(1, models - 1)]
        results = {
            (a, b): PairResult(0.0, randomisation_test(ranked[b] - ranked[a])) for a, b in pairs
        }
        tests = corrected(results, [str(n) for n in range(models)])
        called += (
            any(not test.tie for test in tests.values()),
            any(test.p <= 0.05 for test in tests.values()),
        )
    return float(called[0] / draws), float(called[1] / draws)


def main() -> None:
    """Write the reports, measure, and print a table."""
    small: bool = parser(__doc__).parse_args().small
    models, datasets, classes = (3, 2, 13) if small else (50, 10, 100)
    draws = 20 if small else 2_000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "catalogue"
        write_reports(root, models, datasets, classes)
        size = f"{models} models x {datasets} data sets of {classes * PER_CLASS:,} queries"
        table = Table(f"Leaderboard of {size}", small=small)
        pairs = tested_pairs(root)
        some = pairs[:: max(1, len(pairs) // COMPARED)][:COMPARED]
        times = medians(
            {
                "cold": lambda: cold(root),
                "compare": lambda: compare_pairs(root, some),
                "kept": lambda: kept(root),
                "read": lambda: only_read(root),
            },
            1 if small else 3,
        )
        table.below(f"first run, {len(pairs):,} tests", times["cold"], 60)
        ours, peer = 1000 * times["cold"] / len(pairs), 1000 * times["compare"] / len(some)
        name = f"... a test, with start and reading; peer: compare, {len(some)} pairs"
        table.at_most(name, ours, peer, 1, "ms")
        name = "later run, tests kept; peer: reading the files"
        table.below(name, times["kept"], 2, peer=times["read"])
        digest = hashlib.sha256(
            run(LIKEWISE, "leaderboard", "--json", cwd=root).output.encode()
        )
        (root / ".likewise" / "leaderboard.json").unlink()
        again = run(LIKEWISE, "leaderboard", "--json", cwd=root).output.encode()
        same = digest.digest() == hashlib.sha256(again).digest()
        table.holds("kept and computed tests", "equal" if same else "differ", "equal", met=same)
    for count in (2, 3) if small else (2, 5, 10, 30):
        ours, peer = false_differences(draws if count < 30 else draws // 4, count)
        name = f"boards of {count} equal models with a difference; peer: without Holm"
        within = 0.04 <= ours <= 0.06
        target = "4 to 6 %" if count == 2 else "below 10 %"
        table.share(name, ours, peer, target, met=within if count == 2 else ours < 0.10)
    table.print()


if __name__ == "__main__":
    main()
