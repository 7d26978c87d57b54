"""Ranking of a gallery in parts, each for its own queries, and the queries in the gallery."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from likewise.evaluation.protocols.query_sets import RetrievalTask
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.evaluation.ranking import Groups, Progress, Ranking, RelevantRanks
from likewise.evaluation.ranking.ranked import offsets
from likewise.formats.array_types import Float32Array, Int64Array

RankTask = Callable[[RetrievalTask, Progress | None], Ranking]
"""Function that ranks the whole gallery of a task for all of its queries."""


def rank_in_parts(
    task: RetrievalTask, rank: RankTask, progress: Progress | None = None
) -> Ranking:
    """Rank the gallery for every query: all of it, or the part of the query.

    Args:
        task: the task; its attribute ``parts`` gives the part of every query and item.
        rank: function that ranks a part.
        progress: called with the number of finished queries.
    """
    if task.parts is None:
        return rank(task, progress)
    ranked = [
        (queries, gallery, rank(part, progress and _shifted(progress, queries, task)))
        for queries, gallery, part in _parts(task)
    ]
    return _merged(task, ranked)


def own_rows(task: RetrievalTask, spec: ProtocolSpec) -> Int64Array:
    """Return the gallery row (q,) of every query itself, if it is not ranked; else -1."""
    if spec.query_in_gallery:
        return np.full(len(task.queries), -1)
    return task.left_out[0].firsts()  # build_task excludes the query itself first


def _shifted(progress: Progress, queries: Int64Array, task: RetrievalTask) -> Progress:
    """Return a callback for the queries of a part; their numbers are of all queries."""
    start = int(queries[0])
    return lambda done, _: progress(min(start + done, len(task.queries)), len(task.queries))


def _parts(task: RetrievalTask) -> Iterator[tuple[Int64Array, Int64Array, RetrievalTask]]:
    """Yield the queries and the gallery positions of every part, with its task."""
    if task.parts is None:
        return
    of_queries, of_gallery = task.parts
    for code in np.unique(of_queries[of_queries >= 0]):
        queries, gallery = (np.flatnonzero(codes == code) for codes in task.parts)
        if not len(gallery):
            continue
        place = np.full(len(of_gallery), -1)
        place[gallery] = np.arange(len(gallery))
        yield (
            queries,
            gallery,
            replace(
                task,
                queries=task.queries[queries],
                gallery=task.gallery[gallery],
                relevant=_placed(task.relevant, queries, place),
                left_out=[_placed(groups, queries, place) for groups in task.left_out],
                zero_scored=None if task.zero_scored is None else task.zero_scored[gallery],
                parts=None,
            ),
        )


def _placed(groups: Groups, queries: Int64Array, place: Int64Array) -> Groups:
    """Return the groups of some queries, with rows of a part of the gallery only."""
    own = Groups(groups.rows, groups.begins[queries], groups.ends[queries])
    query, row = own.pairs()
    kept = place[row] >= 0
    ends = np.cumsum(np.bincount(query[kept], minlength=len(queries)))
    begins = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    return Groups(place[row[kept]], begins, ends)


def _merged(
    task: RetrievalTask, ranked: list[tuple[Int64Array, Int64Array, Ranking]]
) -> Ranking:
    """Merge the rankings of parts; a query without a part ranks nothing."""
    count = len(task.queries)
    width = max((one.top_rows.shape[1] for _, _, one in ranked), default=0)
    top_rows = np.full((count, width), -1)
    top_scores: Float32Array = np.full((count, width), np.nan, np.float32)
    relevant = np.zeros(count, np.int64)
    triples = [np.empty((3, 0), np.int64)]
    for queries, gallery, one in ranked:
        numbers = queries[one.ranked.query_numbers()]
        triples.append(np.stack([numbers, one.ranked.ranks, gallery[one.items]]))
        relevant[queries] = one.ranked.relevant
        filled = slice(0, one.top_rows.shape[1])
        top_rows[queries, filled] = np.where(one.top_rows < 0, -1, gallery[one.top_rows])
        top_scores[queries, filled] = one.top_scores
    query, ranks, items = np.concatenate(triples, axis=1)
    order = np.lexsort((ranks, query))
    depth = max((one.ranked.depth for _, _, one in ranked), default=0)
    ends = offsets(np.bincount(query, minlength=count))
    merged = RelevantRanks(ends, ranks[order], relevant, depth, complete=True)
    return Ranking(merged, items[order], top_rows, top_scores)
