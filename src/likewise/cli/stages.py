"""Commands that dvc repro runs: prepare, ingest, load, train, embed, publish, evaluate."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import (
    Dataset,
    Engine,
    Json,
    Model,
    Run,
    Shard,
)
from likewise.cli.next_steps import after_evaluation
from likewise.cli.output import counts, print_json, print_line, print_next, print_note
from likewise.cli.print_evaluation import print_evaluation
from likewise.cli.print_shards import print_shards
from likewise.errors import size_text
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import Passport


def prepare(dataset: Dataset) -> None:
    """Create missing files of corrections and take-downs."""
    created = likewise.prepare(dataset)
    print_line(f"{dataset}: {', '.join(created) or 'no file is missing'}")
    print_next("dvc repro")


def ingest(
    dataset: Dataset,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on any finding.")] = False,
    engine: Engine = None,
    shard: Shard = None,
) -> None:
    """Read a source into tables: only new or changed files.

    Large data sets on several processes or nodes: docs/scale.md.
    """
    done = likewise.ingest(dataset, strict=strict, engine=engine, shard=shard)
    if shard:
        print_line(f"{dataset}: {counted(done.read, 'file')} read")
        print_shards(done.shards, shard, f"likewise ingest {dataset}")
        return
    print_line(f"{dataset}: {counted(done.items, 'item')} in {counted(done.images, 'image')}")
    print_line(f"{done.read:,} read, {done.kept:,} kept, {done.removed:,} removed")
    print_shards(done.shards, shard, f"likewise ingest {dataset}")
    if done.forgotten:
        print_line(f"{done.forgotten:,} excluded by forgotten.csv")
    if done.findings:
        print_line(
            f"findings: {counts(done.findings)}; list them with: likewise findings {dataset}"
        )
    print_next("dvc repro")


def load(
    model: Model,
) -> None:
    """Fetch the weights of a frozen model of params.yaml."""
    _print_passport(model, likewise.load(model))


def _print_passport(model: str, passport: "Passport") -> None:
    weights = f"weights {passport.weights_source}"
    print_line(f"{model}: {passport.backbone}, {counted(passport.dim, 'dimension')}, {weights}")
    print_next("dvc repro")


def train(
    model: Model,
) -> None:
    """Train a model by its recipe in params.yaml.

    Run the same command again to resume a stopped training. On N GPUs: torchrun
    --nproc-per-node N -m likewise train MODEL. Recipes, their options and experiments:
    docs/training.md.
    """
    passport = likewise.train(model)
    if os.environ.get("RANK", "0") == "0":  # of several processes, only the first prints
        _print_passport(model, passport)


def embed(
    dataset: Dataset,
    model: Model,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute all vectors again, not only new ones.")
    ] = False,
    engine: Engine = None,
    shard: Shard = None,
) -> None:
    """Embed a data set by a model; only new contents are computed.

    Large data sets on several processes, GPUs or nodes: docs/scale.md.
    """
    done = likewise.embed(dataset, model, recompute=recompute, engine=engine, shard=shard)
    print_line(f"{dataset} by {model}: {counted(done.computed, 'vector')} computed")
    if print_shards(done.shards, shard, f"likewise embed {dataset} {model}"):
        return
    print_line(f"{done.taken_over:,} reused, {done.dropped:,} dropped")
    if len(done.numerics) > 1:
        print_line(
            f"computed by different arithmetics: {'; '.join(done.numerics)}; they differ by "
            f"rounding. To compute all by one: likewise embed {dataset} {model} --recompute"
        )
    print_next("dvc repro")


def import_vectors(  # noqa: PLR0913, PLR0917 (the fields of an entry)
    dataset: Dataset,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="Name of the vectors; not a model of params.yaml."
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Vectors: .npy, .npz, .parquet, .csv, .safetensors, .pt, .lance, others.",
        ),
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ids of the vectors; otherwise canonical order."),
    ] = None,
    dtype: Annotated[
        str, typer.Option(metavar="TYPE", help="Type of stored numbers: float32 or float16.")
    ] = "float32",
    key: Annotated[
        str,
        typer.Option(metavar="KEY", help="What has one vector: content (pixels) or item."),
    ] = "content",
    origin: Annotated[
        str, typer.Option(metavar="TEXT", help="The model and its preprocessing, for people.")
    ] = "",
    json: Json = False,
) -> None:
    """Import vectors that another program has made.

    With FILE, params.yaml gets an entry. Without FILE, that entry is imported again. Vectors
    belong to items by their ids, or by the canonical order of the items.
    """
    if dtype not in ("float32", "float16"):
        raise typer.BadParameter("expected float32 or float16", param_hint="--dtype")
    if key not in ("content", "item"):
        raise typer.BadParameter("expected content or item", param_hint="--key")
    done = likewise.import_vectors(
        dataset,
        model,
        file,
        ids=ids,
        dtype="float16" if dtype == "float16" else "float32",
        key="item" if key == "item" else "content",
        origin=origin,
    )
    if json:
        print_json(done)
        return
    print_line(
        f"{dataset} by {model}: {counted(done.vectors, 'vector')} of "
        f"{counted(done.dim, 'dimension')}"
    )
    if done.normalised:
        print_line(
            f"{counted(done.normalised, 'vector', 'was', 'were')} divided by their length"
        )
    if done.findings:
        print_line(
            f"findings: {counts(done.findings)}; list them with: likewise findings {dataset}"
        )
    if done.written:
        print_line("wrote params.yaml")
    print_next("dvc repro")


def thumbs(dataset: Dataset) -> None:
    """Make small pictures for clones without pixels.

    The entry of the data set in the section `thumbs` of params.yaml has their size.
    """
    done = likewise.thumbs(dataset)
    bad = f", {done.unreadable:,} unreadable" if done.unreadable else ""
    print_line(
        f"{dataset}: {done.made:,} made, {done.kept:,} kept{bad}, {size_text(done.nbytes)}"
    )
    print_next("dvc repro")


def publish(dataset: Dataset) -> None:
    """Write the published table: items, image properties, vectors."""
    done = likewise.publish(dataset)
    print_line(
        f"{dataset}: {counted(done.items, 'item')}, vectors of "
        f"{', '.join(done.models) or 'no model'}"
    )
    print_next(f"likewise show {dataset}")


def evaluate(
    run: Run,
    rev: Annotated[
        str | None,
        typer.Option(
            metavar="REV", help="Evaluate as of this git revision; nothing is written."
        ),
    ] = None,
    engine: Engine = None,
    shard: Shard = None,
) -> None:
    """Score a run by its protocol and write its results.

    Large galleries on several processes or nodes: docs/scale.md.
    """
    command = f"likewise evaluate {run}"
    if shard is not None:
        if rev is not None:
            raise typer.BadParameter("cannot be combined with --shard", param_hint="--rev")
        print_shards(likewise.evaluate(run, engine=engine, shard=shard), shard, command)
        return
    result = likewise.evaluate(run, rev=rev, engine=engine)
    print_evaluation(result)
    print_shards(result.shards, None, command)
    if rev is None:
        command = after_evaluation(run)
        if command:
            print_note(f"next: {command}")
