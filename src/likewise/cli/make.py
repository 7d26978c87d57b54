"""The commands that make something: init, add, and the stages of the pipeline."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Model, OldAnnotations, Options, Run, parsed
from likewise.cli.output import counts, say
from likewise.cli.print_evaluation import print_evaluation

if TYPE_CHECKING:
    from likewise import Passport


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where; by default the current folder.")
    ] = Path(),
) -> None:
    """Begin a catalogue in a folder: git, DVC, and files to fill in.

    What is there already stays as it is.
    """
    for name in likewise.init(folder):
        say(f"wrote {name}")
    say("next: likewise add NAME --source KIND --path DIR")


def add(  # noqa: PLR0913, PLR0917 (one is the old name of an option)
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the data set.")],
    source: Annotated[str, typer.Option(metavar="KIND", help="Its layout, gpr1200 say.")],
    path: Annotated[Path, typer.Option(metavar="DIR", help="The folder or archive of images.")],
    annotations: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Annotations, if they lie elsewhere.")
    ] = None,
    text: OldAnnotations = None,
    title: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    option: Options = None,
) -> None:
    """Add a data set: write its card and its params.yaml entries.

    Nothing but names is read; every model is to embed it, every protocol to score it.
    """
    added = likewise.add(
        name,
        source=source,
        path=path,
        annotations=annotations,
        title=title,
        options=parsed(option),
    )
    say(f"{name}: {added.items:,} items, {added.labels:,} labels, {added.findings:,} findings")
    if added.damaged:
        say(f"cannot be read, and is left out: {added.damaged}")
    if not added.licence:
        say(f"licence: unknown; write it into {added.card} before you share or export")
    say(f"wrote {added.card} and params.yaml; look at both, then run: dvc repro")


def ingest(
    dataset: Dataset,
    strict: Annotated[bool, typer.Option("--strict", help="Let any finding stop it.")] = False,
) -> None:
    """Read a source into tables; only what is new or changed is read."""
    done = likewise.ingest(dataset, strict=strict)
    say(f"{dataset}: {done.items:,} items in {done.images:,} images")
    say(f"{done.read:,} read, {done.kept:,} kept, {done.removed:,} removed")
    if done.forgotten:
        say(f"{done.forgotten:,} left out, as forgotten.csv says")
    if done.findings:
        say(f"found: {counts(done.findings)}; see: likewise findings {dataset}")


def load(
    model: Model,
) -> None:
    """Fetch the weights of a frozen model of params.yaml."""
    _say_made(model, likewise.load(model))


def train(
    model: Model,
) -> None:
    """Train a model by its recipe in params.yaml.

    A stopped training resumes with the same command. On N GPUs: torchrun --nproc-per-node N -m
    likewise train MODEL. Recipes, their options and experiments: docs/training.md.
    """
    made = likewise.train(model)
    if os.environ.get("RANK", "0") == "0":  # of several processes, only the first prints
        _say_made(model, made)


def _say_made(model: str, made: "Passport") -> None:
    say(f"{model}: {made.backbone}, {made.dim:,} dimensions, weights {made.weights_source}")


def embed(
    dataset: Dataset,
    model: Model,
) -> None:
    """Embed a data set by a model, as far as it is not embedded yet."""
    done = likewise.embed(dataset, model)
    say(f"{dataset} by {model}: {done.computed:,} vectors computed")
    say(f"{done.taken_over:,} taken over, {done.dropped:,} dropped")


def correct(
    dataset: Dataset,
    items: Annotated[list[str], typer.Argument(metavar="ITEM...", help="Ids of items.")],
    label: Annotated[str | None, typer.Option(help="Their class.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="COLUMN=VALUE", help="Repeatable.")
    ] = None,
) -> None:
    """Correct items over what their source says.

    It is written to catalog/DATASET/corrections.csv, which publish and training heed; an empty
    value is none.
    """
    said = {} if label is None else {"label": label}
    for value in values or []:
        column, equals, text = value.partition("=")
        if not equals:
            raise typer.BadParameter(f"{value!r} is not COLUMN=VALUE")
        said[column] = text
    if not said:
        raise typer.BadParameter("give --label, or --set COLUMN=VALUE")
    done = likewise.correct(dataset, items, {name: text or None for name, text in said.items()})
    say(f"{dataset}: {done.changed:,} values changed, {done.corrections:,} corrections")
    say("next: dvc repro --allow-missing, then commit to git")


def publish(dataset: Dataset) -> None:
    """Write the table that people open: items, image facts, vectors."""
    done = likewise.publish(dataset)
    say(f"{dataset}: {done.items:,} items, vectors of {', '.join(done.models) or 'no model'}")


def evaluate(
    run: Run,
    rev: Annotated[
        str | None,
        typer.Option(metavar="REV", help="That git revision's run; nothing is written."),
    ] = None,
) -> None:
    """Score a run by its protocol and write its report."""
    print_evaluation(likewise.evaluate(run, rev=rev))
