"""Score a run with its protocol, and write its report."""

import json
from dataclasses import replace
from typing import Any, overload

from likewise.catalogue.catalogue import open_workspace
from likewise.distributed import (
    Engine,
    ShardCounts,
    choose_engine,
    parse_shard,
    plans_of,
    remove_plans,
)
from likewise.distributed.engines.here import Here
from likewise.errors import ConfigError, DataError
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.by_column import score_by
from likewise.evaluation.significance import METHOD
from likewise.formats import atomic
from likewise.formats.json_documents import parse_json
from likewise.formats.paths import StrPath
from likewise.steps.evaluate.rank_shards import RankJob, rank_job
from likewise.steps.evaluate.run_inputs import protocol_rows, reported_column, run_digests
from likewise.steps.evaluate.run_scoring import in_blocks, score_run
from likewise.storage import journal, timings
from likewise.storage.takedown_lock import no_takedown

__all__ = ["evaluate"]

CHOSEN_ON_TEST = (
    "the model's weights were chosen on the test split, as the original program does: "
    "its numbers there are too good"
)


@overload
def evaluate(
    run: str,
    *,
    engine: str | None = None,
    shard: None = None,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> Evaluation: ...
@overload
def evaluate(
    run: str, *, engine: str | None = None, shard: str, workspace: StrPath | None = None
) -> ShardCounts: ...
def evaluate(
    run: str,
    *,
    engine: str | None = None,
    shard: str | None = None,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> Evaluation | ShardCounts:
    """Score ``run`` (data set x model x index x protocol) and write its report.

    A run with a re-ranker (``rerank``) is scored without and with it, on the same queries.

    The report has four files: ``reports/<run>.json`` holds the metrics,
    ``reports/<run>.statistics.json`` their confidence intervals,
    ``reports/<run>.lineage.json`` the protocol, its notes and the digests of the inputs, and
    ``reports/<run>.parquet`` one row per query.

    Args:
        run: name of a run in params.yaml.
        engine: who ranks large galleries: an entry of ``engines`` in params.yaml, or a kind of
            ``likewise.kinds("engines")``. The default is the environment variable
            LIKEWISE_ENGINE, and without it this process. Small galleries, approximate indices
            and re-rankers are scored by this process.
        shard: "K/N", for process K (0 to N-1) of N: rank its shards and write no report.
            A later call without ``shard`` takes all shards over.
        rev: a git revision: score the run of that revision on its data, and write no report.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The result, or with ``shard`` the numbers of shards.

    Raises:
        UnknownNameError: no such run, protocol, index, engine or revision.
        ConfigError: ``shard`` is not K/N, or was given with ``rev``.
        MissingArtefactError: the data set is not published, or not with this model.
        DataError: no query can be scored, e.g. because no two items have the same label, or
            the items lack a column that the protocol reads; or shards failed.

    Example:
        >>> report = likewise.evaluate("emoji-tiny")
        >>> round(report.metrics["all"], 2)
        0.66
        >>> len(report.queries)
        23
    """
    ws = open_workspace(workspace, rev=rev)
    entry, chosen = ws.run(run), choose_engine(ws.params.engines, engine)
    if shard is not None:
        part = parse_shard(shard)
        if ws.is_historic:
            raise ConfigError(
                "shard cannot be combined with rev: shards are those of the checkout"
            )
        with no_takedown(ws, entry.dataset, rank_job(run)):
            return _own_shards(RankJob.of(ws, run), part, chosen)
    if ws.is_historic:
        job = RankJob.of(ws, run)
        return _complete(job, _result(job, chosen))
    # The lock is held from the first read to the last write: the shards that a process has
    # combined are those that it removes, and nothing is written that was taken down meanwhile.
    with journal.exclusive_job(ws, rank_job(run)):
        job = RankJob.of(ws, run)
        result = _complete(job, _result(job, chosen))
        _write(job, result)
    return result


def _own_shards(job: RankJob, shard: tuple[int, int], engine: Engine) -> ShardCounts:
    """Rank the shards of one process; a small gallery has none."""
    is_large = in_blocks(job.ws, job.dataset, job.ws.run(job.run), job.protocol)
    return job.rank_own(shard, engine) if is_large else ShardCounts(0, 0, 0)


def _complete(job: RankJob, result: Evaluation) -> Evaluation:
    """Add to a result what the data set and the model know."""
    dataset, entry = job.dataset, job.ws.run(job.run)
    if entry.by is not None:
        result = score_by(result, reported_column(dataset, entry.by, job.run), entry.by)
    notes = result.notes
    if _passport(job)["recipe"].get("original"):
        notes = [*notes, CHOSEN_ON_TEST]
    return replace(result, known=dataset.card.public_names, notes=notes)


def _passport(job: RankJob) -> dict[str, Any]:
    passport: dict[str, Any] = parse_json(
        job.dataset.table.passport(job.model), f"the passport of {job.model}"
    )
    return passport


def _write(job: RankJob, result: Evaluation) -> None:
    """Write the report of a run, and remove its shards."""
    ws, run, entry = job.ws, job.run, job.ws.run(job.run)
    lineage = {
        "run": entry.recorded(),
        "protocol": result.protocol,
        "notes": result.notes,
        "items": len(job.dataset),
        "counts": result.counts,
        "columns": run_digests(ws, job.dataset, job.protocol, entry),
        "model": _passport(job),
    }
    statistics: dict[str, Any] = {
        "method": METHOD,
        "intervals": {name: one.to_json() for name, one in result.statistics.items()},
    }
    if result.reranking is not None:
        lineage["reranker"] = result.reranking.reranker
        statistics["reranking"] = result.reranking.to_json()
    staging = journal.Staging(ws, job.name)
    rows = staging.path(ws.queries(run))
    with atomic.writing(rows):
        result.queries.write_parquet(rows)
    for path, content in (
        (ws.metrics(run), result.metrics),
        (ws.statistics(run), statistics),
        (ws.lineage(run), lineage),
    ):
        atomic.write_text(staging.path(path), json.dumps(content, indent=2) + "\n")
    staging.commit()
    remove_plans(ws, job.name)


def _result(job: RankJob, engine: Engine) -> Evaluation:
    """Score a run.

    Raises:
        DataError: no query can be scored, or shards failed.
    """
    try:
        return _by_shards(job, engine) or _in_this_process(job)
    except DataError as error:
        if str(error).startswith("nothing can be scored"):
            raise DataError(
                f"{error}; if its items never will be, remove runs.{job.run} from params.yaml"
            ) from error
        raise


def _by_shards(job: RankJob, engine: Engine) -> Evaluation | None:
    """Score a run by shards, if there are any or if the engine computes some."""
    ws, is_here = job.ws, isinstance(engine, Here)
    if ws.is_historic or (is_here and not plans_of(ws, job.name)):
        return None
    if not in_blocks(ws, job.dataset, ws.run(job.run), job.protocol):
        return None
    plan = job.known_plan() if is_here else job.plan()
    if plan is None:
        return None
    counts = job.rank(plan, engine)
    ranking, norms = job.ranking(plan)
    rows = protocol_rows(job.dataset, job.protocol)
    result = job.protocol.evaluate_ranking(ranking, norms, rows)
    return replace(result, shards=counts)


def _in_this_process(job: RankJob) -> Evaluation:
    """Score a run, and record the time if it is of the checkout."""
    clock = timings.Clock(job.ws, job.name)
    result = score_run(job.ws, job.dataset, job.run, job.protocol)
    if not job.ws.is_historic:
        clock.record(len(job.dataset))
    return result
