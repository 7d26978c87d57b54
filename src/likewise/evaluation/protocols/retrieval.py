"""Protocols that rank a gallery for every query, according to their specification."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import METRICS, measure
from likewise.evaluation.protocols.averages import Averages, query_rows
from likewise.evaluation.protocols.base import (
    Evaluation,
    GalleryRanking,
    Protocol,
    QuerySets,
)
from likewise.evaluation.protocols.graded_ranking import with_grades
from likewise.evaluation.protocols.inputs import as_lists, as_vectors, l2_normalised
from likewise.evaluation.protocols.parts import own_rows, rank_in_parts
from likewise.evaluation.protocols.query_sets import (
    RetrievalTask,
    checked_task,
    require_columns,
    require_list_columns,
)
from likewise.evaluation.protocols.scoring_notes import (
    norm_notes,
    nothing_scored,
    scored_notes,
)
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.evaluation.protocols.stored_vectors import rank_stored, stored_norms
from likewise.evaluation.ranking import (
    Progress,
    Ranking,
    distinct,
    rank_lists,
    rank_vectors,
    without_first,
)
from likewise.formats.array_types import (
    AnyArray,
    Float32Array,
    Float64Array,
    Int64Array,
)
from likewise.formats.counted_nouns import counted
from likewise.formats.vector_blocks import VectorBlocks

TOP = 20
"""Number of first hits that are kept for every query."""

_OTHER = {"ap-hits": ("ap", "class size"), "ap": ("ap-hits", "hits")}


class Retrieval(Protocol):
    """A retrieval protocol that its ``spec`` defines completely."""

    spec: ClassVar[ProtocolSpec]
    reads_blocks: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        """Set the columns to those that ``spec`` names."""
        super().__init_subclass__(**options)
        cls.columns = cls.spec.columns()
        cls.optional_columns = cls.spec.grades

    @property
    def formula(self) -> str:
        """The formula of the main metric, with its rank."""
        name, _, rank = self.spec.metric.rpartition("@")
        known = self.spec.metric if self.spec.metric in METRICS else name
        k = f", k = {rank}" if known == name else ""
        scale = "" if self.spec.scale == 1 else f"{self.spec.scale} * "
        return f"{scale}mean over {self.spec.average} of {METRICS[known].formula}{k}"

    @property
    def task_spec(self) -> ProtocolSpec:
        """The specification with the options of this object; most protocols have none."""
        return self.spec

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        return self.task_spec.describe()

    def check_items(self, rows: pl.DataFrame) -> None:
        """Check that the items have the columns that the specification names."""
        require_columns(self.name, self.spec.columns(), rows)
        require_list_columns(self.name, self.spec.list_columns(), rows)

    def query_sets(self, rows: pl.DataFrame) -> QuerySets:
        """Return the queries and the gallery that an index has to search."""
        task = checked_task(self.name, self.task_spec, rows)
        return QuerySets(task.queries, task.gallery, own_rows(task, self.task_spec))

    def evaluate_vectors(
        self,
        vectors: AnyArray | VectorBlocks,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Rank the gallery for every query by vectors, and score the rankings."""
        if isinstance(vectors, VectorBlocks):
            return self._evaluate_blocks(vectors, rows, progress)
        ready, norms = as_vectors(vectors, rows["item_id"])
        if self.task_spec.normalise:
            ready = l2_normalised(ready, norms)
        task, ranking = rank(self.name, self.task_spec, ready, rows, progress)
        return self.summarise(
            ranking, task, rows, [*norm_notes(self.name, self.task_spec, norms), *task.notes]
        )

    def _evaluate_blocks(
        self, vectors: VectorBlocks, rows: pl.DataFrame, progress: Progress | None
    ) -> Evaluation:
        spec, task = self.task_spec, checked_task(self.name, self.task_spec, rows)
        norms = stored_norms(vectors, rows["item_id"])
        divisors = norms if spec.normalise else None
        top = TOP + spec.drop_first
        ranking = rank_in_parts(
            task,
            lambda part, report: rank_stored(vectors, part, divisors, top=top, progress=report),
            progress,
        )
        return self._of_ranking(task, ranking, norms, rows)

    def gallery_ranking(self, rows: pl.DataFrame) -> GalleryRanking | None:
        """Return the ranking of the protocol; None if a query ranks a part of the gallery."""
        task, spec = checked_task(self.name, self.task_spec, rows), self.task_spec
        if task.parts is not None:
            return None
        return GalleryRanking(task, spec.normalise, TOP + spec.drop_first)

    def evaluate_ranking(
        self, ranking: Ranking, norms: Float64Array, rows: pl.DataFrame
    ) -> Evaluation:
        """Score the ranking of ``gallery_ranking``."""
        task = checked_task(self.name, self.task_spec, rows)
        return self._of_ranking(task, ranking, norms, rows)

    def _of_ranking(
        self, task: RetrievalTask, ranking: Ranking, norms: Float64Array, rows: pl.DataFrame
    ) -> Evaluation:
        spec = self.task_spec
        ranking = without_first(ranking) if spec.drop_first else ranking
        notes = [*norm_notes(self.name, spec, norms), *task.notes]
        return self.summarise(ranking, task, rows, notes)

    def evaluate_lists(
        self,
        lists: AnyArray | Sequence[Sequence[int]],
        rows: pl.DataFrame,
        *,
        scores: Float32Array | None = None,
    ) -> Evaluation:
        """Score existing rankings."""
        task = checked_task(self.name, self.task_spec, rows)
        if task.zero_scored is not None:
            raise DataError(
                f"{self.name} changes scores before it ranks, so it needs vectors and an exact "
                "index; compcars-lopq scores the lists of any index"
            )
        ids = rows["item_id"].gather(task.queries)
        ready = as_lists(lists, ids, len(task.gallery), padded=scores is not None)
        drop = self.task_spec.drop_first
        notes = [*([] if drop else self._list_notes(ready, task)), *task.notes]
        top = TOP + drop
        ranking = rank_lists(
            ready, task.relevant, task.excluded(), len(task.gallery), scores=scores, top=top
        )
        ranking = without_first(ranking) if drop else ranking
        return self.summarise(ranking, task, rows, notes)

    def summarise(
        self, ranking: Ranking, task: RetrievalTask, rows: pl.DataFrame, notes: list[str]
    ) -> Evaluation:
        """Return the metrics of a ranking of ``task``."""
        ranked = with_grades(ranking, task).ranked
        relevant = task.labelled & (ranked.relevant > 0)
        if not relevant.any():
            raise DataError(nothing_scored(self.task_spec, task))
        scored = relevant
        if self.task_spec.without_relevant == "scored 0":
            scored = task.labelled
        means = Averages(self.task_spec, rows[task.queries], task.classes)

        def values(name: str) -> Float64Array:
            known = np.where(relevant, measure(name, ranked), 0)
            return np.where(scored, known, np.nan)

        main = values(self.task_spec.metric)
        further = {name: values(name) for name in self.task_spec.further_metrics}
        means.add(main, self.task_spec.metric_title, self.task_spec.subset_title)
        for name, part in further.items():
            means.add(part, name, f"{name} {{}}" if self.task_spec.further_by_subset else "")
        counts = {
            "queries": int(scored.sum()),
            "gallery": len(task.gallery),
            "labels": len(distinct(task.classes[scored])),
        }
        if not ranked.complete:
            counts["listed"] = ranked.depth
            notes = [*notes, self._cut_note(ranking, task)]
            family, at, rank = self.task_spec.metric.partition("@")
            if family in _OTHER:
                other, denominator = _OTHER[family]
                suffix = f" by {denominator}"
                title, subset = (
                    self.task_spec.metric_title + suffix,
                    self.task_spec.subset_title + suffix,
                )
                means.add(values(f"{other}{at}{rank}"), title, subset)
        notes = [*notes, *scored_notes(task, relevant, scored)]
        queries = query_rows(rows, task, ranking, main)
        queries = queries.with_columns(
            pl.Series(name, part).fill_nan(None) for name, part in further.items()
        )
        described = self.describe()
        return Evaluation(
            means.values, queries, described, notes, means.intervals, counts, means.unrounded
        )

    def _list_notes(self, lists: Int64Array, task: RetrievalTask) -> Iterator[str]:
        position = dict(zip(task.gallery.tolist(), range(len(task.gallery)), strict=True))
        queries = np.array([position.get(row, -2) for row in task.queries.tolist()])
        if not (queries >= 0).any():
            return
        count = sum(bool((row == at).any()) for row, at in zip(lists, queries, strict=True))
        fact = f"the query itself is in {count:,} of {counted(len(lists), 'list')}"
        if not self.task_spec.query_in_gallery:
            yield f"{fact}, and was taken out"
        elif count < len(lists):
            yield f"{fact}; {self.name} counts it as relevant, so the value is too low"
        else:
            yield f"{fact}, and counts as relevant"

    def _cut_note(self, ranking: Ranking, task: RetrievalTask) -> str:
        ranked = ranking.ranked
        missing = int((ranked.relevant - ranked.hit_counts()).sum())
        as_its_script = ", as GPR1200's script does" if "gpr1200" in self.name else ""
        return (
            f"the lists hold {ranked.depth:,} of {counted(len(task.gallery), 'image')} and "
            f"miss {missing:,} of {counted(int(ranked.relevant.sum()), 'relevant one')}: "
            f"divided by hits in the list{as_its_script}, shorter lists score higher; divided "
            "by class size, a missed item counts as 0"
        )


def rank(
    name: str,
    spec: ProtocolSpec,
    vectors: Float32Array,
    rows: pl.DataFrame,
    progress: Progress | None = None,
) -> tuple[RetrievalTask, Ranking]:
    """Build the task of ``spec`` and rank its gallery by inner products of ``vectors``.

    Args:
        name: name of the protocol, for messages.
        spec: its specification.
        vectors: (n, d) float32, one per item; not normalised here.
        rows: the n items.
        progress: called after every block of queries.

    Raises:
        DataError: a column is missing, or no query is left.
    """
    task = checked_task(name, spec, rows)

    def rank_part(part: RetrievalTask, report: Progress | None) -> Ranking:
        return rank_vectors(
            take_rows(vectors, part.queries),
            _with_zeros(take_rows(vectors, part.gallery), part),
            part.relevant,
            part.left_out,
            top=TOP + spec.drop_first,
            progress=report,
        )

    ranking = rank_in_parts(task, rank_part, progress)
    return task, without_first(ranking) if spec.drop_first else ranking


def take_rows(vectors: Float32Array, rows: Int64Array) -> Float32Array:
    """Return the vectors of ``rows`` (ascending), without a copy if the rows are contiguous."""
    contiguous = len(rows) > 0 and int(rows[-1] - rows[0]) == len(rows) - 1
    return vectors[rows[0] : rows[-1] + 1] if contiguous else vectors[rows]


def _with_zeros(gallery: Float32Array, task: RetrievalTask) -> Float32Array:
    """Replace the vectors that score 0 by zeros; their inner products are exactly 0."""
    if task.zero_scored is None:
        return gallery
    return gallery * ~task.zero_scored[:, None]
