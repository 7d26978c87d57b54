"""Score a run with its protocol, and write its report."""

import json
from dataclasses import replace
from typing import Any

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.errors import DamagedError, DataError, bounded
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation, Protocol
from likewise.evaluation.protocols.by_column import score_by
from likewise.evaluation.protocols.reranked import evaluate_reranked
from likewise.evaluation.protocols.text_protocol import TextProtocol
from likewise.evaluation.significance import METHOD
from likewise.formats import atomic
from likewise.formats.array_types import FloatArray
from likewise.formats.json_documents import parse_json
from likewise.formats.paths import StrPath
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.query_encoder import QueryEncoder
from likewise.retrieval.reranked_lists import ranking_protocol, score_lists
from likewise.retrieval.reranking import RERANKERS
from likewise.retrieval.reranking.applied import by_exact_search
from likewise.storage import journal, tables, timings
from likewise.storage.config import Run, read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace

DEPTH = 1000
"""Length of the rankings of an approximate index; exact search ranks the whole gallery."""

WHOLE_BYTES = 512 << 20
"""Up to this size as float32 all vectors are read at once; more are ranked block by block. It
is a constant, because both ways round scores differently.
"""

BY_COLUMNS = ("label", "subset", "split", "role")
"""The columns of all data sets by which a run may be reported; others are those of a source."""

_COPIES = 3
"""Copies of all vectors in a protocol that needs them at once: as stored, normalised, parts."""

CHOSEN_ON_TEST = (
    "the model's weights were chosen on the test split, as the original program does: "
    "its numbers there are too good"
)


def evaluate(
    run: str, *, rev: str | None = None, workspace: StrPath | None = None
) -> Evaluation:
    """Score ``run`` (data set x model x index x protocol) and write its report.

    A run with a re-ranker (``rerank``) is scored without and with it, on the same queries.

    The report has four files: ``reports/<run>.json`` holds the metrics,
    ``reports/<run>.statistics.json`` their confidence intervals,
    ``reports/<run>.lineage.json`` the protocol, its notes and the digests of the inputs, and
    ``reports/<run>.parquet`` one row per query.

    Args:
        run: name of a run in params.yaml.
        rev: a git revision: score the run of that revision on its data, and write no report.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such run, protocol, index or revision.
        MissingArtefactError: the data set is not published, or not with this model.
        DataError: no query can be scored, e.g. because no two items have the same label, or
            the items lack a column that the protocol reads.

    Example:
        >>> report = likewise.evaluate("emoji-tiny")
        >>> round(report.metrics["all"], 2)
        0.66
        >>> len(report.queries)
        23
    """
    ws = open_workspace(workspace, rev=rev)
    entry = ws.run(run)
    protocol = PROTOCOLS.build(entry.protocol_entry(), f"params.yaml: runs.{run}")
    dataset = Dataset(ws, entry.dataset)
    try:
        result = _timed(ws, dataset, run, protocol)
    except DataError as error:
        if str(error).startswith("nothing can be scored"):
            raise DataError(
                f"{error}; if its items never will be, remove runs.{run} from params.yaml"
            ) from error
        raise
    if entry.by is not None:
        result = score_by(result, _column(dataset, entry.by, run), entry.by)
    result = replace(result, known=dataset.card.public_names)
    passport = parse_json(dataset.table.passport(entry.model), f"the passport of {entry.model}")
    if passport["recipe"].get("original"):
        result = replace(result, notes=[*result.notes, CHOSEN_ON_TEST])
    if ws.is_historic:
        return result
    lineage = {
        "run": entry.recorded(),
        "protocol": result.protocol,
        "notes": result.notes,
        "items": len(dataset),
        "counts": result.counts,
        "columns": _digests(ws, entry.dataset, _read_columns(dataset, protocol, entry)),
        "model": passport,
    }
    statistics: dict[str, Any] = {
        "method": METHOD,
        "intervals": {name: one.to_json() for name, one in result.statistics.items()},
    }
    if result.reranking is not None:
        lineage["reranker"] = result.reranking.reranker
        statistics["reranking"] = result.reranking.to_json()
    with journal.exclusive_job(ws, f"evaluate-{run}"):
        staging = journal.Staging(ws, f"evaluate-{run}")
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
    return result


def _digests(ws: Workspace, dataset: str, columns: tuple[str, ...]) -> dict[str, str]:
    """Return the digests of the columns that a run reads: dependencies of its DVC stage.

    The stage lists label, subset, split, role and the model, and other columns as a whole. The
    entry ``ann`` of a model with a text tower has the digests of the tower and of the texts.
    """
    path = ws.published_digests(dataset)
    published = Digests.from_yaml(read_yaml(path), ws.relative(path)).columns
    if absent := sorted(set(columns) - published.keys()):
        names = bounded(absent, len(absent))
        raise DamagedError(f"{ws.relative(path)} lacks {names}; run: likewise doctor")
    return {name: published[name] for name in columns}


def _timed(ws: Workspace, dataset: Dataset, run: str, protocol: Protocol) -> Evaluation:
    """Score a run, and record the time if it is of the checkout."""
    clock = timings.Clock(ws, f"evaluate-{run}")
    result = _scored(ws, dataset, run, protocol)
    if not ws.is_historic:
        clock.record(len(dataset))
    return result


def _scored(ws: Workspace, dataset: Dataset, run: str, protocol: Protocol) -> Evaluation:
    entry = ws.params.runs[run]
    exact = ws.params.indexes[entry.index].get("kind") == EXACT
    if entry.rerank is not None:
        return _score_reranked(ws, dataset, run, protocol, exact=exact)
    if isinstance(protocol, TextProtocol):
        return _score_texts(ws, dataset, entry, protocol, exact=exact)
    return _score(dataset, entry, protocol, ws.params.memory, exact=exact)


def _score(
    dataset: Dataset, entry: Run, protocol: Protocol, memory: int, *, exact: bool
) -> Evaluation:
    model, index = entry.model, entry.index
    rows = _rows(dataset, protocol)
    if exact:
        dataset.need_model(model)
        vectors = tables.vector_blocks(dataset.table, model, memory)
        return protocol.evaluate_vectors(_as_needed(protocol, vectors), rows)
    sets = protocol.query_sets(rows)
    searcher = dataset.searcher(model, index)
    scores, lists = searcher.rankings(sets.queries, sets.gallery, DEPTH)
    return protocol.evaluate_lists(lists, rows, scores=scores)


def _score_reranked(
    ws: Workspace, dataset: Dataset, run: str, protocol: Protocol, *, exact: bool
) -> Evaluation:
    """Score the run without and with its re-ranker."""
    entry, memory = ws.params.runs[run], ws.params.memory
    reranker = RERANKERS.build(entry.rerank or {}, f"params.yaml: runs.{run}.rerank")
    ranking = ranking_protocol(protocol)
    rows = _rows(dataset, protocol)
    if exact:
        dataset.need_model(entry.model)
        stored = tables.vector_blocks(dataset.table, entry.model, memory)
        vectors, apply = (
            _as_needed(protocol, stored),
            by_exact_search(reranker, memory, dataset.images_at),
        )
        scored = evaluate_reranked(ranking, vectors, rows, apply)
    else:
        searcher = dataset.searcher(entry.model, entry.index)
        scored = score_lists(ranking, rows, searcher, reranker, DEPTH)
    kind = {"kind": (entry.rerank or {})["kind"]}
    return scored.result(kind | reranker.model_dump(mode="json"))


def _score_texts(
    ws: Workspace, dataset: Dataset, entry: Run, protocol: TextProtocol, *, exact: bool
) -> Evaluation:
    """Score items and texts; texts are embedded by the text tower of the vectors' model."""
    model = entry.model
    if not exact:
        raise DataError(f"{protocol.name} compares all items with all texts; use exact search")
    rows = _rows(dataset, protocol)
    dataset.need_model(model)
    if model not in dataset.text_models:
        raise DataError(
            f"{protocol.name} compares items with texts, and model {model!r} has no text tower"
        )
    stored = tables.vector_blocks(dataset.table, model, ws.params.memory)
    stored.need_room(f"the protocol {protocol.name}", _COPIES)
    texts = protocol.texts(rows)
    text_vectors = QueryEncoder(dataset, ws, model).encode_texts(texts, protocol.templates)
    return protocol.evaluate_texts(stored.whole(), text_vectors, rows)


def _rows(dataset: Dataset, protocol: Protocol) -> pl.DataFrame:
    """Return the columns of the items that a protocol reads."""
    known = [name for name in _columns(dataset, protocol) if name in dataset.table.columns]
    rows = dataset.table.read(["item_id", *known])
    protocol.check_items(rows)
    return rows


def _columns(dataset: Dataset, protocol: Protocol) -> tuple[str, ...]:
    """Return the columns that a protocol reads of this data set."""
    present = dataset.table.columns
    return (
        *protocol.columns,
        *(name for name in protocol.optional_columns if name in present),
    )


def _read_columns(dataset: Dataset, protocol: Protocol, entry: Run) -> tuple[str, ...]:
    """Return all columns that a run reads, with its vectors."""
    by = () if entry.by is None else (entry.by,)
    return tuple(dict.fromkeys((*_columns(dataset, protocol), *by, entry.model)))


def _column(dataset: Dataset, column: str, run: str) -> pl.DataFrame:
    """Return item_id and the column by which a run is reported.

    Raises:
        DataError: there is no such column, or the stage of a run does not depend on it.
    """
    known = [*BY_COLUMNS, *(source.name for source in dataset.table.source_columns)]
    if column not in known:
        raise DataError(
            f"params.yaml: runs.{run}: by: {column!r} is not a column by which results are "
            f"reported; these are: {', '.join(known)}"
        )
    return dataset.table.read(["item_id", column])


def _as_needed(protocol: Protocol, vectors: VectorBlocks) -> FloatArray | VectorBlocks:
    """Return the vectors as an array if they are few, or if the protocol needs an array.

    Float16 vectors stay in memory for the second pass if they use at most half of it.
    """
    whole = vectors.rows * vectors.dim * 4 <= WHOLE_BYTES
    kept = vectors.nbytes <= vectors.memory / 2
    if not whole and not protocol.reads_blocks:
        vectors.need_room(f"the protocol {protocol.name}", _COPIES)
    if whole or not protocol.reads_blocks:
        return vectors.whole()
    return VectorBlocks.from_array(vectors.whole(), vectors.memory) if kept else vectors
