"""Pairs: are the two the same? By the cosine of their vectors alone."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError, bounded
from likewise.evaluation.metrics import Values
from likewise.evaluation.protocols.base import Evaluation, Protocol
from likewise.evaluation.protocols.inputs import as_vectors, at_unit_length
from likewise.evaluation.protocols.query_sets import (
    Flags,
    codes,
    need_columns,
    need_lists,
)
from likewise.evaluation.ranking import Floats, Ints, Progress
from likewise.evaluation.significance import Interval, interval, resampled

FOLDS = 10
DECIMALS = 4


class Verification(Protocol):
    """ROC-AUC, equal error rate and accuracy of a list of pairs.

    The pairs are those of the items' column ``pairs``: on the first item of each, a level, 1
    for the same and 0 for different, and the other item's id, as ``easy 1 web/78.jpg``. The
    equal error rate is the mean of both error rates where they differ least. For the accuracy
    the pairs are dealt into ten folds in order, and each is judged by the threshold that is
    best for the other nine.

    Source: Yang et al., A Large-Scale Car Dataset for Fine-Grained Categorization and
    Verification, CVPR 2015 (arXiv:1506.08959), 4.2, for the lists; Huang et al., Labeled Faces
    in the Wild, 2007, for the folds.
    """

    columns: ClassVar[tuple[str, ...]] = ("label", "subset", "pairs")
    level: ClassVar[str]

    def switchboard(self) -> dict[str, Any]:
        """The switches by name."""
        return {
            "pairs": self.level,
            "score": "cosine",
            "normalise": True,
            "direction": "greater is more alike",
            "ties": "half right in ROC-AUC; together on one side of a threshold",
            "metric": "ROC-AUC",
            "denominator": "pairs of the same times pairs of different ones",
            "threshold": f"of {FOLDS} folds, the best of the others, halfway between scores",
            "average": "over pairs",
            "decimals": DECIMALS,
        }

    def evaluate_vectors(
        self,
        vectors: npt.NDArray[Any],
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Score every pair, and tell same from different."""
        need_columns(self.name, self.columns, rows)
        need_lists(self.name, ["pairs"], rows)
        ready, norms = as_vectors(vectors, rows["item_id"].to_list())
        ready = at_unit_length(ready, norms)
        pairs = _pairs(rows, self.level)
        first, second = pairs["first"].to_numpy(), pairs["second"].to_numpy()
        scores, same = _cosines(ready, first, second), pairs["same"].to_numpy()
        if progress:
            progress(len(pairs), len(pairs))
        if same.all() or not same.any():
            raise DataError(f"nothing can be told apart: all {len(same):,} pairs are alike")
        right = _right(scores, same)
        labels = codes(rows, ["label"])[first]
        classes = np.where(labels < 0, labels.max(initial=0) + 1 + first, labels)
        found = {
            "ROC-AUC": _drawn(auc, scores, same, classes),
            "EER": _drawn(equal_error_rate, scores, same, classes),
            "accuracy": interval(right, classes),
        }
        shown = {name: one.shown(1, DECIMALS + 2) for name, one in found.items()}
        metrics = {name: round(one.value, DECIMALS) for name, one in found.items()}
        counts = {
            "queries": len(pairs),
            "gallery": len(np.union1d(first, second)),
            "labels": len(np.unique(classes)),
        }
        told = _told(rows, pairs, scores, right)
        return Evaluation(metrics, told, self.describe(), [], shown, counts)


class VerificationEasy(Verification):
    """The pairs called easy: two views of a car, different models from different makes."""

    name: ClassVar[str] = "verification-easy"
    level: ClassVar[str] = "easy"


class VerificationMedium(Verification):
    """The pairs called medium."""

    name: ClassVar[str] = "verification-medium"
    level: ClassVar[str] = "medium"


class VerificationHard(Verification):
    """The pairs called hard: different models from one make."""

    name: ClassVar[str] = "verification-hard"
    level: ClassVar[str] = "hard"


def auc(scores: Values, same: Flags) -> float:
    """The share of (same, different) pairs of pairs in the right order; ties count half.

    Source: Mann, Whitney, On a Test of Whether One of Two Random Variables Is Stochastically
    Larger than the Other, Annals of Mathematical Statistics 18(1), 1947. NaN for one kind.
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    good = int(same.sum())
    bad = len(same) - good
    if not good or not bad:
        return float("nan")
    return float((ranks[same].sum() - good * (good + 1) / 2) / (good * bad))


def equal_error_rate(scores: Values, same: Flags) -> float:
    """The mean of false rejections and false acceptances where the two differ least.

    A pair is accepted whose score is at least the threshold. NaN for one kind of pairs.
    """
    order = np.argsort(scores, kind="stable")
    ordered, flags = scores[order], same[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-np.inf, append=np.inf))
    rejected = np.concatenate([[0], np.cumsum(flags)])[first]
    accepted = (~flags).sum() - np.concatenate([[0], np.cumsum(~flags)])[first]
    if not flags.any() or flags.all():
        return float("nan")
    missed, let_in = rejected / flags.sum(), accepted / (~flags).sum()
    at = int(np.abs(missed - let_in).argmin())
    return float((missed[at] + let_in[at]) / 2)


def _pairs(rows: pl.DataFrame, level: str) -> pl.DataFrame:
    """first, second (rows) and same of every pair of the level, in the items' order."""
    listed = rows.select(pl.int_range(pl.len()).alias("first"), "pairs").explode("pairs")
    words = listed.drop_nulls("pairs").with_columns(
        pl.col("pairs").str.extract_groups(r"\A(\S+) ([01]) (.+)\z").struct.rename_fields(
            ["level", "same", "other"]
        ).alias("words")
    ).unnest("words")  # fmt: skip
    broken = words.filter(pl.col("other").is_null())["pairs"]
    if len(broken):
        raise DataError(
            "pairs: expected a level, 0 or 1, and an item, as 'easy 1 web/78.jpg'; "
            f"there is: {bounded(broken, len(broken))}"
        )
    chosen = words.filter(level=level)
    if chosen.is_empty():
        there = words["level"].unique().sort()
        raise DataError(f"no pair is called {level}; there are: {', '.join(there) or 'none'}")
    ids = pl.DataFrame({"other": rows["item_id"], "second": np.arange(len(rows))})
    found = chosen.join(ids, on="other", how="left", maintain_order="left")
    unknown = found.filter(pl.col("second").is_null())["other"].unique().sort()
    if len(unknown):
        raise DataError(f"pairs: no item is called {bounded(unknown, len(unknown))}")
    return found.select("first", "second", "other", same=pl.col("same") == "1")


def _cosines(vectors: Floats, first: Ints, second: Ints) -> Values:
    scores = np.empty(len(first))
    for at in range(0, len(first), 1 << 14):
        part = slice(at, at + (1 << 14))
        scores[part] = np.einsum("ij,ij->i", vectors[first[part]], vectors[second[part]])
    return scores


def _right(scores: Values, same: Flags) -> Values:
    """(p,) 1 where a pair is judged rightly by the threshold of the other folds."""
    fold, right = np.arange(len(scores)) % FOLDS, np.empty(len(scores))
    for number in range(min(FOLDS, len(scores))):
        mine = fold == number
        threshold = _best_threshold(scores[~mine], same[~mine])
        right[mine] = (scores[mine] >= threshold) == same[mine]
    return right


def _best_threshold(scores: Values, same: Flags) -> float:
    """The lowest that judges the most pairs rightly, halfway between two of their scores."""
    order = np.argsort(scores, kind="stable")
    ordered, flags = scores[order], same[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-np.inf, append=np.inf))
    below = np.concatenate([[0], np.cumsum(~flags)])[first]
    above = flags.sum() - np.concatenate([[0], np.cumsum(flags)])[first]
    at = first[int((below + above).argmax())]
    ends = np.concatenate([[-np.inf], ordered, [np.inf]])
    return float((ends[at] + ends[at + 1]) / 2)


def _drawn(
    statistic: Callable[[Values, Flags], float], scores: Values, same: Flags, classes: Ints
) -> Interval:
    """A statistic of all pairs, and its intervals: classes drawn, and pairs drawn."""
    order = np.argsort(classes, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(classes[order])) + 1)

    def by_class(drawn: Ints) -> float:
        chosen = np.concatenate([parts[unit] for unit in drawn])
        return statistic(scores[chosen], same[chosen])

    def by_pair(drawn: Ints) -> float:
        return statistic(scores[drawn], same[drawn])

    low, high, smallest = resampled(by_class, len(parts))
    plain_low, plain_high, _ = resampled(by_pair, len(scores))
    value = statistic(scores, same)
    ends = (low, high, plain_low, plain_high)
    return Interval(value, *ends, len(scores), len(parts), smallest)


def _told(
    rows: pl.DataFrame, pairs: pl.DataFrame, scores: Values, right: Values
) -> pl.DataFrame:
    """A row a pair."""
    first = rows[pairs["first"]]
    return first.select(
        item_id=pl.concat_str("item_id", pairs["other"], separator=" and "),
        label="label",
        subset="subset",
        value=pl.Series(right),
        score=pl.Series(scores),
        same=pairs["same"],
    )
