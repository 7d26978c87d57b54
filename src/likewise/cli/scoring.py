"""Commands that score and compare: score, compare, leaderboard, crosswalk, report ..."""

from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Json, Run, need_folder, parse_names
from likewise.cli.output import (
    print_json,
    print_json_with_rows,
    print_line,
    print_markdown,
    print_next,
    print_note,
    print_tip,
)
from likewise.cli.print_citation import print_citation
from likewise.cli.print_comparison import print_comparison, print_crosswalk
from likewise.cli.print_evaluation import print_evaluation
from likewise.cli.print_leaderboard import print_leaderboard


def score(  # noqa: PLR0913 (a function here is a command, an argument an option)
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="Protocol of the evaluation.")
    ],
    *,
    embeddings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Vectors, one per item.")
    ] = None,
    indices: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Ranked lists, one per query; replaces --embeddings."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder or archive of the images."),
    ] = None,
    items: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Table of the items; replaces --images.")
    ] = None,
    min_images_per_class: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Smallest class of compcars-*; by default 58."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Report the metrics of every value, too."),
    ] = None,
    order: Annotated[
        bool,
        typer.Option(
            "--order", help="Print the ids of the items in the order of their vectors."
        ),
    ] = False,
    dataset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With --order: a data set of the catalogue."),
    ] = None,
    json: Json = False,
) -> None:
    """Score external embeddings or rankings by a protocol.

    The table of items is a .csv or .parquet file with the columns item_id, label, split, role
    ..., or the .pkl file of Revisited Oxford or Paris (images first, then queries). With
    --order, nothing is scored: the ids are printed, one per line, in the order in which the
    vectors must be.
    """
    if order:
        if embeddings is not None or indices is not None:
            raise typer.BadParameter(
                "it scores nothing; leave out --embeddings and --indices", param_hint="--order"
            )
        ids = likewise.score_order(dataset, images=images, items=items)
        if json:
            print_json(ids)
        else:
            for item in ids:
                print_line(item)
        return
    if dataset is not None:
        raise typer.BadParameter(
            "expected with --order; likewise evaluate scores a data set", param_hint="--dataset"
        )
    result = likewise.score(
        protocol,
        embeddings=embeddings,
        indices=indices,
        images=images,
        items=items,
        min_images_per_class=min_images_per_class,
        by=by,
    )
    if json:
        record = {
            "metrics": result.metrics,
            "unrounded": result.unrounded,
            "protocol": result.protocol,
            "notes": result.notes,
            "counts": result.counts,
        }
        print_json_with_rows(record, "queries", result.queries)
    else:
        print_evaluation(result)
        print_next("likewise init and likewise add, to keep data, vectors and results")


def compare(
    first: Annotated[str, typer.Argument(metavar="RUN_A", help="Evaluated run.")],
    second: Annotated[
        str,
        typer.Argument(metavar="RUN_B", help="Another run of the same protocol, or RUN_A@REV."),
    ],
    json: Json = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a page of the changed queries, with their hits in both runs.",
            callback=need_folder,
        ),
    ] = None,
) -> None:
    """Compare two runs, query by query.

    Print the differences of all metrics with p-values, and the queries that changed. p comes
    from a paired permutation test that swaps the two runs for whole classes; with several
    subsets, or values of a column by which a run is reported, it is corrected by Holm's method.
    RUN@REV is a run at a git revision, at a release (1.2) or of a `dvc exp` experiment.
    """
    comparison = likewise.compare(first, second, html=html)
    if html:
        print_note(f"wrote {html}")
    if json:
        print_json(vars(comparison) | {"queries": comparison.queries.to_dicts()})
    else:
        print_comparison(comparison)
        print_tip(f"likewise report {second.partition('@')[0]}")


def leaderboard(  # noqa: PLR0913 (an argument is an option)
    *,
    protocol: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only runs by this protocol.")
    ] = None,
    datasets: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Only these data sets, by commas."),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Add comparable rows of published tables.")
    ] = False,
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    latex: Annotated[
        bool, typer.Option("--latex", help="Print LaTeX tables with booktabs.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write an HTML page.", callback=need_folder),
    ] = None,
) -> None:
    """Compare all evaluated models on all data sets.

    Print values with intervals, ranks and ties: two runs tie if the paired test of `compare`
    finds no difference. On each data set, the best run is tested against all others and each
    run against the next; these p-values are corrected by Holm's method. Only reports are read.
    """
    if json + markdown + latex > 1:
        raise typer.BadParameter("give one of --json, --markdown and --latex")
    names = parse_names(datasets)
    table = likewise.leaderboard(protocol=protocol, datasets=names, published=published)
    if html:
        table.to_html(html)
        print_note(f"wrote {html}")
    if json:
        print_json(table)
    elif markdown:
        print_markdown(table.to_markdown().rstrip())
    elif latex:
        print_markdown(table.to_latex().rstrip())
    else:
        print_leaderboard(table)
        print_tip("likewise compare RUN RUN, or for a paper: likewise cite RUN")


def crosswalk(
    run: Run,
    json: Json = False,
) -> None:
    """Score a run by every common definition of its metrics.

    Print the definitions of benchmarks, libraries and textbooks side by side, and whether
    published numbers are comparable.
    """
    scores = likewise.crosswalk(run)
    if json:
        print_json(scores)
    else:
        print_crosswalk(scores)
        print_tip(f"likewise report {run}")


def cite(
    run: Run,
    json: Json = False,
    latex: Annotated[
        bool, typer.Option("--latex", help="Print the paragraph and the numbers as LaTeX.")
    ] = False,
) -> None:
    """Write methods, BibTeX and numbers of a run for a paper.

    All facts come from the card, the passport, the protocol and the report. A fact that none
    of them states is listed as missing.
    """
    if json and latex:
        raise typer.BadParameter("give one of --json and --latex")
    citation = likewise.cite(run)
    if json:
        print_json(citation)
    elif latex:
        print_markdown(citation.to_latex().rstrip())
    else:
        print_citation(citation)
        print_tip(f"likewise cite {run} --latex")


def report(
    run: Run,
    json: Json = False,
) -> None:
    """Write the report of a run as one self-contained HTML page.

    The report is also written as Markdown and JSON, and its curves as files for `dvc plots`.
    """
    files = likewise.report(run)
    if json:
        print_json(files)
    else:
        print_line(f"{run}: {files.page}, {files.markdown}, {files.json}")
        print_line(f"curves: {', '.join(files.plots)}")
        print_next(f"dvc plots show {' '.join(files.plots)}")
