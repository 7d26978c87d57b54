"""The commands that find: search, index, tune, indexes."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import likewise
from likewise.cli.arguments import Dataset, Html, Json, Rev
from likewise.cli.output import (
    as_json,
    frame_as_json,
    frame_as_table,
    note,
    say,
    table,
)

Embedder = Annotated[str, typer.Argument(metavar="MODEL", help="One that embeds it.")]


def search(  # noqa: PLR0913 (a function here is a command, an argument an option)
    dataset: Annotated[
        list[str], typer.Argument(metavar="DATASET...", help="One data set, or several.")
    ],
    *,
    model: Annotated[str | None, typer.Option(help="By default the only one there is.")] = None,
    image: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="By a picture, or several,")
    ] = None,
    item: Annotated[
        list[str] | None, typer.Option("--id", metavar="ITEM", help="by an item, or several")
    ] = None,
    vector: Annotated[
        Path | None, typer.Option(metavar="FILE", help="or by a vector (.npy);")
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="WORDS", help="by words, alone or beside these;")
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="or all of a table: a column id, image or vector."),
    ] = None,
    box: Annotated[
        str | None, typer.Option(metavar="X1,Y1,X2,Y2", help="Only this part of the picture.")
    ] = None,
    combine: Annotated[
        Literal["mean", "max"], typer.Option(help="Of several: their mean, or the nearest.")
    ] = "mean",
    k: Annotated[
        int | None, typer.Option("-k", min=1, metavar="N", help="How many hits; 10.")
    ] = None,
    offset: Annotated[int, typer.Option(min=0, metavar="N", help="Pass over the best N.")] = 0,
    min_score: Annotated[
        float | None, typer.Option(metavar="SCORE", help="All that score as much; with -k, N.")
    ] = None,
    per_label: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most so many of a label.")
    ] = None,
    role: Annotated[
        Literal["gallery", "query", "any"], typer.Option(help="Which items may be found.")
    ] = "gallery",
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Only among these: split = 'test'.")
    ] = None,
    index: Annotated[
        str | None, typer.Option(help="An index of params.yaml; by default exact.")
    ] = None,
    rev: Rev = None,
    json: Json = False,
    html: Html = None,
    png: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the pictures as one.")
    ] = None,
) -> None:
    """Find the items nearest to pictures, items, a vector or words."""
    how: dict[str, Any] = {
        "model": model,
        "k": k,
        "offset": offset,
        "min_score": min_score,
        "per_label": per_label,
        "role": role,
        "where": where,
        "index": index,
    }
    if queries is not None:
        _refuse_more(dataset, (image, item, vector, text, box, html, png))
        hits = likewise.search_many(dataset[0], queries, rev=rev, **how)
    else:
        what: dict[str, Any] = {"image": image or None, "id": item or None, "box": _box(box)}
        sought: dict[str, Any] = {**what, "vector": vector, "text": text, "combine": combine}
        hits = likewise.search(dataset, rev=rev, **sought, **how)
        told = ", ".join(part for part in (text, rev, model, index, where) if part)
        for file, write in ((html, hits.to_html), (png, hits.to_png)):
            if file:
                write(file, note=told)
                note(f"wrote {file}")
    if json:
        frame_as_json(hits.frame)
    else:
        frame_as_table(hits.frame)
    if not hits:
        note("likewise: nothing found")


def _refuse_more(datasets: list[str], others: tuple[object, ...]) -> None:
    if any(others) or len(datasets) > 1:
        what = "a table of queries is answered alone, in one data set, without pictures"
        raise typer.BadParameter(what, param_hint="--queries")


def _box(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        sides = tuple(float(part) for part in text.split(","))
    except ValueError:
        sides = ()
    if len(sides) != 4:
        raise typer.BadParameter(f"{text!r}; write X1,Y1,X2,Y2 in pixels", param_hint="--box")
    return sides


def index(
    dataset: Dataset,
    model: Embedder,
    name: Annotated[str, typer.Argument(metavar="INDEX", help="An index of params.yaml.")],
    json: Json = False,
) -> None:
    """Make an index, keep it, and measure its recall and speed."""
    made = likewise.index(dataset, model, name)
    if json:
        as_json(made)
        return
    found = made.measured
    say(f"{name} of {dataset} by {model}: {made.covered:,} of {made.items:,} items")
    if found:
        say(f"recall@{found.k} {found.recall:.4f} on {found.probes:,} probes")
        say(f"{found.ms:.3g} ms a query, exact {found.exact_ms:.3g} ms")
        say(f"{found.queries_per_s:,.0f} queries/s at once, {found.nbytes:,} bytes in memory")


def tune(
    dataset: Dataset,
    model: Embedder,
    recall: Annotated[
        float, typer.Option(metavar="SHARE", help="What is to be reached.")
    ] = 0.95,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What it may hold: 500MB, 2GB.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The entry; by default tuned_DATASET_MODEL.")
    ] = None,
    json: Json = False,
) -> None:
    """Try every kind of index, and write the best to params.yaml.

    Recall, speed and size of all are drawn in reports/tuning/.
    """
    found = likewise.tune(dataset, model, recall=recall, memory=memory, name=name)
    if json:
        as_json(found)
        return
    columns = ("", "family", "options", "recall", "ms", "queries/s", "bytes", "build s")
    table(columns, [_trial(one, found.chosen) for one in found.trials])
    note(f"wrote {found.picture}, and {found.name} into params.yaml")


def _trial(one: "likewise.Trial", chosen: "likewise.Trial") -> tuple[object, ...]:
    seen = one.measured
    asked = ", ".join(f"{k} {v}" for k, v in one.entry.items() if k not in ("kind", "factory"))
    numbers = (seen.recall, seen.ms, round(seen.queries_per_s), seen.nbytes, one.build_s)
    return ("*" if one == chosen else "", one.family, asked, *numbers)


def indexes(json: Json = False) -> None:
    """List the indexes that are kept, with recall, speed and size."""
    found = likewise.indexes()
    if json:
        as_json(found)
        return
    columns = ("dataset", "model", "index", "state", "covers", "recall", "ms", "bytes", "mend")
    table(columns, [_row(one) for one in found])


def _row(one: "likewise.Indexed") -> tuple[object, ...]:
    seen = one.measured
    numbers = (seen.recall, seen.ms, seen.nbytes) if seen else (None, None, None)
    covers = f"{one.covered:,} of {one.items:,}"
    return (one.dataset, one.model, one.index, one.state, covers, *numbers, one.command)
