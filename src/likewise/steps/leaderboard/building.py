"""Build a board from the reports of one protocol."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from likewise.catalogue.run_results import RunRecord
from likewise.errors import LikewiseError
from likewise.evaluation.significance import LEVEL, holm
from likewise.steps.leaderboard.board import (
    Board,
    BoardCell,
    BoardEntry,
    PairedTest,
    PublishedEntry,
)
from likewise.steps.leaderboard.board_notes import power_notes, training_notes, version_notes
from likewise.steps.leaderboard.kept_tests import KeptTests, PairResult
from likewise.storage import timings
from likewise.storage.config import Run
from likewise.storage.workspace import Workspace

_SAME = ("dataset", "model", "protocol", "by")
"""Fields of a run that do not belong to the name of an entry."""

_EXACT = {"index": "exact"}
"""Options that are not a part of the name of an entry."""

Results = dict[str, list[RunRecord]]
"""Data set -> reports of its runs, the best first."""


def build_board(
    ws: Workspace,
    runs: Mapping[str, Run],
    records: Sequence[RunRecord],
    columns: Sequence[str],
    kept: KeptTests,
    *,
    published: bool,
) -> Board:
    """Return the board of reports of one protocol.

    Args:
        ws: the catalogue.
        runs: the entries of the runs.
        records: their reports, by one protocol with equal options.
        columns: data sets in the order of the columns.
        kept: the paired tests.
        published: add rows of published tables.
    """
    notes: list[str] = []
    protocol, metric = records[0].protocol, next(iter(records[0].metrics))
    by_dataset = _ranked(runs, records, columns, notes)
    cells: dict[str, BoardCell] = {}
    for dataset, ranked in by_dataset.items():
        notes += version_notes(dataset, runs, ranked)
        cells |= _cells(ws, runs, ranked, kept, notes)
        notes += power_notes(dataset, ranked, cells)
        notes += training_notes(ws, dataset, ranked)
    rows = _published(by_dataset, metric, notes) if published else []
    return Board(
        protocol, metric, list(by_dataset), _entries(ws, runs, records, cells), rows, notes
    )


def _ranked(
    runs: Mapping[str, Run],
    records: Iterable[RunRecord],
    columns: Sequence[str],
    notes: list[str],
) -> Results:
    """Return the reports of every data set, best first, one for each model and its options."""
    seen: dict[tuple[str, str], str] = {}
    by_dataset: Results = {column: [] for column in columns}
    for record in records:
        run = runs[record.run]
        key = run.dataset, _name(run)
        value = _value(record)
        if key in seen:
            notes.append(f"{record.run} repeats {seen[key]}, and is left out")
        elif math.isnan(value):
            notes.append(f"{record.run} has no value, and is left out")
        else:
            seen[key] = record.run
            by_dataset[run.dataset].append(record)
    for ranked in by_dataset.values():
        ranked.sort(key=lambda record: (-_value(record), record.run))
    return {dataset: ranked for dataset, ranked in by_dataset.items() if ranked}


def _value(record: RunRecord) -> float:
    return next(iter(record.metrics.values()))


def _options(run: Run) -> dict[str, str]:
    """Return the options of a run that distinguish entries of one model."""
    options = {k: v for k, v in run.recorded().items() if k not in _SAME}
    if run.rerank is not None:
        others = {k: v for k, v in run.rerank.items() if k != "kind"}
        options["rerank"] = [run.rerank.get("kind"), *([others] if others else [])]
    return {name: _text(value) for name, value in options.items()}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)


def _name(run: Run) -> str:
    """Return the name of an entry: its model, and its options other than exact search."""
    options = [
        f"re-ranked by {v}" if k == "rerank" else v
        for k, v in _options(run).items()
        if _EXACT.get(k) != v
    ]
    return ", ".join([run.model, *options])


def _cells(
    ws: Workspace,
    runs: Mapping[str, Run],
    ranked: Sequence[RunRecord],
    kept: KeptTests,
    notes: list[str],
) -> dict[str, BoardCell]:
    """Return run -> its result on a data set, with the tests against the best and the next."""
    values = [_value(record) for record in ranked]
    cells = []
    for record, value in zip(ranked, values, strict=True):
        statistic = record.main_statistic
        first = values.index(value) + 1
        rank = first + (values.count(value) - 1) / 2
        run = runs[record.run]  # the time of an index is without re-ranking
        ms = timings.query_ms(ws, run) if run.rerank is None else None
        low, high = statistic.get("low"), statistic.get("high")
        cells.append(BoardCell(record.run, value, low, high, rank, ms=ms))
    tests = _tests(ranked, kept, notes)
    for at, cell in enumerate(cells):
        best = tests.get((0, at))
        after = tests.get((at, at + 1))
        following = None if after is None else _turned(after, cells[at + 1].run)
        is_best = at == 0 or (best is not None and best.tie)
        cells[at] = replace(cell, best=best, next=following, is_best=is_best)
    return {cell.run: cell for cell in cells}


def _tests(
    ranked: Sequence[RunRecord], kept: KeptTests, notes: list[str]
) -> dict[tuple[int, int], PairedTest]:
    """Test the best run against all others, and neighbours; p is corrected by Holm's method."""
    pairs = [(0, at) for at in range(1, len(ranked))]
    pairs += [(at, at + 1) for at in range(1, len(ranked) - 1)]
    results: dict[tuple[int, int], PairResult] = {}
    for better, worse in sorted(pairs, key=lambda pair: (pair[1], pair[0])):
        try:
            result = kept.test(ranked[better], ranked[worse])
        except (LikewiseError, OSError) as error:
            _add(notes, [f"no paired test: {error}"])
        else:
            results[better, worse] = result
            _add(notes, result.notes)
    return corrected(results, [record.run for record in ranked])


def corrected(
    results: Mapping[tuple[int, int], PairResult], runs: Sequence[str]
) -> dict[tuple[int, int], PairedTest]:
    """Correct the p-values of all tests on a data set together, by Holm's method.

    Args:
        results: numbers of the better and the worse run -> their test.
        runs: names of the runs.

    Returns:
        The tests from the view of the worse run.
    """
    p_values = holm([result.p for result in results.values()])
    return {
        pair: PairedTest(runs[pair[0]], result.difference, result.p, p, tie=p > 1 - LEVEL)
        for (pair, result), p in zip(results.items(), p_values, strict=True)
    }


def _turned(test: PairedTest, other: str) -> PairedTest:
    """Return a test from the view of the better run."""
    return replace(test, other=other, difference=-test.difference)


def _add(notes: list[str], new: Iterable[str]) -> None:
    notes += [note for note in new if note not in notes]


def _entries(
    ws: Workspace,
    runs: Mapping[str, Run],
    records: Iterable[RunRecord],
    cells: Mapping[str, BoardCell],
) -> list[BoardEntry]:
    grouped: dict[str, list[RunRecord]] = {}
    for record in records:
        if record.run in cells:
            grouped.setdefault(_name(runs[record.run]), []).append(record)
    entries = [_entry(ws, runs, name, group, cells) for name, group in grouped.items()]
    return sorted(entries, key=lambda e: (-len(e.cells), e.mean_rank, e.name))


def _entry(
    ws: Workspace,
    runs: Mapping[str, Run],
    name: str,
    records: Sequence[RunRecord],
    cells: Mapping[str, BoardCell],
) -> BoardEntry:
    run = runs[records[0].run]
    own = {runs[record.run].dataset: cells[record.run] for record in records}
    dims = (record.lineage["model"].get("dim") for record in records)
    dim = next((d for d in dims if isinstance(d, int) and not isinstance(d, bool)), None)
    mean_rank = sum(cell.rank for cell in own.values()) / len(own)
    embedded = (e.dataset for e in ws.params.embeddings.values() if e.model == run.model)
    speed = timings.images_per_s(ws, run.model, embedded)
    return BoardEntry(name, run.model, _options(run), own, mean_rank, dim, speed)


def _published(by_dataset: Results, metric: str, notes: list[str]) -> list[PublishedEntry]:
    """Return the rows of the published tables that the results may be compared with."""
    rows: dict[tuple[str, int], PublishedEntry] = {}
    for dataset, ranked in by_dataset.items():
        whole = [r for r in ranked if "listed" not in r.lineage["counts"]]
        if not whole:
            notes.append(f"{dataset}: truncated lists are not comparable with published tables")
            continue
        record = whole[0]
        percent = bool(record.protocol.get("percent"))
        _add(notes, record.published.reasons)
        for table in record.published.tables:
            for number, row in enumerate(table.rows):
                value = table.values(row, percent=percent).get(metric)
                if value is not None:
                    model = re.sub(r"\s+", " ", f"{row.model} {row.trained}".strip())
                    entry = PublishedEntry(model, table.title, table.source, {})
                    rows.setdefault((table.title, number), entry).values[dataset] = value
    return list(rows.values())
