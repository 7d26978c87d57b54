"""How good a model in the making is on what was held out: what weights are chosen by."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from likewise import metrics
from likewise.errors import DataError
from likewise.ranking import rank_positives
from likewise.training.material import Material

if TYPE_CHECKING:
    from likewise.training.course import Bench

Judge = Callable[[Any], dict[str, float]]


def by_class(bench: "Bench", held: Material) -> Judge | None:
    """Mean average precision and precision at 1, every item against all others (strict).

    None where no two held-out items are of one class.
    """
    codes = np.array(held.codes()[0], np.int64)
    if len(codes) == len(np.unique(codes)):
        return None
    own = np.arange(len(codes))

    def judge(model: Any) -> dict[str, float]:
        vectors = bench.vectors(model, held)
        ranked = rank_positives(vectors, vectors, codes, codes, exclude=own)
        return {
            "map": float(np.nanmean(metrics.average_precision(ranked, "relevant"))),
            "precision@1": float(np.nanmean(metrics.precision_at(ranked, 1))),
        }

    return judge


def by_pair(bench: "Bench", held: Material) -> Judge | None:
    """Acc@1, 5 and 10 of queries against the gallery of the held-out pairs.

    None where no held-out query has its gallery item.

    Raises:
        DataError: only one side of the held-out pairs is there.
    """
    roles = np.array(held.items["role"].to_list())
    query, gallery = roles == "query", roles == "gallery"
    if not len(held):
        return None
    if not query.any() or not gallery.any():
        raise DataError(f"what is held out of {held.name} has no query, or no gallery")
    codes = np.array(held.codes()[0], np.int64)

    def judge(model: Any) -> dict[str, float]:
        vectors = bench.vectors(model, held)
        ranked = rank_positives(
            vectors[query],
            vectors[gallery],
            codes[query],
            codes[gallery],
            exclude=np.full(int(query.sum()), -1),
        )
        return {f"acc@{k}": float(np.nanmean(metrics.recall_at(ranked, k))) for k in (1, 5, 10)}

    return judge
