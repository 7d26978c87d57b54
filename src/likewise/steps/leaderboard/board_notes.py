"""Remarks on the results of a board that matter when numbers are compared."""

import math
from collections.abc import Iterable, Mapping, Sequence

from likewise.catalogue.run_results import RunRecord
from likewise.errors import bounded
from likewise.evaluation.smallest_p import undetectable
from likewise.steps.leaderboard.board import BoardCell
from likewise.storage.config import Run, training_data, training_items
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
    numbers = [record.main_statistic.get("classes") or 0 for record in ranked]
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
        if ws.params.base(dataset) in training_data(recipe):
            trained[str(record.lineage["run"].get("model"))] = training_items(recipe)
    return [
        f"{model} was trained on {items} of {ws.params.base(dataset)}, whose items are also "
        f"queries of {dataset}"
        for model, items in trained.items()
    ]
