"""Commands of indexes: index, tune, indexes."""

from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Engine, Json, Shard
from likewise.cli.durations import duration_text
from likewise.cli.output import (
    print_json,
    print_line,
    print_next,
    print_note,
    print_table,
    print_tip,
)
from likewise.cli.print_shards import print_shards
from likewise.errors import size_text
from likewise.formats.counted_nouns import counted

Embedder = Annotated[
    str, typer.Argument(metavar="MODEL", help="Model that embeds the data set.")
]


def index(
    dataset: Dataset,
    model: Embedder,
    name: Annotated[str, typer.Argument(metavar="INDEX", help="Index of params.yaml.")],
    engine: Engine = None,
    shard: Shard = None,
    json: Json = False,
) -> None:
    """Build and store an index, and measure its recall and speed.

    IVF indexes of large data sets on several processes or nodes: docs/scale.md.
    """
    stored = likewise.index(dataset, model, name, engine=engine, shard=shard)
    if json:
        print_json(stored)
        return
    if print_shards(stored.shards, shard, f"likewise index {dataset} {model} {name}"):
        return
    measured = stored.measured
    print_line(
        f"{name} of {dataset} by {model}: {stored.covered:,} of {counted(stored.items, 'item')}"
    )
    if measured:
        print_line(
            f"recall@{measured.k} {measured.recall:.4f} on {counted(measured.probes, 'probe')}"
        )
        print_line(f"{_ms(measured.ms)} per query, exact {_ms(measured.exact_ms)}")
        speed = f"{measured.queries_per_s:,.0f} queries/s in a batch"
        print_line(f"{speed}, {size_text(measured.nbytes)} in memory")
    print_next(f"likewise search {dataset} --model {model} --index {name} --image FILE")


def _ms(milliseconds: float) -> str:
    return duration_text(milliseconds / 1000)


def tune(
    dataset: Dataset,
    model: Embedder,
    recall: Annotated[float, typer.Option(metavar="SHARE", help="Recall to reach.")] = 0.95,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory limit: 500MB, 2GB.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the entry; by default tuned_DATASET_MODEL.")
    ] = None,
    json: Json = False,
) -> None:
    """Try every kind of index and write the best to params.yaml.

    A plot of recall, speed and size is written to reports/tuning/.
    """
    tuned = likewise.tune(dataset, model, recall=recall, memory=memory, name=name)
    if json:
        print_json(tuned)
        return
    columns = ("", "family", "options", "recall", "ms", "queries/s", "size", "build")
    rows = [_trial_row(trial, tuned.chosen) for trial in tuned.trials]
    print_table(columns, rows)
    print_note(f"wrote {tuned.picture}, and the entry {tuned.name} of params.yaml")
    print_next(f"likewise index {dataset} {model} {tuned.name}")


def _trial_row(trial: "likewise.Trial", chosen: "likewise.Trial") -> tuple[object, ...]:
    measured = trial.measured
    options = ", ".join(
        f"{k} {v}" for k, v in trial.entry.items() if k not in ("kind", "factory")
    )
    speed = (measured.ms, round(measured.queries_per_s))
    sizes = (size_text(measured.nbytes), duration_text(trial.build_s))
    numbers = (measured.recall, *speed, *sizes)
    return ("*" if trial == chosen else "", trial.family, options, *numbers)


def indexes(json: Json = False) -> None:
    """List the stored indexes with recall, speed and size."""
    stored = likewise.indexes()
    if json:
        print_json(stored)
        return
    columns = (
        "dataset",
        "model",
        "index",
        "state",
        "coverage",
        "recall",
        "ms",
        "size",
        "command",
    )
    print_table(columns, [_index_row(index) for index in stored])
    stale = [index.command for index in stored if index.command]
    print_tip(stale[0] if stale else "likewise index DATASET MODEL INDEX")


def _index_row(index: "likewise.Indexed") -> tuple[object, ...]:
    numbers: tuple[object, ...] = (None, None, None)
    if measured := index.measured:
        numbers = (measured.recall, measured.ms, size_text(measured.nbytes))
    coverage = f"{index.covered:,} of {index.items:,}"
    place = (index.dataset, index.model, index.index)
    return (*place, index.state, coverage, *numbers, index.command)
