"""A leaderboard: models x data sets of one protocol, with intervals, ties and ranks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TIE = "="
"""The mark of a run that the paired test cannot distinguish from the best one."""

_EXTRAS = ("mean rank", "dimensions", "images/s")
_RANKING = ("rank", "model", "95 % CI", "p to best", "p to next")


@dataclass(frozen=True)
class PairedTest:
    """The paired test between a run and another one on the same data set.

    Attributes:
        other: name of the other run.
        difference: this run minus the other, over their common queries, in the units of the
            reports.
        p: p-value of the test, as ``compare`` prints it.
        p_holm: p, corrected for all tests on the data set (Holm).
        tie: True if the test finds no difference: ``p_holm`` is above 0.05.
    """

    other: str
    difference: float
    p: float
    p_holm: float
    tie: bool

    def __str__(self) -> str:
        """Return the corrected p-value, and ``tie``."""
        return f"{self.p_holm:.4f}{' tie' if self.tie else ''}"


@dataclass(frozen=True)
class BoardCell:
    """The result of a run.

    Attributes:
        run: name of the run.
        value: main metric of the protocol, in the units of the reports.
        low: lower end of its 95 % confidence interval; None if a single class has none.
        high: upper end of that interval.
        rank: rank on the data set, from 1; equal values share the mean of their ranks.
        best: the test against the best run of the data set; None for the best run itself, and
            if the rows of one of the two cannot be read.
        next: the test against the run that follows in the ranking; None for the last one.
        ms: median time of one query of the index on this machine, in milliseconds, as
            ``likewise index`` measured it; None if it did not.
        is_best: True for the best run, and for one that the test cannot distinguish from it.
    """

    run: str
    value: float
    low: float | None
    high: float | None
    rank: float
    best: PairedTest | None = None
    next: PairedTest | None = None
    ms: float | None = None
    is_best: bool = False

    @property
    def mark(self) -> str:
        """The mark of a run that ties with the best one; "" for others."""
        return f" {TIE}" if self.best is not None and self.best.tie else ""


@dataclass(frozen=True)
class BoardEntry:
    """A model with an index, and its results.

    Attributes:
        name: name of the model, and the other options of its runs.
        model: name of the model.
        options: the other options of its runs, such as the index.
        cells: data set -> result.
        mean_rank: mean of its ranks, over the data sets on which it was scored.
        dim: number of dimensions of its vectors; None if the report does not state it.
        images_per_s: images that ``likewise embed`` embedded per second on this machine; None
            if it was not measured.
    """

    name: str
    model: str
    options: dict[str, str]
    cells: dict[str, BoardCell]
    mean_rank: float
    dim: int | None = None
    images_per_s: float | None = None

    def extras(self, datasets: int) -> tuple[str, str, str]:
        """Return mean rank (of some of ``datasets``), dimensions and speed as texts."""
        scored = len(self.cells)
        some = "" if scored == datasets else f" ({scored} of {datasets})"
        dim = "" if self.dim is None else f"{self.dim}"
        speed = "" if self.images_per_s is None else f"{self.images_per_s:.1f}"
        return f"{self.mean_rank:.2f}{some}", dim, speed


@dataclass(frozen=True)
class PublishedEntry:
    """A row of a published table.

    Attributes:
        model: model and its training, as published.
        title: title of the table.
        source: its source.
        values: data set -> value, in the units of the board.
    """

    model: str
    title: str
    source: str
    values: dict[str, float]


@dataclass(frozen=True)
class Board:
    """The results of the runs of one protocol.

    Attributes:
        protocol: options of the protocol.
        metric: its main metric.
        datasets: the data sets, in the order of the columns.
        entries: models, those of most data sets first, then by mean rank, then by name.
        published: rows of published tables of the same protocol, version and counts.
        notes: remarks that matter when numbers are compared.
    """

    protocol: dict[str, Any]
    metric: str
    datasets: list[str]
    entries: list[BoardEntry]
    published: list[PublishedEntry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The protocol and its metric as text."""
        name, version = self.protocol["name"], self.protocol["version"]
        unit = " in percent" if self.protocol.get("percent") else ""
        return f"{name}, version {version}: {self.metric}{unit}"

    @property
    def sources(self) -> list[str]:
        """One line per published table."""
        tables = {(row.title, row.source) for row in self.published}
        return [f"published: {name}; {source}" for name, source in sorted(tables)]

    def ranking(self, dataset: str) -> list[tuple[BoardEntry, BoardCell]]:
        """Return the entries that were scored on ``dataset``, best first."""
        scored = [(entry, e) for entry in self.entries if (e := entry.cells.get(dataset))]
        return sorted(scored, key=lambda pair: (-pair[1].value, pair[1].run))

    def matrix(
        self,
        name: Callable[[str], str] = str,
        cell: "Callable[[Board, BoardCell], str] | None" = None,
    ) -> tuple[list[str], list[list[str]]]:
        """Return heads and rows of the table of models and data sets, as texts.

        Mean rank, dimensions and speed follow, without the columns that are empty. Rows of
        published tables come last.

        Args:
            name: formats names and heads.
            cell: formats the result of a run; by default its value, interval and mark.
        """
        kept = self._extras_shown()
        heads = ["model", *self.datasets, *(_EXTRAS[n] for n in kept)]
        rows = []
        for entry in self.entries:
            cells = (entry.cells.get(dataset) for dataset in self.datasets)
            texts = ["" if one is None else (cell or Board.plain)(self, one) for one in cells]
            extras = entry.extras(len(self.datasets))
            rows.append([name(entry.name), *texts, *(extras[n] for n in kept)])
        for row in self.published:
            values = (row.values.get(dataset) for dataset in self.datasets)
            texts = ["" if value is None else self.number(value) for value in values]
            rows.append([name(f"{row.model} ({row.title})"), *texts, *[""] * len(kept)])
        return [name(head) for head in heads], rows

    def ranking_table(self, dataset: str) -> tuple[list[str], list[list[str]]]:
        """Return heads and rows of the ranking of a data set, as texts, the best first.

        A board of one data set has the dimensions and speeds of its models here.
        """
        kept = [] if len(self.datasets) > 1 else self._extras_shown()
        rows = [
            [f"{cell.rank:g}", entry.name, self.number(cell.value), self.interval(cell)]
            + ["" if one is None else str(one) for one in (cell.best, cell.next)]
            + ["" if cell.ms is None else f"{cell.ms:.3g}"]
            + [entry.extras(len(self.datasets))[n] for n in kept]
            for entry, cell in self.ranking(dataset)
        ]
        for row in self.published:
            if dataset in row.values:
                value = self.number(row.values[dataset])
                blanks = [""] * (3 + len(kept))
                rows.append(["", f"{row.model} ({row.title})", value, "published", *blanks])
        heads = [*_RANKING[:2], self.metric, *_RANKING[2:], "ms a query"]
        heads += [_EXTRAS[n] for n in kept]
        filled = [n for n in range(len(heads)) if n < 6 or any(row[n] for row in rows)]
        return [heads[n] for n in filled], [[row[n] for n in filled] for row in rows]

    def number(self, value: float) -> str:
        """Format a value in the units of the board."""
        return f"{value:.{self.protocol.get('decimals', 4)}f}"

    def interval(self, cell: BoardCell, between: str = " to ") -> str:
        """Format the interval of a result; "" without one."""
        if cell.low is None or cell.high is None:
            return ""
        return f"{self.number(cell.low)}{between}{self.number(cell.high)}"

    def plain(self, cell: BoardCell) -> str:
        """Format value, interval and mark of a result."""
        between = self.interval(cell)
        return f"{self.number(cell.value)}{f' ({between})' if between else ''}{cell.mark}"

    def short(self, cell: BoardCell) -> str:
        """Format value and mark of a result."""
        return f"{self.number(cell.value)}{cell.mark}"

    def _extras_shown(self) -> list[int]:
        """Return which of ``_EXTRAS`` have values; a single data set has no mean rank."""
        shown = [
            any(entry.extras(len(self.datasets))[n] for entry in self.entries) for n in range(3)
        ]
        shown[0] = len(self.datasets) > 1
        return [n for n, is_shown in enumerate(shown) if is_shown]
