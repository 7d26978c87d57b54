"""Score a run in this process: by vectors, by an index, with a re-ranker, or with texts."""

from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError
from likewise.evaluation.protocols.base import Evaluation, Protocol
from likewise.evaluation.protocols.reranked import evaluate_reranked
from likewise.evaluation.protocols.text_protocol import TextProtocol
from likewise.formats.array_types import FloatArray
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.query_encoder import QueryEncoder
from likewise.retrieval.reranked_lists import ranking_protocol, score_lists
from likewise.retrieval.reranking import RERANKERS
from likewise.retrieval.reranking.applied import by_exact_search
from likewise.steps.evaluate.run_inputs import protocol_rows
from likewise.storage import tables
from likewise.storage.config import Run
from likewise.storage.workspace import Workspace

DEPTH = 1000
"""Length of the rankings of an approximate index; exact search ranks the whole gallery."""

WHOLE_BYTES = 512 << 20
"""Up to this size as float32 all vectors are read at once; more are ranked block by block. It
is a constant, because both ways round scores differently.
"""

_COPIES = 3
"""Copies of all vectors in a protocol that needs them at once: as stored, normalised, parts."""


def score_run(ws: Workspace, dataset: Dataset, run: str, protocol: Protocol) -> Evaluation:
    """Score a run.

    Raises:
        DataError: no query can be scored, or the index cannot search for the protocol.
    """
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
    rows = protocol_rows(dataset, protocol)
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
    rows = protocol_rows(dataset, protocol)
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
    rows = protocol_rows(dataset, protocol)
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


def in_blocks(ws: Workspace, dataset: Dataset, run: Run, protocol: Protocol) -> bool:
    """Return True if exact search ranks the gallery of a run block by block."""
    is_exact = ws.params.indexes[run.index].get("kind") == EXACT
    if not is_exact or run.rerank is not None or not protocol.reads_blocks:
        return False
    dataset.need_model(run.model)
    return dataset.table.rows * dataset.table.dim(run.model) * 4 > WHOLE_BYTES


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
