"""Benchmarks that rank a gallery for every query: what their switches make of it, counted."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import Values, measure
from likewise.evaluation.protocols.averages import Averages, query_rows
from likewise.evaluation.protocols.base import Evaluation, Parties, Protocol
from likewise.evaluation.protocols.inputs import as_lists, as_vectors, at_unit_length
from likewise.evaluation.protocols.query_sets import (
    Task,
    need_columns,
    need_lists,
    pose,
)
from likewise.evaluation.protocols.spec import Switches
from likewise.evaluation.ranking import (
    Floats,
    Ints,
    Progress,
    Ranking,
    rank_lists,
    rank_vectors,
)

TOP = 20
"""So many first hits of every query are kept."""

_OTHER = {"ap-hits": ("ap", "class size"), "ap": ("ap-hits", "hits")}
# Half floats that were normalised are off by 0.001 at most.
_UNIT = 0.01


class Retrieval(Protocol):
    """A benchmark that is all said by its ``switches``."""

    switches: ClassVar[Switches]

    def __init_subclass__(cls, **options: Any) -> None:
        """Read the columns that the switches name."""
        super().__init_subclass__(**options)
        cls.columns = cls.switches.columns()

    def switchboard(self) -> dict[str, Any]:
        """The switches by name."""
        return self.switches.describe()

    def parties(self, rows: pl.DataFrame) -> Parties:
        """Whom an index is to rank for whom."""
        task = _posed(self.name, self.switches, rows)
        return Parties(task.queries, task.gallery)

    def evaluate_vectors(
        self,
        vectors: npt.NDArray[Any],
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Rank the gallery for every query by its vector, and score the rankings."""
        ready, norms = as_vectors(vectors, rows["item_id"].to_list())
        if self.switches.normalise:
            ready = at_unit_length(ready, norms)
        task, ranking = rank(self.name, self.switches, ready, rows, progress)
        return self._evaluation(ranking, task, rows, [*self._norm_notes(norms), *task.notes])

    def evaluate_lists(
        self,
        lists: npt.NDArray[Any] | Sequence[Sequence[int]],
        rows: pl.DataFrame,
        *,
        scores: Floats | None = None,
    ) -> Evaluation:
        """Score rankings that were made elsewhere."""
        task = _posed(self.name, self.switches, rows)
        if task.silent is not None:
            raise DataError(
                f"{self.name} changes scores before it ranks, so it needs vectors and an exact "
                "index; compcars-lopq scores the lists of any index"
            )
        ids = rows["item_id"].gather(task.queries).to_list()
        ready = as_lists(lists, ids, len(task.gallery), padded=scores is not None)
        notes = [*self._list_notes(ready, task), *task.notes]
        ranking = rank_lists(
            ready, task.relevant, task.left_out, len(task.gallery), scores=scores, top=TOP
        )
        return self._evaluation(ranking, task, rows, notes)

    def _evaluation(
        self, ranking: Ranking, task: Task, rows: pl.DataFrame, notes: list[str]
    ) -> Evaluation:
        ranked = ranking.ranked
        scored = task.labelled & (ranked.relevant > 0)
        if not scored.any():
            raise DataError(_nothing(self.switches))
        asked = rows[task.queries]
        means = Averages(self.switches, asked, task.classes)

        def values(name: str) -> Values:
            return np.where(scored, measure(name, ranked), np.nan)

        found = {name: values(name) for name in (self.switches.metric, *self.switches.also)}
        main = found[self.switches.metric]
        means.add(main, self.switches.shown, self.switches.per_subset)
        for name in self.switches.also:
            means.add(found[name], name)
        if not ranked.complete:
            notes = [*notes, self._cut_note(ranking, task)]
            family, at, rank = self.switches.metric.partition("@")
            if family in _OTHER:
                other, words = _OTHER[family]
                suffix = f" by {words}"
                shown, subset = self.switches.shown + suffix, self.switches.per_subset + suffix
                means.add(values(f"{other}{at}{rank}"), shown, subset)
        notes = [*notes, *_scored_notes(task, scored)]
        queries = query_rows(rows, task, ranking, main)
        further = {name: found[name] for name in self.switches.also}
        queries = queries.with_columns(
            pl.Series(name, part).fill_nan(None) for name, part in further.items()
        )
        counts = {
            "queries": int(scored.sum()),
            "gallery": len(task.gallery),
            "labels": len(np.unique(task.classes[scored])),
        }
        described = self.describe()
        return Evaluation(means.values, queries, described, notes, means.intervals, counts)

    def _norm_notes(self, norms: Values) -> Iterator[str]:
        zero = int((norms == 0).sum())
        if zero:
            yield f"zero vectors, whose scores all tie, in the items' order: {zero:,}"
        unit = self.switches.normalise or np.allclose(norms, 1, rtol=0, atol=_UNIT)
        if not unit:
            yield (
                f"the vectors are not L2-normalised (norms {norms.min():.4g} to "
                f"{norms.max():.4g}); {self.name} compares them as they are, by inner product"
            )

    def _list_notes(self, lists: Ints, task: Task) -> Iterator[str]:
        place = dict(zip(task.gallery.tolist(), range(len(task.gallery)), strict=True))
        itself = np.array([place.get(row, -2) for row in task.queries.tolist()])
        if not (itself >= 0).any():
            return
        held = sum(bool((one == at).any()) for one, at in zip(lists, itself, strict=True))
        where = f"the query itself is in {held:,} of {len(lists):,} lists"
        if not self.switches.query_in_gallery:
            yield f"{where}, and was taken out"
        elif held < len(lists):
            yield f"{where}; {self.name} counts it as relevant, so the value is too low"
        else:
            yield f"{where}, and counts as relevant"

    def _cut_note(self, ranking: Ranking, task: Task) -> str:
        ranked = ranking.ranked
        missing = int((ranked.relevant - ranked.hits()).sum())
        return (
            f"the lists hold {ranked.depth:,} of {len(task.gallery):,} images and miss "
            f"{missing:,} of {int(ranked.relevant.sum()):,} relevant ones: divided by hits in "
            "the list, as GPR1200's script does, shorter lists score higher; divided by class "
            "size, what is missed counts as 0"
        )


def rank(
    name: str,
    switches: Switches,
    vectors: Floats,
    rows: pl.DataFrame,
    progress: Progress | None = None,
) -> tuple[Task, Ranking]:
    """The task that ``switches`` make of the items, and its rankings by ``vectors`` as given.

    Raises:
        DataError: a column is not there, or nobody is left to query; ``name`` is who asks.
    """
    task = _posed(name, switches, rows)
    return task, rank_vectors(
        _those(vectors, task.queries),
        _silenced(_those(vectors, task.gallery), task),
        task.relevant,
        task.left_out,
        top=TOP,
        progress=progress,
    )


def _posed(name: str, switches: Switches, rows: pl.DataFrame) -> Task:
    need_columns(name, switches.columns(), rows)
    need_lists(name, switches.lists(), rows)
    task = pose(switches, rows)
    if not len(task.queries):
        raise DataError(f"nothing can be scored: {name} finds no item that queries")
    return task


def _those(vectors: Floats, rows: Ints) -> Floats:
    """The vectors of ``rows`` (ascending), which are not copied where they stand together."""
    together = len(rows) > 0 and int(rows[-1] - rows[0]) == len(rows) - 1
    return vectors[rows[0] : rows[-1] + 1] if together else vectors[rows]


def _silenced(gallery: Floats, task: Task) -> Floats:
    """The gallery with zeros in place of what scores 0: any product with them is exactly 0."""
    if task.silent is None:
        return gallery
    return gallery * ~task.silent[:, None]


def _nothing(switches: Switches) -> str:
    if switches.relevant == ("label",) and not switches.queries and not switches.gallery:
        return "nothing can be scored: no two items have the same label"
    return "nothing can be scored: no query has a relevant item in the gallery"


def _scored_notes(task: Task, scored: npt.NDArray[np.bool_]) -> Iterator[str]:
    without = int((~task.labelled).sum())
    alone = int((task.labelled & ~scored).sum())
    if without:
        yield f"queries without a label, not scored: {without:,}"
    if alone:
        yield f"queries whose label nothing else has, not scored: {alone:,}"
