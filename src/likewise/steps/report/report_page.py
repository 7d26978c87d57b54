"""The page of a report, as Markdown and as HTML with figures and images."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.catalogue.run_results import Results
from likewise.formats.counted_nouns import counted
from likewise.pages.item_map import item_map, meaning
from likewise.pages.markdown import inline, table
from likewise.pages.rendering import inline_svg, render, same_digits
from likewise.steps.report import figures, reranked_table
from likewise.steps.report.class_table import ClassPictures, ClassRow
from likewise.steps.report.diagnostics import Hubs, MixUp
from likewise.steps.report.interval_bars import IntervalBar, IntervalBars
from likewise.steps.report.picture_rows import Pictures
from likewise.steps.report.reranked_table import reranked_rows
from likewise.storage.config import Run

_METRIC_HEADS = (
    "metric",
    "value",
    "95 % CI (class bootstrap)",
    "minimum detectable difference",
)
_CONFUSED = "classes of its wrong hits among the first 10 (share)"
_PUBLISHED_HEADS = ("published model", "metric", "value", "ours / published")


@dataclass(frozen=True)
class RankingDiagnostics:
    """Diagnostics of the rankings of a run."""

    curves: dict[str, pl.DataFrame]
    first_hits: list[tuple[str, int]]
    mix_ups: list[MixUp]
    classes: list[ClassRow]
    class_pictures: list[ClassPictures]
    hubs: Hubs
    pictures: Pictures

    def confusions(self) -> list[tuple[str, str, str]]:
        """Return one row per confused pair: label, label of the first hit, queries."""
        return [(pair.label, pair.found, f"{pair.queries:,}") for pair in self.mix_ups]


@dataclass(frozen=True)
class Page:
    """The contents of a report; ``ranking`` is None for protocols without a ranking."""

    entry: Run
    title: str
    results: Results
    ranking: RankingDiagnostics | None
    gap: float | None
    places: npt.NDArray[np.float32] | None
    method: str
    kinds: pl.Series

    heads = _METRIC_HEADS
    published_heads = _PUBLISHED_HEADS

    @property
    def measure(self) -> str:
        """The main metric of the protocol."""
        return str(self.results.protocol.get("metric", "value"))

    @property
    def score(self) -> str:
        """The score of a hit and its direction; "" if the protocol does not name them."""
        protocol = self.results.protocol
        return ", ".join(str(protocol[k]) for k in ("score", "direction") if protocol.get(k))

    @property
    def class_heads(self) -> tuple[str, str, str, str]:
        """Heads of the table of classes."""
        return "class", "queries", f"mean {self.measure}", _CONFUSED

    def query_value(self, value: float) -> str:
        """Format the main metric of one query, in the unit of the table of metrics."""
        protocol = self.results.protocol
        scale = protocol.get("scale", 1) * (100 if protocol.get("percent") else 1)
        return f"{value * scale:.{self._decimals}f}"

    def worst_classes(self) -> list[tuple[str, str, str, str]]:
        """Return one row per worst class; see ``class_heads``."""
        return [
            (
                row.label,
                f"{row.queries:,}",
                self.query_value(row.value),
                ", ".join(f"{name} ({share:.0%})" for name, share in row.confused),
            )
            for row in (self.ranking.classes if self.ranking else ())
        ]

    def bars(self) -> IntervalBars:
        """Return the intervals of the metrics on one scale."""
        drawn = _drawable(self)
        if not drawn:
            return IntervalBars("", "", {})
        lowest = min(min(values) for values in drawn.values())
        highest = max(max(values) for values in drawn.values())
        percent = 100 / ((highest - lowest) or 1)
        shown = {
            name: IntervalBar(
                round((low - lowest) * percent, 2),
                round((high - low) * percent, 2),
                round((value - lowest) * percent, 2),
            )
            for name, (value, low, high) in drawn.items()
        }
        low_end, high_end = (f"{end:.{self._decimals}f}" for end in (lowest, highest))
        return IntervalBars(low_end, high_end, shown)

    @property
    def _decimals(self) -> int:
        return int(self.results.protocol.get("decimals", 4))

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return one row per metric; see ``heads``."""
        digits = self._decimals
        rows = []
        for name, value in self.results.metrics.items():
            statistic = self.results.statistics.get(name, {})
            low, high, least = (
                statistic.get(k) for k in ("low", "high", "smallest_difference")
            )
            between = "" if low is None else f"{low:.{digits}f} to {high:.{digits}f}"
            shown = "" if least is None else f"{least:.{digits}f}"
            rows.append((name, f"{value:.{digits}f}", between, shown))
        return rows

    def subtitle(self) -> str:
        """Summarise the run in a sentence."""
        made = f"{self.title}: {self.entry.model}, {self.entry.index} search"
        if self.entry.rerank is not None:
            made = f"{made}, re-ranked by {self.entry.rerank.get('kind')}"
        return (
            f"{made}, scored by {self.entry.protocol}; "
            f"{counted(len(self.results.queries), 'query')}."
        )

    def notes(self) -> list[str]:
        """Return remarks that matter when numbers are compared."""
        published = self.results.published
        sources = [f"published: {one.title}; {one.source}" for one in published.tables]
        return [*self.results.lineage["notes"], *sources, *published.reasons]

    def published(self) -> list[tuple[str, str, str, str]]:
        """Return one row per comparable published value: model, metric, value, our ratio."""
        percent = bool(self.results.protocol.get("percent"))
        listed = self.results.lineage["counts"].get("listed")
        cut = "" if listed is None else f", of lists of {listed:,}: not comparable"
        rows = []
        for reference in self.results.published.tables:
            for row in reference.rows:
                for metric, value in reference.values(row, percent=percent).items():
                    ours = self.results.metrics.get(metric)
                    ratio = "" if ours is None else f"{ours / value:.2f}{cut}"
                    model = f"{row.model} {row.trained}".strip()
                    rows.append((model, metric, value, ratio))
        values = same_digits([value for _, _, value, _ in rows])
        return [(*row[:2], value, row[3]) for row, value in zip(rows, values, strict=True)]

    def reranked(self) -> list[tuple[str, str, str, str, str, str]]:
        """Return one row per metric, without and with the re-ranker; none without one."""
        return reranked_rows(self.results.reranking, self._decimals)

    def switches(self) -> list[tuple[str, str]]:
        """Return the settings of the protocol."""
        return [(k.replace("_", " "), _readable(v)) for k, v in self.results.protocol.items()]

    def origin(self) -> list[tuple[str, str]]:
        """Return the data set, model, weights, index and libraries of the numbers."""
        model = self.results.lineage["model"]
        columns = [(f"digest of {k}", v) for k, v in self.results.lineage["columns"].items()]
        facts = [
            (
                "data set",
                f"{self.entry.dataset}, {counted(self.results.lineage['items'], 'item')}",
            ),
            ("model", f"{self.entry.model}: {_readable(model.get('recipe', {}))}"),
            ("weights", f"{model.get('weights_source', '')} {model.get('weights_sha256', '')}"),
            ("index", self.entry.index),
            *self._reranker(),
            ("libraries", _readable(model.get("libraries", {}))),
        ]
        return facts + columns

    def _reranker(self) -> list[tuple[str, str]]:
        """Return the re-ranker with all of its options."""
        options = self.results.lineage.get("reranker")
        return [] if options is None else [("re-ranker", _readable(options))]


def as_markdown(page: Page) -> str:
    """Return the text of the report, without figures and images."""
    lines = [
        f"# {page.results.run}",
        "",
        inline(page.subtitle()),
        "",
        *table(_METRIC_HEADS, page.rows()),
        "",
        *(f"- {inline(note)}" for note in page.notes()),
        "",
        *_reranked_text(page),
        *(table(_PUBLISHED_HEADS, page.published()) if page.published() else ()),
        "",
        *(() if page.ranking is None else _ranking_text(page, page.ranking)),
    ]
    if page.gap is not None:
        gap = f"{page.gap:.3f}"
        lines += [f"Distance between the mean vectors of queries and gallery: {gap}.", ""]
    origin = [*page.origin(), *page.switches()]
    lines += ["## Provenance", "", *table(("property", "value"), origin)]
    return "\n".join(lines) + "\n"


def as_html(page: Page) -> str:
    """Return the page, with figures and images embedded."""
    drawn: dict[str, object] = {"map": None}
    if page.places is not None:
        drawn["map"] = item_map(page.places, page.kinds)
    if page.ranking is not None:
        drawn |= _curves(page.ranking)
    return render(
        "report.html",
        page=page,
        ranking=page.ranking,
        figures=drawn,
        bars=page.bars(),
        meaning=meaning([page.method], [page.kinds], page.kinds.name),
        reranked=reranked_table,
    )


def _curves(ranking: RankingDiagnostics) -> dict[str, str]:
    cmc, curve = ranking.curves["cmc"], ranking.curves["precision-recall"]
    drawn = {
        "cmc": figures.line(cmc, "rank", "share", "share of queries (0 to 1)"),
        "curve": figures.line(curve, "recall", "precision", "mean precision (0 to 1)"),
        "first": figures.bars(ranking.first_hits, "rank", "queries"),
        "hubs": figures.bars(ranking.hubs.bars(), "queries", "items"),
    }
    return {name: inline_svg(svg, name) for name, svg in drawn.items()}


def _reranked_text(page: Page) -> list[str]:
    rows = page.reranked()
    heading = f"## {reranked_table.CAPTION}"
    lines = [heading, "", *table(reranked_table.HEADS, rows), "", reranked_table.NOTE, ""]
    return lines if rows else []


def _ranking_text(page: Page, ranking: RankingDiagnostics) -> list[str]:
    confusions = ranking.confusions()
    first = [(name, f"{count:,}") for name, count in ranking.first_hits]
    return [
        "## First relevant item",
        "",
        *table(("rank", "queries"), first),
        "",
        "## Worst classes",
        "",
        *table(page.class_heads, page.worst_classes()),
        "",
        "## Confusions",
        "",
        *table(("label of the query", "label of the first hit", "queries"), confusions),
        "",
        f"Hubness (skewness of the 10-occurrence): {ranking.hubs.skewness:.2f}.",
        "",
    ]


def _drawable(page: Page) -> dict[str, tuple[float, float, float]]:
    """Return the metrics that have an interval: (value, low, high)."""
    drawn = {}
    for name, value in page.results.metrics.items():
        low, high = (page.results.statistics.get(name, {}).get(end) for end in ("low", "high"))
        if low is not None and high is not None:
            drawn[name] = (value, low, high)
    return drawn


def _readable(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_readable(v)}" for k, v in value.items() if v is not None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_readable, value))
    return str(value)
