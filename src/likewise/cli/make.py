"""Commands that create: init, add, correct, and the stages of the pipeline."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import (
    Dataset,
    Model,
    OldAnnotations,
    Options,
    Run,
    parse_names,
    parse_options,
)
from likewise.cli.next_steps import after_evaluation
from likewise.cli.output import counts, print_line, print_next, print_note
from likewise.cli.print_evaluation import print_evaluation

if TYPE_CHECKING:
    from likewise import Passport


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Folder of the catalogue; by default the current folder."
        ),
    ] = Path(),
) -> None:
    """Create a catalogue in a folder: git, DVC and files to fill in.

    In an existing catalogue, missing files are added, and names that older releases used in
    params.yaml and dvc.yaml are replaced.
    """
    written = likewise.init(folder)
    for name in written:
        print_line(f"wrote {name}")
    if not len(likewise.open(workspace=folder)):
        print_next("likewise add NAME --source KIND --path DIR")
    else:
        print_next("git diff, then: git commit" if written else "dvc repro")


def add(  # noqa: PLR0913, PLR0917 (one is the old name of an option)
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the data set.")],
    source: Annotated[
        str, typer.Option(metavar="KIND", help="Layout of the source, e.g. gpr1200.")
    ],
    path: Annotated[Path, typer.Option(metavar="DIR", help="Folder or archive of images.")],
    annotations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Annotations, if they are in another place."),
    ] = None,
    text: OldAnnotations = None,
    title: Annotated[str | None, typer.Option(help="Title for people.")] = None,
    option: Options = None,
    models: Annotated[
        str | None, typer.Option(metavar="NAMES|none", help="Models that embed it, by commas.")
    ] = None,
    protocols: Annotated[
        str | None,
        typer.Option(metavar="NAMES|none", help="Protocols that score it, by commas."),
    ] = None,
) -> None:
    """Add a data set: write its card and its params.yaml entries.

    The command reads file names, not images. Without --models and --protocols, the entries
    embed the data set by every model and score it by every protocol of its layout.
    """
    added = likewise.add(
        name,
        source=source,
        path=path,
        annotations=annotations,
        title=title,
        options=parse_options(option),
        models=parse_names(models),
        protocols=parse_names(protocols),
    )
    print_line(
        f"{name}: {added.items:,} items, {added.labels:,} labels, {added.findings:,} findings"
    )
    if added.damaged:
        print_line(f"unreadable and skipped: {added.damaged}")
    if not added.labels:
        print_line(
            "no item has a label: no runs were added; add labels to the source, or run: "
            f"likewise correct {name} ITEM --label LABEL"
        )
    if not added.licence:
        print_line(f"licence: unknown; add it to {added.card} before you share or export")
    print_line(f"wrote {added.card} and params.yaml")
    print_next(f"check {added.card} and params.yaml, then: dvc repro")


def ingest(
    dataset: Dataset,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on any finding.")] = False,
) -> None:
    """Read a source into tables; only new or changed files are read."""
    done = likewise.ingest(dataset, strict=strict)
    print_line(f"{dataset}: {done.items:,} items in {done.images:,} images")
    print_line(f"{done.read:,} read, {done.kept:,} kept, {done.removed:,} removed")
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


def _print_passport(model: str, passport: "Passport") -> None:
    weights = f"weights {passport.weights_source}"
    print_line(f"{model}: {passport.backbone}, {passport.dim:,} dimensions, {weights}")
    print_next("dvc repro")


def embed(
    dataset: Dataset,
    model: Model,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute all vectors again, not only new ones.")
    ] = False,
) -> None:
    """Embed a data set by a model; only new contents are computed."""
    done = likewise.embed(dataset, model, recompute=recompute)
    print_line(f"{dataset} by {model}: {done.computed:,} vectors computed")
    print_line(f"{done.taken_over:,} reused, {done.dropped:,} dropped")
    if len(done.numerics) > 1:
        print_line(
            f"computed by different arithmetics: {'; '.join(done.numerics)}; they differ by "
            f"rounding. To compute all by one: likewise embed {dataset} {model} --recompute"
        )
    print_next("dvc repro")


def correct(
    dataset: Dataset,
    items: Annotated[list[str], typer.Argument(metavar="ITEM...", help="Ids of the items.")],
    label: Annotated[str | None, typer.Option(help="Their correct label.")] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="COLUMN=VALUE", help="Value of another column; repeatable."
        ),
    ] = None,
) -> None:
    """Correct labels or other values of items.

    Corrections are written to catalog/DATASET/corrections.csv; publish and train use the
    corrections instead of the values of the source. An empty value means null.
    """
    corrections = {} if label is None else {"label": label}
    for value in values or []:
        column, equals, text = value.partition("=")
        if not equals:
            raise typer.BadParameter(f"{value!r} is not COLUMN=VALUE")
        corrections[column] = text
    if not corrections:
        raise typer.BadParameter("give --label or --set COLUMN=VALUE")
    done = likewise.correct(
        dataset, items, {name: text or None for name, text in corrections.items()}
    )
    print_line(f"{dataset}: {done.changed:,} values changed, {done.corrections:,} corrections")
    if done.new_label is not None:
        near = f"; did you mean {done.nearest_label!r}?" if done.nearest_label else ""
        print_note(f"warning: no item of {dataset} had the label {done.new_label!r}{near}")
    print_next("dvc repro --allow-missing, then: git commit")


def publish(dataset: Dataset) -> None:
    """Write the published table: items, image properties and vectors."""
    done = likewise.publish(dataset)
    print_line(
        f"{dataset}: {done.items:,} items, vectors of {', '.join(done.models) or 'no model'}"
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
) -> None:
    """Score a run by its protocol and write its results."""
    print_evaluation(likewise.evaluate(run, rev=rev))
    if rev is None:
        command = after_evaluation(run)
        if command:
            print_note(f"next: {command}")
