"""Commands of models and runs: add-model, list-models, add-run, trainings."""

from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Json, parse_names, parse_options
from likewise.cli.output import (
    print_json,
    print_line,
    print_next,
    print_note,
    print_table,
    print_tip,
)


def add_model(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name of the model.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="Its recipe: likewise kinds recipes.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="Option of the recipe; repeatable."),
    ] = None,
    known: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL|GROUP",
            help="A known model or group instead: likewise list-models --known.",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Data sets that it embeds, by commas."),
    ] = None,
    json: Json = False,
) -> None:
    """Add a model to params.yaml, and embeddings of data sets.

    Data sets are scored by the protocols of the runs that they have already.
    """
    added = likewise.add_model(
        name,
        kind=kind,
        options=parse_options(option),
        known=known,
        data=parse_names(data) or [],
    )
    if json:
        print_json(added)
        return
    print_line(f"models: {', '.join(added.models) or 'none is new'}")
    print_line(f"embeddings: {', '.join(added.embeddings) or 'none is new'}")
    print_line(f"runs: {', '.join(added.runs) or 'none is new'}")
    new = added.models or added.embeddings or added.runs
    print_line("wrote params.yaml" if new else "params.yaml is unchanged")
    if added.runs or added.embeddings:
        print_next("dvc repro")
    else:
        print_next("likewise add-run DATASET MODEL PROTOCOL")


def add_run(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Data set or view.")],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model, or imported vectors.")],
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="Protocol: likewise kinds protocols.")
    ],
    index: Annotated[
        str | None,
        typer.Option(metavar="INDEX", help="Index of params.yaml; by default an exact one."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            metavar="KEY=VALUE",
            help="Option of the protocol, or by=COLUMN; repeatable.",
        ),
    ] = None,
) -> None:
    """Add a run to params.yaml: data set, model, index, protocol."""
    run = likewise.add_run(dataset, model, protocol, index=index, options=parse_options(option))
    print_line(f"wrote the run {run} to params.yaml")
    print_next("dvc repro")


def list_models(
    known: Annotated[
        bool, typer.Option("--known", help="List ready entries and their published numbers.")
    ] = False,
    json: Json = False,
) -> None:
    """List the models of params.yaml."""
    listed = likewise.list_models(known=known)
    if json:
        print_json(listed)
    elif known:
        ready = [(m.name, m.section, m.kind, m.origin, m.published) for m in listed]
        print_table(("name", "group", "kind", "backbone", "published"), ready)
        print_tip("likewise add-model --known NAME --data DATASET")
    else:
        rows = [
            (m.name, m.section, m.kind, m.origin, m.dim, m.made, ", ".join(m.datasets))
            for m in listed
        ]
        heads = ("name", "section", "kind", "origin", "dimensions", "made", "data sets")
        print_table(heads, rows)
        print_tip("likewise add-model NAME --kind KIND --option KEY=VALUE")


def trainings(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Models that learn, or MODEL@REV."),
    ] = None,
    json: Json = False,
) -> None:
    """List trainings and their last values.

    Unfinished trainings are listed, too. --json prints all values of the curves, and the page
    draws them: likewise serve.
    """
    listed = likewise.trainings(models or ())
    if json:
        print_json(
            [
                {**vars(one), "values": one.values.to_dict(as_series=False), "last": one.last}
                for one in listed
            ]
        )
        return
    names = dict.fromkeys(metric for one in listed for metric in one.last if metric != "epoch")
    rows = [
        (
            f"{one.model}@{one.rev}" if one.rev else one.model,
            one.state,
            one.kept_epoch,
            *(f"{one.last[name]:.4f}" if name in one.last else "" for name in names),
        )
        for one in listed
    ]
    if rows:
        print_table(("model", "state", "kept epoch", *names), rows)
    else:
        print_note("no model has learning curves; dvc repro trains the models of params.yaml")
