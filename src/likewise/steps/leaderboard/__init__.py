"""Compare the models of a catalogue on its data sets."""

import json
from collections.abc import Iterable, Sequence

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.run_results import RunRecord, read_record
from likewise.errors import DataError, LikewiseError, UnknownNameError, bounded
from likewise.formats.paths import StrPath
from likewise.steps.leaderboard.boards import Leaderboard
from likewise.steps.leaderboard.building import build_board
from likewise.steps.leaderboard.kept_tests import KeptTests
from likewise.storage.config import Run
from likewise.storage.workspace import Workspace


def leaderboard(
    *,
    protocol: str | None = None,
    datasets: Sequence[str] | None = None,
    published: bool = False,
    workspace: StrPath | None = None,
) -> Leaderboard:
    """Compare the evaluated runs of a catalogue: one board of models x data sets per protocol.

    Runs are compared as ``compare`` does, by a paired permutation test that swaps two runs for
    whole classes. On every data set the best run is tested against all others, and each run
    against the next one in the ranking. All these p-values of a data set are corrected together
    (Holm). Two runs tie if the corrected p-value is above 0.05. Only the reports are read, and
    their values per query; the tests of unchanged reports are kept in ``.likewise``.

    The mean rank is the mean of the ranks on the data sets of a model. Equal values share the
    mean of their ranks. Source: Demsar, Statistical Comparisons of Classifiers over Multiple
    Data Sets, JMLR 7, 2006.

    Args:
        protocol: only the runs of this protocol.
        datasets: only these data sets or views, as columns in this order; by default those of
            params.yaml.
        published: add the rows of published tables of the same protocol and counts.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set, or no run by the protocol.
        DataError: there is no run.

    Example:
        >>> boards = likewise.leaderboard().boards
        >>> boards[0].metric, [entry.name for entry in boards[0].entries]
        ('all', ['tiny'])
        >>> round(boards[0].entries[0].cells["emoji"].value, 2)
        0.66
    """
    ws = open_workspace(workspace)
    runs = _chosen(ws, protocol, datasets)
    columns = list(dict.fromkeys(datasets or (run.dataset for run in runs.values())))
    records, left_out = _read(ws, runs)
    kept = KeptTests(ws)
    boards = []
    for group in _by_protocol(records):
        names = {record.run for record in group}
        part = {name: run for name, run in runs.items() if name in names}
        boards.append(build_board(ws, part, group, columns, kept, published=published))
    kept.save()
    return Leaderboard(boards, left_out)


def _chosen(
    ws: Workspace, protocol: str | None, datasets: Sequence[str] | None
) -> dict[str, Run]:
    """Return the runs of a protocol and of data sets.

    Raises:
        UnknownNameError: no such data set, or no run by the protocol.
        DataError: there is no run.
    """
    for name in datasets or ():
        ws.check_known(name)
    runs = ws.params.runs
    protocols = sorted({run.protocol for run in runs.values()})
    if protocol is not None and protocol not in protocols:
        where = "the runs of params.yaml"
        raise UnknownNameError("protocol", protocol, protocols, where, complete=True)
    chosen = {
        name: run
        for name, run in runs.items()
        if protocol in (None, run.protocol) and (not datasets or run.dataset in datasets)
    }
    if not chosen:
        of = f" of {bounded(datasets, len(datasets))}" if datasets else ""
        by = f" by {protocol}" if protocol else ""
        raise DataError(f"params.yaml has no run{of}{by}; add one with: likewise add-run")
    return chosen


def _read(ws: Workspace, runs: Iterable[str]) -> tuple[list[RunRecord], list[str]]:
    """Return the reports of runs, and one line for each that cannot be used."""
    records, left_out = [], []
    known: dict[str, tuple[str, ...]] = {}
    for run in runs:
        try:
            records.append(read_record(ws, run, known))
        except (LikewiseError, OSError) as error:
            left_out.append(f"{run}: {error}")
    return records, left_out


def _by_protocol(records: Iterable[RunRecord]) -> list[list[RunRecord]]:
    """Group reports by all options of their protocols, as ``compare`` requires."""
    groups: dict[str, list[RunRecord]] = {}
    for record in records:
        key = json.dumps([record.protocol, next(iter(record.metrics))], sort_keys=True)
        groups.setdefault(key, []).append(record)
    ordered = sorted(
        groups.items(),
        key=lambda pair: (pair[1][0].protocol["name"], pair[1][0].protocol["version"], pair[0]),
    )
    return [group for _, group in ordered]
