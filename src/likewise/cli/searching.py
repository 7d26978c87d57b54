"""The command search."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import likewise
from likewise.cli.arguments import (
    Html,
    Json,
    Rev,
    Selection,
    need_folder,
)
from likewise.cli.output import (
    print_frame,
    print_frame_json,
    print_note,
    print_tip,
)


def search(  # noqa: PLR0913 (a function here is a command, an argument an option)
    dataset: Annotated[
        list[str], typer.Argument(metavar="DATASET...", help="One or more data sets.")
    ],
    *,
    model: Annotated[
        str | None,
        typer.Option(help="Model to search with; required if the data set has several."),
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Query image; repeatable.")
    ] = None,
    item: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ITEM", help="Id of an item to use as query; repeatable."),
    ] = None,
    unlike: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM", help="Id of an item to be unlike; repeatable."),
    ] = None,
    vector: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Query vector (.npy).")
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT", help="Description of an image, by a text tower; repeatable."
        ),
    ] = None,
    not_text: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Description to be unlike; repeatable."),
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT", help="Sentence for texts, such as 'a photo of a {}'; repeatable."
        ),
    ] = None,
    text_weight: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Weight of the text with an image; 0.5 by default."),
    ] = None,
    keywords: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Words of labels and texts (BM25); may be combined with other queries.",
        ),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table of queries: a column id, image, vector or text; also query, label.",
        ),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(metavar="X1,Y1,X2,Y2", help="Use only this region of the query image."),
    ] = None,
    combine: Annotated[
        Literal["mean", "max"], typer.Option(help="Combine several queries by mean or maximum.")
    ] = "mean",
    k: Annotated[
        int | None,
        typer.Option("-k", min=1, metavar="N", help="Number of hits; by default 10."),
    ] = None,
    offset: Annotated[int, typer.Option(min=0, metavar="N", help="Skip the first N hits.")] = 0,
    min_score: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE", help="Minimum score; returns all hits unless -k is given."
        ),
    ] = None,
    per_label: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Maximum number of hits per label.")
    ] = None,
    role: Annotated[
        Literal["gallery", "query", "any"], typer.Option(help="Role of the items to search.")
    ] = "gallery",
    query_role: Annotated[
        Literal["query", "gallery"],
        typer.Option(help="Embed query images as a sketch (query) or a photograph (gallery)."),
    ] = "query",
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="Search only items that match, e.g. split = 'test'."),
    ] = None,
    selection: Selection = None,
    index: Annotated[
        str | None, typer.Option(help="Index of params.yaml; by default exact search.")
    ] = None,
    rerank: Annotated[
        str | None, typer.Option(metavar="NAME", help="Re-ranker of params.yaml, or a kind.")
    ] = None,
    rev: Rev = None,
    json: Json = False,
    html: Html = None,
    png: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the hits as one image.", callback=need_folder),
    ] = None,
) -> None:
    """Find items by images, items, a vector, texts or keywords."""
    options: dict[str, Any] = {
        "model": model,
        "k": k,
        "offset": offset,
        "min_score": min_score,
        "per_label": per_label,
        "role": role,
        "query_role": query_role,
        "where": where,
        "selection": selection,
        "index": index,
        "rerank": rerank,
        "templates": template or None,
    }
    if queries is not None:
        _refuse_other(dataset, image, item, unlike, vector, text or not_text, keywords, box)
        hits = likewise.search_many(dataset[0], queries, rev=rev, **options)
    else:
        query: dict[str, Any] = {
            "image": image or None,
            "id": item or None,
            "unlike": unlike or None,
            "box": _box(box),
            "vector": vector,
            "text": text or None,
            "not_text": not_text or None,
            "text_weight": text_weight,
            "keywords": keywords,
            "combine": combine,
        }
        hits = likewise.search(dataset, rev=rev, **query, **options)
    words = [*(text or []), *(f"not {one}" for one in not_text or [])]
    settings = {
        "text": ", ".join(words),
        "keywords": keywords,
        "revision": rev,
        "model": model,
        "index": index,
        "re-ranker": rerank,
        "where": where,
        "selection": selection,
    }
    parts = "; ".join(f"{name}: {value}" for name, value in settings.items() if value)
    caption = f"{parts[0].upper()}{parts[1:]}." if parts else ""
    for file, write in ((html, hits.to_html), (png, hits.to_png)):
        if file:
            write(file, note=caption)
            print_note(f"wrote {file}")
    if json:
        print_frame_json(hits.frame)
    else:
        _print_hits(hits, dataset)
    if hits.exact and (where or selection) and index not in {None, "exact"}:
        print_note(f"all items that match the filter were compared, without the index {index}")
    if not hits:
        print_note("likewise: no hits")


def _print_hits(hits: "likewise.Hits", datasets: list[str]) -> None:
    frame = hits.frame
    if sys.stdout.isatty() and (frame["path"] == frame["item_id"]).all():
        frame = frame.drop("path")
    print_frame(frame, given=datasets, digits=4)
    if hits:
        print_tip("add --html hits.html for a page of the images, or --json")


def _refuse_other(datasets: list[str], *others: object) -> None:
    if any(others) or len(datasets) > 1:
        text = "cannot be combined with other queries or several data sets"
        raise typer.BadParameter(text, param_hint="--queries")


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
