"""Write the report of a run: one page with numbers, curves, images and their origin."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from tqdm import tqdm

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.item_places import METHODS, item_places, map_of
from likewise.catalogue.run_results import Results, read_results
from likewise.errors import DamagedError, MissingExtraError, StaleArtefactError
from likewise.formats import atomic
from likewise.formats.array_types import Float32Array, Int64Array
from likewise.formats.paths import StrPath
from likewise.formats.vector_blocks import VectorBlocks
from likewise.pages import notebook
from likewise.pages.map_colours import in_words
from likewise.retrieval.projections import planar
from likewise.steps.report import diagnostics, figures
from likewise.steps.report.class_table import class_pictures, class_values, worst_classes
from likewise.steps.report.picture_rows import Pictures
from likewise.steps.report.report_page import Page, RankingDiagnostics, as_html, as_markdown
from likewise.storage import artefacts, journal, tables
from likewise.storage.config import Run, read_yaml
from likewise.storage.digests import Digests
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Report:
    """The files of a report, relative to the catalogue's root.

    Attributes:
        run: name of the run.
        page: the HTML page.
        markdown: its text as Markdown.
        json: its numbers as JSON.
        plots: curves as CSV files.
    """

    run: str
    page: str
    markdown: str
    json: str
    plots: list[str]

    def _repr_html_(self) -> str:
        files = {"page": self.page, "Markdown": self.markdown, "JSON": self.json}
        curves = {"curves": ", ".join(self.plots)}
        return notebook.heading(f"Report of {self.run}") + notebook.facts({**files, **curves})


def report(run: str, *, workspace: StrPath | None = None) -> Report:
    """Write the report of ``run`` into ``reports/`` as an HTML page, Markdown and JSON.

    The page opens offline: it contains all figures and images. The curves are also written as
    CSV files, which ``dvc plots show`` and ``dvc plots diff`` read.

    Args:
        run: name of the run.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no such run.
        MissingArtefactError: the run was not evaluated, or its data set is not published.
        StaleArtefactError: the run was evaluated on another version of the data set.
        DamagedError: the published table or the rows of the run are damaged.

    Example:
        >>> likewise.report("emoji-tiny").page
        'reports/emoji-tiny.html'
    """
    ws = open_workspace(workspace)
    entry = ws.run(run)
    with (
        no_takedown(ws, entry.dataset, f"report-{run}"),
        journal.exclusive_job(ws, f"report-{run}"),
    ):
        results = read_results(ws, run)
        dataset = Dataset(ws, entry.dataset)
        _refuse_stale(ws, run, dataset, results.lineage)
        page = _page(ws, entry, results, dataset)
        curves = {} if page.ranking is None else page.ranking.curves
        staging = journal.Staging(ws, f"report-{run}")
        for kind, curve in curves.items():
            rows = staging.path(ws.report(run, f"{kind}.csv"))
            with atomic.writing(rows):
                curve.write_csv(rows)
        texts = {"html": as_html(page), "md": as_markdown(page), "report.json": _facts(page)}
        for kind, text in texts.items():
            atomic.write_text(staging.path(ws.report(run, kind)), text)
        staging.commit()
    html, markdown, facts = (ws.relative(ws.report(run, kind)) for kind in texts)
    plots = [ws.relative(ws.report(run, f"{kind}.csv")) for kind in curves]
    return Report(run, html, markdown, facts, plots)


def _refuse_stale(ws: Workspace, run: str, dataset: Dataset, lineage: dict[str, Any]) -> None:
    path = ws.published_digests(dataset.name)
    digests = Digests.from_yaml(read_yaml(path), ws.relative(path))
    if digests.rows != len(dataset):
        table = ws.relative(ws.published(dataset.name))
        raise DamagedError(f"{table} differs from {ws.relative(path)}; run: likewise doctor")
    present = digests.columns
    other = [name for name, digest in lineage["columns"].items() if present.get(name) != digest]
    if other:
        what = f"run {run!r} was evaluated before {', '.join(other)} of {dataset.name} changed"
        raise StaleArtefactError(what, artefacts.results(ws, run).command)


def _page(ws: Workspace, entry: Run, results: Results, dataset: Dataset) -> Page:
    dataset.need_model(entry.model)
    roles = dataset.table.read(["role"])["role"]
    shown = figures.chosen(len(dataset))
    vectors = tables.vector_blocks(dataset.table, entry.model)
    places, method, shown = _places(ws, entry, dataset, vectors, shown)
    return Page(
        entry=entry,
        title=dataset.card.title,
        results=results,
        ranking=_ranking(dataset, results) if "ranks" in results.queries.columns else None,
        gap=diagnostics.modality_gap(vectors, roles),
        places=places,
        method=method,
        kinds=_kinds(dataset, shown),
    )


def _places(
    ws: Workspace, entry: Run, dataset: Dataset, vectors: VectorBlocks, shown: Int64Array
) -> tuple[Float32Array | None, str, Int64Array]:
    """Return the places of some items, the method, and the rows of these items.

    They are those of a map of params.yaml, if one was made; otherwise t-SNE is computed.
    Places are None for few items, and without scikit-learn.
    """
    name = map_of(ws, entry.dataset, entry.model)
    if name is not None:
        stored = item_places(ws, name, dataset.table)
        known = stored.filter(pl.col("position").is_in(pl.Series(shown).implode()))
        rows = known["position"].cast(pl.Int64).to_numpy()
        places = np.asarray(known.select("x", "y").to_numpy(), np.float32)
        return (places if len(rows) > 3 else None), METHODS[ws.map(name).method], rows
    if len(shown) <= 3:
        return None, "", shown
    try:
        return planar(vectors.take(shown), "tsne"), METHODS["tsne"], shown
    except MissingExtraError as error:
        tqdm.write(f"the report has no map of the items: {error}", file=sys.stderr)
        return None, "", shown


def _ranking(dataset: Dataset, results: Results) -> RankingDiagnostics:
    queries = results.queries
    classes = worst_classes(queries, dataset)
    return RankingDiagnostics(
        curves={
            "cmc": diagnostics.cumulative_match(queries),
            "precision-recall": diagnostics.precision_recall(queries),
        },
        first_hits=diagnostics.first_hits(queries),
        mix_ups=diagnostics.mix_ups(queries, _names(dataset, queries)),
        classes=classes,
        class_pictures=class_pictures(classes, dataset),
        hubs=diagnostics.hubs(queries, results.lineage["counts"]["gallery"]),
        pictures=Pictures.of(dataset, queries),
    )


def _names(dataset: Dataset, queries: pl.DataFrame) -> dict[str, str | None]:
    """Return the text or label of the queries and of their first two hits, by item id."""
    first = queries.select(pl.col("hits").list.head(2).explode().alias("item_id"))
    items = pl.concat([queries.select("item_id"), first]).unique().drop_nulls()
    rows = dataset.find(items["item_id"].to_list())
    texts = dataset.rows(rows[rows >= 0].astype(np.int32), ["item_id", "text", "label"])
    return dict(texts.select("item_id", pl.coalesce("text", "label")).iter_rows())


def _kinds(dataset: Dataset, shown: npt.NDArray[np.int64]) -> pl.Series:
    """Return the column that colours the map: the first one with several values."""
    for column in ("subset", "role", "split"):
        values = dataset.table.read([column])[column]
        if values.n_unique() > 1:
            return values[shown]
    rows = dataset.rows(shown.tolist(), ["label", "text"])
    return in_words(rows["label"], rows["text"])


def _facts(page: Page) -> str:
    """Return the report as JSON."""
    facts: dict[str, Any] = {
        "run": page.results.run,
        "metrics": page.results.metrics,
        "intervals": page.results.statistics,
        "modality_gap": page.gap,
        "lineage": page.results.lineage,
    }
    if page.results.reranking is not None:
        facts["reranking"] = page.results.reranking
    if page.ranking is not None:
        ranking = page.ranking
        facts |= {
            "first_hits": dict(ranking.first_hits),
            "mix_ups": [asdict(pair) for pair in ranking.mix_ups],
            "classes": class_values(page.results.queries).to_dicts(),
            "worst_classes": [asdict(row) for row in ranking.classes],
            "hubness": {"skewness": ranking.hubs.skewness, "most": dict(ranking.hubs.most)},
            "curves": {
                n: curve.to_dict(as_series=False) for n, curve in ranking.curves.items()
            },
        }
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
