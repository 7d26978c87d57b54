"""The grades of the relevant items of a ranking."""

from dataclasses import replace

import numpy as np

from likewise.evaluation.protocols.query_sets import RetrievalTask
from likewise.evaluation.ranking import Groups, Ranking, distinct
from likewise.formats.array_types import Int64Array


def with_grades(ranking: Ranking, task: RetrievalTask) -> Ranking:
    """Return ``ranking`` with the grades of ``task``, if it has some."""
    if task.grades is None:
        return ranking
    size, ranked = len(task.gallery), ranking.ranked

    def keys(groups: Groups) -> Int64Array:
        query, row = groups.pairs()
        return query * size + row

    wanted = keys(task.relevant)  # ascending, as listed_rows sorts
    at = np.searchsorted(wanted, ranked.query_numbers() * size + ranking.items)
    excluded = np.concatenate([np.empty(0, np.int64), *map(keys, task.excluded())])
    kept = np.isin(wanted, distinct(excluded), assume_unique=True, invert=True)
    query, grades = wanted[kept] // size, task.grades[kept]
    best = grades[np.lexsort((-grades, query))]
    return replace(ranking, ranked=replace(ranked, grades=task.grades[at], best=best))
