"""The inputs of a ranking in shards: arrays in the folder of the plan, which workers map."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from likewise.distributed import ShardPlan, read_inputs
from likewise.evaluation.protocols.base import GalleryRanking
from likewise.evaluation.protocols.query_sets import RetrievalTask
from likewise.evaluation.ranking import Groups, QueryGroups
from likewise.formats.array_types import AnyArray, Float64Array, Int64Array

_GROUP = ("rows", "begins", "ends")


@dataclass(frozen=True)
class PlannedRanking:
    """The ranking of a plan.

    Attributes:
        queries: (q,) int64, item rows of the queries.
        gallery: (n,) int64, item rows of the gallery.
        groups: the relevant and the excluded gallery rows of every query.
        zero_scored: (n,) gallery items that score 0; None: no item.
        norms: (items,) the norms of all vectors.
        normalise: True if the vectors are divided by them.
        top: number of first hits to keep.
    """

    queries: Int64Array
    gallery: Int64Array
    groups: QueryGroups
    zero_scored: AnyArray | None
    norms: Float64Array
    normalise: bool
    top: int

    @classmethod
    def of(cls, ranking: GalleryRanking, norms: Float64Array) -> "PlannedRanking":
        """Take the ranking of a protocol."""
        task = ranking.task
        groups = QueryGroups(task.relevant, tuple(task.left_out))
        top = min(ranking.top, len(task.gallery))
        return cls(
            task.queries,
            task.gallery,
            groups,
            task.zero_scored,
            norms,
            ranking.normalise,
            top,
        )

    @property
    def divisors(self) -> Float64Array | None:
        """The norms by which the vectors are divided; None for no division."""
        return self.norms if self.normalise else None

    def task(self) -> RetrievalTask:
        """Return the task with its queries and gallery, for readers of vectors."""
        none = np.empty(0, np.int64)
        left_out = list(self.groups.left_out)
        return RetrievalTask(
            self.queries,
            self.gallery,
            self.groups.relevant,
            left_out,
            self.zero_scored,
            none,
            none.astype(bool),
            [],
        )

    @classmethod
    def read(cls, plan: ShardPlan) -> "PlannedRanking":
        """Map the ranking of a plan into memory.

        Raises:
            DamagedError: its files are not those that were planned.
        """
        arrays = read_inputs(plan)
        normalise, top, left_out = (int(value) for value in arrays["options"])
        groups = [_group(arrays, number) for number in range(left_out + 1)]
        return cls(
            arrays["queries"],
            arrays["gallery"],
            QueryGroups(groups[0], tuple(groups[1:])),
            arrays.get("zero_scored"),
            arrays["norms"],
            bool(normalise),
            top,
        )

    def arrays(self) -> dict[str, AnyArray]:
        """Return all values as arrays, for the folder of a plan."""
        arrays: dict[str, AnyArray] = {
            "queries": self.queries,
            "gallery": self.gallery,
            "norms": self.norms,
            "options": np.array([self.normalise, self.top, len(self.groups.left_out)]),
        }
        for number, group in enumerate((self.groups.relevant, *self.groups.left_out)):
            arrays |= {f"{number}-{name}": getattr(group, name) for name in _GROUP}
        if self.zero_scored is not None:
            arrays["zero_scored"] = self.zero_scored
        return arrays


def _group(arrays: Mapping[str, AnyArray], number: int) -> Groups:
    return Groups(*(arrays[f"{number}-{name}"] for name in _GROUP))
