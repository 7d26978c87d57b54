"""Score the lists of an index without and with a re-ranker."""

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.protocols.base import Protocol
from likewise.evaluation.protocols.reranked import RerankedEvaluation
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.base import Reranker
from likewise.retrieval.reranking.neighbours import without_rows
from likewise.retrieval.reranking.searched import batch
from likewise.retrieval.searcher import Searcher


def ranking_protocol(protocol: Protocol) -> Retrieval:
    """Return a protocol that ranks a gallery for every query.

    Raises:
        DataError: the protocol ranks nothing, so there is nothing to re-rank.
    """
    if isinstance(protocol, Retrieval):
        return protocol
    raise DataError(
        f"{protocol.name} ranks no gallery for its queries, so a run by it cannot have a "
        "re-ranker; remove rerank from the run"
    )


def score_lists(
    protocol: Retrieval, rows: pl.DataFrame, searcher: Searcher, options: Reranker, depth: int
) -> RerankedEvaluation:
    """Score the lists of the index of ``searcher``, and the same lists re-ranked.

    The query itself is removed before the re-ranker works, unless the protocol ranks it.

    Args:
        protocol: the protocol.
        rows: the items.
        searcher: searches the index of the run.
        options: the re-ranker.
        depth: length of the lists.

    Raises:
        DataError: a query ranks a part of the gallery only.
    """
    if protocol.task_spec.within:
        raise DataError(
            f"{protocol.name} ranks a part of the gallery for each query, and the lists of an "
            "approximate index have items of all parts; re-rank a run with an exact index"
        )
    sets = protocol.query_sets(rows)
    scores, lists = searcher.rankings(sets.queries, sets.gallery, depth)
    without = protocol.evaluate_lists(lists, rows, scores=scores)
    own = np.full(len(lists), NONE) if sets.own is None else sets.own
    to_item = np.append(sets.gallery, NONE)
    _, first = without_rows(scores, lists, own[:, None])
    reranker, vectors = searcher.gallery_reranker(options, sets.queries, sets.gallery)
    excluded = [[row] if row != NONE else [] for row in to_item[own].tolist()]
    queries = batch(vectors, excluded, sets.queries.tolist())
    new_scores, new = reranker.rerank(queries, to_item[first])
    # The query itself comes last; the protocol removes it, as from the lists before.
    listed = (lists == own[:, None]).any(axis=1) & (own != NONE)
    new[listed, -1], new_scores[listed, -1] = to_item[own[listed]], -np.inf
    positions = np.full(int(sets.gallery.max(initial=0)) + 2, NONE)
    positions[sets.gallery] = np.arange(len(sets.gallery))
    reranked = protocol.evaluate_lists(positions[new], rows, scores=new_scores)
    return RerankedEvaluation(without, reranked)
