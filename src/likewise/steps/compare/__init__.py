"""Compare two runs query by query: differences, p values and changed queries."""

from dataclasses import replace

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.paired_queries import common_queries
from likewise.catalogue.run_comparison import ChangedQuery, Comparison
from likewise.catalogue.run_results import Results, read_results
from likewise.errors import DataError
from likewise.evaluation.metrics import METRICS
from likewise.evaluation.paired_metrics import (
    ComparedMetric,
    corrected_metrics,
    further_metrics,
    main_metrics,
)
from likewise.evaluation.protocols.by_column import metric_by
from likewise.evaluation.smallest_p import undetectable
from likewise.formats.paths import StrPath
from likewise.pages.written import write_page
from likewise.steps.compare.changed_rows import changes_page
from likewise.steps.open import open as open_catalogue


def compare(
    first: str,
    second: str,
    *,
    html: StrPath | None = None,
    workspace: StrPath | None = None,
) -> Comparison:
    """Compare the reports of two runs of one protocol, query by query.

    The p values come from a paired permutation test that swaps the runs for whole classes,
    because queries of one class are not independent. The p values of subsets are corrected
    for multiple tests (Holm), and so are those of the values of the column ``by`` of a run.

    Args:
        first: name of a run, or ``RUN@REV``: the run at a git revision, in a release, or in a
            DVC experiment (``dvc exp show`` lists them).
        second: the run to compare it with, in the same notation.
        html: a page to write: the fixed and the broken queries, with pictures of their first
            hits in both runs.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such run.
        MissingArtefactError: one of the runs was not evaluated.
        DataError: the runs have different protocols, or no query in common; or they have no
            ranked lists, for ``html``.

    Example:
        >>> compared = likewise.compare("emoji-tiny@v1", "emoji-tiny")
        >>> main = compared.rows[0]
        >>> main.metric, round(main.first, 2), round(main.second, 2)
        ('all', 0.69, 0.67)
        >>> sorted(query.item_id for query in compared.broken)
        ['1000_fluent.jpg', '1000_twemoji.jpg']
    """
    pair = _results(first, workspace), _results(second, workspace)
    protocol = pair[0].protocol
    if pair[1].protocol != protocol:
        protocols = [
            f"{r.run} is by {r.protocol['name']} {r.protocol['version']}" for r in pair
        ]
        raise DataError(
            f"{', '.join(protocols)}: results of different protocols cannot be compared; to "
            "score one run by several definitions, run: likewise crosswalk RUN"
        )
    marked = (replace(r, queries=r.queries.with_columns(right=r.right)) for r in pair)
    both, notes = common_queries(*marked)
    own = (both, list(pair[0].metrics), protocol)
    rows = [*main_metrics(*own), *_value_rows(both, pair), *further_metrics(*own)]
    limit = undetectable(rows[0].difference.classes)
    comparison = Comparison(
        first,
        second,
        protocol,
        rows,
        _changed(both, worse="right", better="right_second"),
        _changed(both, worse="right_second", better="right"),
        [*notes, *([limit] if limit else [])],
        _by_side(both),
    )
    if html is not None:
        write_page(html, _page(comparison, both, workspace))
    return comparison


def _page(comparison: Comparison, both: pl.DataFrame, workspace: StrPath | None) -> str:
    """Return the page of the changed queries; pictures are those of the second run first."""
    opened = []
    for name in (comparison.second, comparison.first):
        run, _, rev = name.partition("@")
        dataset = open_workspace(workspace, rev=rev or None).run(run).dataset
        opened.append(open_catalogue(dataset, rev=rev or None, workspace=workspace))
    changed = [[query.item_id for query in q] for q in (comparison.fixed, comparison.broken)]
    main, metric = comparison.rows[0], str(comparison.protocol.get("metric", ""))
    known = METRICS.get(metric.partition("@")[0])
    meaning = f" The value of a query is {metric}: {known.summary}" if known else ""
    title = opened[0].card.title
    names = (comparison.first, comparison.second)
    note = (
        f"{title}, protocol {comparison.protocol['name']}. {main.metric}: {main.first:.4f} by "
        f"{names[0]}, {main.second:.4f} by {names[1]}; p {main.difference.p:.4f} (paired "
        f"test).{meaning}"
    )
    return changes_page(
        names, both, (changed[0], changed[1]), opened, note, comparison.protocol
    )


def _results(name: str, workspace: StrPath | None) -> Results:
    """Return the results of ``RUN`` or ``RUN@REV``, under that name."""
    run, _, rev = name.partition("@")
    ws = open_workspace(workspace)
    if rev:
        entry = ws.params.runs.get(run)
        dataset = entry.dataset if entry else ""
        ws = open_workspace(workspace, rev=rev, dataset=dataset)
    return replace(read_results(ws, run), run=name)


def _value_rows(both: pl.DataFrame, pair: tuple[Results, Results]) -> list[ComparedMetric]:
    """Return the main metric over the queries of each value of the column ``by`` of a run."""
    column = next((r.reported_by for r in pair if r.reported_by), None)
    if column is None:
        return []
    scored = both.filter((pl.col("value") + pl.col("value_second")).is_not_nan())
    main = next(iter(pair[0].metrics))
    parts = {
        metric_by(main, column, value): scored.filter(by=value)
        for value in scored["by"].drop_nulls().unique().sort()
    }
    return corrected_metrics(parts, pair[0].protocol)


def _changed(both: pl.DataFrame, worse: str, better: str) -> list[ChangedQuery]:
    """Return the queries whose first hit is right in one run only, largest change first."""
    changed = both.filter(pl.col(better) & ~pl.col(worse)).with_columns(
        change=(pl.col("value") - pl.col("value_second")).abs().fill_null(0)
    )
    ordered = changed.sort("change", "item_id", descending=[True, False])
    rows = ordered.select("item_id", "label", "value", "value_second").iter_rows()
    return [ChangedQuery(*row) for row in rows]


def _by_side(both: pl.DataFrame) -> pl.DataFrame:
    """Return the common queries with the side on which each of them is."""
    right, second = pl.col("right"), pl.col("right_second")
    side = (
        pl.when(right & second)
        .then(pl.lit("right"))
        .when(right)
        .then(pl.lit("broken"))
        .when(second)
        .then(pl.lit("fixed"))
        .otherwise(pl.lit("wrong"))
    )
    ranks = {
        name: pl.col(name) if name in both.columns else pl.lit(None, pl.Int64)
        for name in ("first_hit", "first_hit_second")
    }
    return both.select(
        "item_id",
        "label",
        "subset",
        first="value",
        second="value_second",
        delta=pl.col("value_second") - pl.col("value"),
        side=side,
        **ranks,
    )
