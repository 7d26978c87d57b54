"""Remarks on the results of a board that matter when numbers are compared."""

import math
from collections.abc import Iterable, Mapping, Sequence

from likewise.catalogue.run_results import RunRecord
from likewise.errors import bounded
from likewise.evaluation.smallest_p import undetectable
from likewise.steps.leaderboard.board import BoardCell
from likewise.storage.config import Run
from likewise.storage.workspace import Workspace


def version_notes(
    dataset: str, runs: Mapping[str, Run], ranked: Iterable[RunRecord]
) -> list[str]:
    """Name the columns of which runs of a data set have scored different versions."""
    digests: dict[str, set[str]] = {}
    for record in ranked:
        for column, digest in record.lineage["columns"].items():
            if column != runs[record.run].model:
                digests.setdefault(column, set()).add(digest)
    changed = sorted(column for column, seen in digests.items() if len(seen) > 1)
    if not changed:
        return []
    names = bounded(changed, len(changed))
    return [f"the runs on {dataset} scored different versions of {names}; run: dvc repro"]


def power_notes(
    dataset: str, ranked: Sequence[RunRecord], cells: Mapping[str, BoardCell]
) -> list[str]:
    """Say if a data set has too few classes for its number of tests."""
    tests = sum(cells[r.run].best is not None for r in ranked)
    tests += sum(cells[r.run].next is not None for r in ranked[1:])
    statistics = (record.statistics.get(next(iter(record.metrics)), {}) for record in ranked)
    numbers = [one.get("classes") or 0 for one in statistics]
    classes = max((int(number) for number in numbers if math.isfinite(number)), default=0)
    text = undetectable(classes, tests) if tests and classes > 0 else ""
    return [f"{dataset}: {text}"] if text else []


def training_notes(ws: Workspace, dataset: str, ranked: Iterable[RunRecord]) -> list[str]:
    """Name the models of which some queries are training items, as their passports state."""
    trained: dict[str, str] = {}
    for record in ranked:
        recipe = record.lineage["model"].get("recipe")
        if record.protocol.get("queries") != "all items" or not isinstance(recipe, dict):
            continue
        data = recipe.get("data")
        split = recipe.get("split")
        names = [name for name in (data if isinstance(data, list) else [data]) if name]
        if ws.params.base(dataset) in names:
            items = f"the split {split}" if split else "all items"
            trained[str(record.lineage["run"].get("model"))] = items
    return [
        f"{model} was trained on {items} of {ws.params.base(dataset)}, whose items are also "
        f"queries of {dataset}"
        for model, items in trained.items()
    ]
