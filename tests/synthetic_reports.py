"""Reports of runs on data sets that have no images: the values of queries are drawn."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.significance import interval
from likewise.formats.array_types import Float64Array

PROTOCOL = "leave-one-out"

SKILLS = {"weak": -0.5, "good": 0.5, "fair": 0.4, "best": 0.55}


def values_of(skill: float, seed: int, classes: int = 12, per_class: int = 4) -> Float64Array:
    """Draw values from 0 to 1 of queries, class by class: easy and hard ones."""
    ease = np.random.default_rng(0).normal(0, 1, classes)[:, None]
    noise = np.random.default_rng(seed).normal(0, 0.5, (classes, per_class))
    return (1 / (1 + np.exp(-ease - noise - skill))).ravel()


def write_catalogue(
    root: Path,
    results: Mapping[tuple[str, str], Float64Array],
    *,
    protocol: str = PROTOCOL,
    per_class: int = 4,
) -> Path:
    """Write a catalogue with a report for every data set and model of ``results``.

    The runs are called ``DATASET-MODEL``.
    """
    datasets = list(dict.fromkeys(dataset for dataset, _ in results))
    models = list(dict.fromkeys(model for _, model in results))
    params = {
        "datasets": {name: {"path": name, "annotations": name} for name in datasets},
        "models": {name: {"kind": "timm", "backbone": "x"} for name in models},
        "embeddings": {f"{d}-{m}": {"dataset": d, "model": m} for d, m in results},
        "indexes": {"exact": {"kind": "exact"}},
        "runs": {
            f"{d}-{m}": {"dataset": d, "model": m, "index": "exact", "protocol": protocol}
            for d, m in results
        },
    }
    (root / "catalog").mkdir(parents=True)
    (root / "reports").mkdir()
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")
    for name in datasets:
        card = f"title: {name}\nsource: {{kind: folder}}\nlicence: {{spdx: CC0-1.0}}\n"
        (root / "catalog" / f"{name}.yaml").write_text(card, "utf-8")
    for (dataset, model), values in results.items():
        run = params["runs"][f"{dataset}-{model}"]
        write_report(root, f"{dataset}-{model}", run, values, per_class=per_class)
    return root


def write_report(  # noqa: PLR0913 (the parts of a report)
    root: Path,
    name: str,
    run: Mapping[str, Any],
    values: Float64Array,
    *,
    per_class: int = 4,
    counts: Mapping[str, int] | None = None,
    further: Mapping[str, float] | None = None,
) -> None:
    """Write the four files of the report of a run whose queries have these values."""
    protocol = PROTOCOLS.build({"kind": run["protocol"]}, "test").describe()
    classes = np.arange(len(values)) // per_class
    metric = "all" if run["protocol"] == "gpr1200" else "mAP"
    mean = interval(values, classes)
    scale = 100 if protocol.get("percent") else 1
    lineage = {
        "run": dict(run),
        "protocol": protocol,
        "notes": [],
        "items": len(values),
        "counts": counts or {"queries": len(values), "gallery": len(values), "labels": 12},
        "columns": {"label": "0" * 64, run["model"]: name},
        "model": {"dim": 64},
    }
    documents: dict[str, object] = {
        "json": {metric: round(mean.value * scale, 4), **(further or {})},
        "statistics.json": {
            "method": {},
            "intervals": {metric: mean.rescaled(scale, 6).to_json()},
        },
        "lineage.json": lineage,
    }
    for kind, document in documents.items():
        (root / "reports" / f"{name}.{kind}").write_text(json.dumps(document), "utf-8")
    frame = pl.DataFrame(
        {
            "item_id": [f"{number}.jpg" for number in range(len(values))],
            "label": [f"c{number}" for number in classes],
            "subset": pl.Series([None] * len(values), dtype=pl.String),
            "value": values,
            "hits": [["x.jpg"]] * len(values),
            "hit_relevant": [[True]] * len(values),
        }
    )
    frame.write_parquet(root / "reports" / f"{name}.parquet")


def write_four_models(root: Path) -> Path:
    """Write a catalogue of four models on two data sets; ``weak`` has no run on the second."""
    results = {
        (dataset, model): values_of(skill, seed=10 * column + number)
        for column, dataset in enumerate(("birds", "cars"))
        for number, (model, skill) in enumerate(SKILLS.items())
        if (dataset, model) != ("cars", "weak")
    }
    return write_catalogue(root, results)
