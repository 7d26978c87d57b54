"""The page of a report, as Markdown and as HTML with figures and images."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import jinja2
import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.catalogue.run_results import Results
from likewise.errors import LikewiseError
from likewise.pages.gallery import Tile
from likewise.pages.markdown import table
from likewise.pages.tiles import item_tiles
from likewise.steps.report import figures
from likewise.steps.report.diagnostics import Hubs, MixUp
from likewise.storage.config import Run

_PUBLISHED = ("published model", "metric", "value", "ours / published")
WORST, BEST, HITS = 10, 4, 8
"""Number of worst queries, best queries, and hits per query that are shown as images."""


@dataclass(frozen=True)
class PictureRow:
    """A query and its first hits, shown as a row of images.

    Attributes:
        query: image of the query.
        value: its value of the main metric.
        hits: images of its first hits.
        missed: remark on the first relevant item that was missed.
    """

    query: Tile
    value: float
    hits: list[Tile]
    missed: str


@dataclass(frozen=True)
class Pictures:
    """The rows of images of a report.

    Attributes:
        worst: the queries with the lowest values.
        best: the queries with the highest values.
        note: reason for missing images; "" for none.
    """

    worst: list[PictureRow]
    best: list[PictureRow]
    note: str = ""

    @classmethod
    def of(cls, dataset: Dataset, queries: pl.DataFrame) -> "Pictures":
        """Select the worst and the best queries; equal values are in the order of the items."""
        scored = queries.filter(pl.col("value").is_not_null()).with_row_index("place")
        worst = scored.sort("value", "place").head(WORST)
        best = scored.sort("value", "place", descending=[True, False]).head(BEST)
        best = best.join(worst, on="item_id", how="anti")
        try:
            return cls(_rows(dataset, worst), _rows(dataset, best))
        except (LikewiseError, OSError) as error:
            return cls([], [], f"no pictures: {error}")


@dataclass(frozen=True)
class RankingDiagnostics:
    """Diagnostics of the rankings of a run."""

    curves: dict[str, pl.DataFrame]
    first_hits: list[tuple[str, int]]
    mix_ups: list[MixUp]
    hubs: Hubs
    pictures: Pictures


@dataclass(frozen=True)
class Page:
    """The contents of a report; ``ranking`` is None for protocols without a ranking."""

    entry: Run
    title: str
    told: Results
    ranking: RankingDiagnostics | None
    gap: float | None
    places: npt.NDArray[np.float32] | None
    kinds: pl.Series

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return one row per metric: name, value, 95 % interval and smallest difference."""
        digits = int(self.told.protocol.get("decimals", 4))
        rows = []
        for name, value in self.told.metrics.items():
            found = self.told.statistics.get(name, {})
            low, high, least = (found.get(k) for k in ("low", "high", "smallest_difference"))
            between = "" if low is None else f"{low:.{digits}f} to {high:.{digits}f}"
            shown = "" if least is None else f"{least:.{digits}f}"
            rows.append((name, f"{value:.{digits}f}", between, shown))
        return rows

    def subtitle(self) -> str:
        """Summarise the run in a sentence."""
        made = f"{self.title}: {self.entry.model}, {self.entry.index} search"
        return f"{made}, scored by {self.entry.protocol}; {len(self.told.queries):,} queries."

    def notes(self) -> list[str]:
        """Return remarks that matter when numbers are compared."""
        published = self.told.published
        sources = [f"published: {one.title}; {one.source}" for one in published.tables]
        return [*self.told.lineage["notes"], *sources, *published.reasons]

    def published(self) -> list[tuple[str, str, str, str]]:
        """Return one row per comparable published value: model, metric, value, our ratio."""
        percent = bool(self.told.protocol.get("percent"))
        rows = []
        for reference in self.told.published.tables:
            for row in reference.rows:
                for metric, value in reference.values(row, percent=percent).items():
                    ours = self.told.metrics.get(metric)
                    ratio = "" if ours is None else f"{ours / value:.2f}"
                    model = f"{row.model} {row.trained}".strip()
                    rows.append((model, metric, f"{value:g}", ratio))
        return rows

    def switches(self) -> list[tuple[str, str]]:
        """Return the settings of the protocol."""
        return [(k.replace("_", " "), _said(v)) for k, v in self.told.protocol.items()]

    def origin(self) -> list[tuple[str, str]]:
        """Return the data set, model, weights, index and libraries of the numbers."""
        model = self.told.lineage["model"]
        columns = [(f"digest of {k}", v) for k, v in self.told.lineage["columns"].items()]
        facts = [
            ("data set", f"{self.entry.dataset}, {self.told.lineage['items']:,} items"),
            ("model", f"{self.entry.model}: {_said(model.get('recipe', {}))}"),
            ("weights", f"{model.get('weights_source', '')} {model.get('weights_sha256', '')}"),
            ("index", self.entry.index),
            ("libraries", _said(model.get("libraries", {}))),
        ]
        return facts + columns


def as_markdown(page: Page) -> str:
    """Return the text of the report, without figures and images."""
    lines = [
        f"# {page.told.run}",
        "",
        page.subtitle(),
        "",
        *table(("metric", "value", "95 % interval", "smallest difference"), page.rows()),
        "",
        *(f"- {note}" for note in page.notes()),
        "",
        *(table(_PUBLISHED, page.published()) if page.published() else ()),
        "",
        *(() if page.ranking is None else _ranking_text(page.ranking)),
    ]
    if page.gap is not None:
        lines += [f"Distance between the means of queries and gallery: {page.gap:.3f}.", ""]
    origin = [*page.origin(), *page.switches()]
    lines += ["## Where it comes from", "", *table(("what", "which"), origin)]
    return "\n".join(lines) + "\n"


def as_html(page: Page) -> str:
    """Return the page, with figures and images embedded."""
    drawn = {
        "intervals": figures.intervals(_drawable(page)) if _drawable(page) else None,
        "map": None if page.places is None else figures.points(page.places, page.kinds),
    }
    if page.ranking is not None:
        drawn |= _curves(page.ranking)
    return _template().render(page=page, ranking=page.ranking, figures=drawn)


def _curves(ranking: RankingDiagnostics) -> dict[str, str]:
    cmc, curve = ranking.curves["cmc"], ranking.curves["precision-recall"]
    return {
        "cmc": figures.line(cmc, "rank", "share", "queries with a hit by then"),
        "curve": figures.line(curve, "recall", "precision", "mean precision"),
        "first": figures.bars(ranking.first_hits, "queries"),
        "hubs": figures.bars(ranking.hubs.bars(), "items"),
    }


def _ranking_text(ranking: RankingDiagnostics) -> list[str]:
    first = [(name, f"{count:,}") for name, count in ranking.first_hits]
    mixed = [(m.label, m.found, f"{m.queries:,}") for m in ranking.mix_ups]
    return [
        "## First relevant item",
        "",
        *table(("rank", "queries"), first),
        "",
        "## Taken for another",
        "",
        *table(("label", "first hit", "queries"), mixed),
        "",
        f"Skewness of how often items are found: {ranking.hubs.skewness:.2f}.",
        "",
    ]


def _rows(dataset: Dataset, queries: pl.DataFrame) -> list[PictureRow]:
    shown = [
        [item, *hits[:HITS]] for item, hits in queries.select("item_id", "hits").iter_rows()
    ]
    names = list(dict.fromkeys(name for row in shown for name in row))
    tiles = dict(zip(names, item_tiles(dataset, names), strict=True))
    found = []
    columns = ("value", "hit_scores", "hit_relevant", "missed_ranks")
    for (item, *hits), (value, scores, relevant, missed) in zip(
        shown, queries.select(columns).iter_rows(), strict=True
    ):
        known = scores or [None] * len(hits)
        row = [
            replace(tiles[hit], score=score, same=same)
            for hit, score, same in zip(hits, known, relevant, strict=False)
        ]
        found.append(PictureRow(tiles[item], value, row, _missed(missed)))
    return found


def _missed(ranks: Sequence[int | None]) -> str:
    if not ranks:
        return ""
    first = "behind all that was ranked" if ranks[0] is None else f"at rank {ranks[0]:,}"
    return f"the next relevant item is {first}"


def _drawable(page: Page) -> dict[str, tuple[float, float, float]]:
    """Return the metrics that have an interval: (value, low, high)."""
    drawn = {}
    for name, value in page.told.metrics.items():
        low, high = (page.told.statistics.get(name, {}).get(end) for end in ("low", "high"))
        if low is not None and high is not None:
            drawn[name] = (value, low, high)
    return drawn


def _said(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_said(v)}" for k, v in value.items() if v is not None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return str(value)


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("likewise.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
