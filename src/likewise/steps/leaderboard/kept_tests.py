"""Paired tests of runs, kept by the digests of what they were computed from."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from likewise.catalogue.paired_queries import common_queries
from likewise.catalogue.run_results import Results, RunRecord, queries_file, with_queries
from likewise.errors import DamagedError, DataError
from likewise.evaluation.paired_metrics import paired_values
from likewise.evaluation.significance import FLIPS, SEED, paired_p
from likewise.formats import atomic
from likewise.formats.counted_nouns import counted
from likewise.formats.json_documents import parse_json
from likewise.formats.paths import refuse_links
from likewise.storage import seals
from likewise.storage.workspace import Workspace

MOST_KEPT = 100_000
"""Maximum number of tests that are kept; then only those of the last call stay."""

_PURPOSE, _KEY = "leaderboard", "tests"
_COLUMNS = ("item_id", "label", "subset", "value")
"""The columns of the rows of a run that a test reads."""

_HELD = 3
"""Number of runs whose rows stay in memory: the best one and two neighbours."""

_METHOD = ["paired permutation of classes", FLIPS, SEED, 1]
"""The method of a test: a kept result of another method is not used."""


@dataclass(frozen=True)
class PairResult:
    """The result of one test.

    Attributes:
        difference: second minus first run, in the units of the reports.
        p: its p-value.
        notes: remarks on queries that are left out.
    """

    difference: float
    p: float
    notes: tuple[str, ...] = ()


class KeptTests:
    """The tests of a checkout, in one file of ``.likewise`` with a seal."""

    def __init__(self, ws: Workspace) -> None:
        """Read the kept tests; a file of another checkout is not used."""
        self._ws = ws
        self._path = ws.paired_tests
        self._kept = _read(ws, self._path)
        self._used: dict[str, Any] = {}
        self._digests: dict[str, str] = {}
        self._changed = False
        self._rows: dict[str, Results] = {}

    def test(self, first: RunRecord, second: RunRecord) -> PairResult:
        """Return the test of two runs of one protocol: difference and p of ``compare``.

        Raises:
            LikewiseError: the rows of a run are missing or damaged, or the runs have no scored
                query in common.
        """
        inputs = [_METHOD, first.protocol, self._digest(first.run), self._digest(second.run)]
        # The names of the runs are in the notes.
        names = [first.run, second.run]
        text = json.dumps([*inputs, names], sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        result = _as_result(self._kept.get(key))
        if result is None:
            result = compared(self._results(first), self._results(second))
            self._changed = True
        self._used[key] = [result.difference, result.p, list(result.notes)]
        return result

    def save(self) -> None:
        """Keep the tests, unless the folder cannot be written."""
        if not self._changed:
            return
        tests = {**self._kept, **self._used}
        text = json.dumps(tests if len(tests) <= MOST_KEPT else self._used)
        with suppress(DataError, OSError):
            refuse_links(self._ws.cache_root, self._path)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            document = seals.sealed_document(self._ws, _PURPOSE, _KEY, text)
            atomic.write_text(self._path, document)

    def _digest(self, run: str) -> str:
        if run not in self._digests:
            with queries_file(self._ws, run).open("rb") as rows:
                self._digests[run] = hashlib.file_digest(rows, "sha256").hexdigest()
        return self._digests[run]

    def _results(self, record: RunRecord) -> Results:
        """Return the rows of a run; those of the last runs stay in memory."""
        results = self._rows.pop(record.run, None)
        if results is None:
            results = with_queries(self._ws, record, _COLUMNS)
        self._rows[record.run] = results
        if len(self._rows) > _HELD:
            del self._rows[next(iter(self._rows))]
        return results


def compared(first: Results, second: Results) -> PairResult:
    """Test the main metric of two runs, as ``compare`` does.

    Raises:
        DataError: the runs have no scored query in common.
    """
    both, _ = common_queries(first, second)
    main = next(iter(first.metrics))
    pair = paired_values(both, first.protocol, main, "value", over_all=True)
    p = paired_p(pair.first, pair.second, pair.classes)
    difference = float(np.mean((pair.second - pair.first)[pair.scored]))
    return PairResult(difference, p, tuple(_notes(first, second, both)))


def _notes(first: Results, second: Results, both: pl.DataFrame) -> Iterator[str]:
    """Yield remarks without ids of items, because tests stay when items are taken down."""
    sizes = len(first.queries), len(second.queries)
    names = f"{first.run} and {second.run}"
    if sizes != (len(both), len(both)):
        yield (
            f"{names} have {counted(len(both), 'query')} in common, of {sizes[0]:,} and "
            f"{sizes[1]:,}"
        )
    moved = both.select((~pl.col("label").eq_missing(pl.col("label_second"))).sum()).item()
    if moved:
        yield (
            f"{names} scored {counted(moved, 'query')} with different labels; the first's are "
            "used"
        )


def _read(ws: Workspace, path: Path) -> dict[str, Any]:
    """Return the kept tests by their keys; none if this checkout did not write them."""
    try:
        text = seals.open_document(ws, path, path.read_bytes(), _PURPOSE, _KEY)
        kept = parse_json(text, str(path))
    except (OSError, DataError, DamagedError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _as_result(kept: Any) -> PairResult | None:
    if kept is None:
        return None
    difference, p, notes = kept
    return PairResult(difference, p, tuple(notes))
