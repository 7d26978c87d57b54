"""Verification of pairs: same or different, by the cosine of their vectors."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.evaluation.protocols.base import Evaluation, Protocol
from likewise.evaluation.protocols.exclusions import codes
from likewise.evaluation.protocols.inputs import as_vectors
from likewise.evaluation.protocols.query_sets import (
    require_columns,
    require_list_columns,
)
from likewise.evaluation.protocols.stored_vectors import stored_norms, taken
from likewise.evaluation.ranking import Progress
from likewise.evaluation.significance import Interval, bootstrap_statistic, interval
from likewise.formats.array_types import (
    AnyArray,
    BoolArray,
    Float64Array,
    Int64Array,
)
from likewise.formats.vector_blocks import VectorBlocks

FOLDS = 10
DECIMALS = 4


class Verification(Protocol):
    """ROC-AUC, equal error rate and accuracy of a list of pairs.

    The item column ``pairs`` lists them: the first item of a pair names the level, 1 (same) or
    0 (different), and the id of the other item, as ``easy 1 web/78.jpg``. The equal error rate
    is the mean of both error rates at the threshold where they differ least. For the accuracy,
    pairs are assigned to ten folds in turn, and every fold is classified by the threshold that
    is best for the other nine.

    Source: Yang et al., A Large-Scale Car Dataset for Fine-Grained Categorization and
    Verification, CVPR 2015 (arXiv:1506.08959), 4.2, for the lists; Huang et al., Labeled Faces
    in the Wild, 2007, for the folds.
    """

    columns: ClassVar[tuple[str, ...]] = ("label", "subset", "pairs")
    reads_blocks: ClassVar[bool] = True
    level: ClassVar[str]

    def check_items(self, rows: pl.DataFrame) -> None:
        """Check that the items have the columns of the protocol."""
        require_columns(self.name, self.columns, rows)

    @property
    def formula(self) -> str:
        """The main metric."""
        return (
            "ROC-AUC: probability that a pair of the same class has a higher cosine than a "
            "pair of different classes; ties count 1/2"
        )

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
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
        vectors: AnyArray | VectorBlocks,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Score all pairs of the protocol's level."""
        require_columns(self.name, self.columns, rows)
        require_list_columns(self.name, ["pairs"], rows)
        if isinstance(vectors, VectorBlocks):
            norms = stored_norms(vectors, rows["item_id"])
        else:
            ready, norms = as_vectors(vectors, rows["item_id"])
            vectors = VectorBlocks.from_array(ready)
        pairs = _pairs(rows, self.level)
        first, second = pairs["first"].to_numpy(), pairs["second"].to_numpy()
        scores, same = _cosines(vectors, norms, first, second), pairs["same"].to_numpy()
        if progress:
            progress(len(pairs), len(pairs))
        if same.all() or not same.any():
            kind = "same" if same.all() else "different"
            raise DataError(
                f"verification needs pairs of both kinds; all {len(same):,} are {kind}"
            )
        correct = _correct(scores, same)
        labels = codes(rows, ["label"])[first]
        classes = np.where(labels < 0, labels.max(initial=0) + 1 + first, labels)
        intervals = {
            "ROC-AUC": _bootstrap(auc, scores, same, classes),
            "EER": _bootstrap(equal_error_rate, scores, same, classes),
            "accuracy": interval(correct, classes),
        }
        metrics = {name: round(one.value, DECIMALS) for name, one in intervals.items()}
        rounded = {name: one.rescaled(1, DECIMALS + 2) for name, one in intervals.items()}
        counts = {
            "queries": len(pairs),
            "gallery": len(np.union1d(first, second)),
            "labels": len(np.unique(classes)),
        }
        queries = _pair_rows(rows, pairs, scores, correct)
        unrounded = {name: one.value for name, one in intervals.items()}
        return Evaluation(metrics, queries, self.describe(), [], rounded, counts, unrounded)


class VerificationEasy(Verification):
    """Easy pairs: two views of one car, or models of different makes."""

    name: ClassVar[str] = "verification-easy"
    level: ClassVar[str] = "easy"


class VerificationMedium(Verification):
    """Medium pairs."""

    name: ClassVar[str] = "verification-medium"
    level: ClassVar[str] = "medium"


class VerificationHard(Verification):
    """Hard pairs: different models of one make."""

    name: ClassVar[str] = "verification-hard"
    level: ClassVar[str] = "hard"


def auc(scores: Float64Array, same: BoolArray) -> float:
    """Compute the area under the ROC curve, by ranks.

    The area is the share of combinations of a same and a different pair in which the same pair
    has the higher score; ties count one half.
    Source: Mann, Whitney, On a Test of Whether One of Two Random Variables Is Stochastically
    Larger than the Other, Annals of Mathematical Statistics 18(1), 1947.

    Returns:
        NaN if all pairs are of one kind.
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(same.sum())
    negatives = len(same) - positives
    if not positives or not negatives:
        return float("nan")
    lowest = positives * (positives + 1) / 2
    return float((ranks[same].sum() - lowest) / (positives * negatives))


def equal_error_rate(scores: Float64Array, same: BoolArray) -> float:
    """Compute the mean of false rejection and false acceptance rate where they differ least.

    A pair is accepted if its score is at least the threshold.

    Returns:
        NaN if all pairs are of one kind.
    """
    order = np.argsort(scores, kind="stable")
    ordered, flags = scores[order], same[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-np.inf, append=np.inf))
    rejected = np.concatenate([[0], np.cumsum(flags)])[first]
    accepted = (~flags).sum() - np.concatenate([[0], np.cumsum(~flags)])[first]
    if not flags.any() or flags.all():
        return float("nan")
    rejection, acceptance = rejected / flags.sum(), accepted / (~flags).sum()
    at = int(np.abs(rejection - acceptance).argmin())
    return float((rejection[at] + acceptance[at]) / 2)


def _pairs(rows: pl.DataFrame, level: str) -> pl.DataFrame:
    """Parse the pairs of ``level`` in the items' order.

    Returns:
        first, second (item rows), other (item id) and same.
    """
    listed = rows.select(pl.int_range(pl.len()).alias("first"), "pairs").explode("pairs")
    words = listed.drop_nulls("pairs").with_columns(
        pl.col("pairs").str.extract_groups(r"\A(\S+) ([01]) (.+)\z").struct.rename_fields(
            ["level", "same", "other"]
        ).alias("words")
    ).unnest("words")  # fmt: skip
    invalid = words.filter(pl.col("other").is_null())["pairs"]
    if len(invalid):
        raise DataError(
            "pairs: expected a level, 0 or 1, and an item, such as 'easy 1 web/78.jpg'; "
            f"found: {bounded(invalid, len(invalid))}"
        )
    chosen = words.filter(level=level)
    if chosen.is_empty():
        levels = ", ".join(words["level"].unique().sort()) or "none"
        raise DataError(f"no pair has the level {level}; levels: {levels}")
    ids = pl.DataFrame({"other": rows["item_id"], "second": np.arange(len(rows))})
    pairs = chosen.join(ids, on="other", how="left", maintain_order="left")
    unknown = pairs.filter(pl.col("second").is_null())["other"].unique().sort()
    if len(unknown):
        raise DataError(f"pairs: no item is called {bounded(unknown, len(unknown))}")
    return pairs.select("first", "second", "other", same=pl.col("same") == "1")


def _cosines(
    vectors: VectorBlocks, norms: Float64Array, first: Int64Array, second: Int64Array
) -> Float64Array:
    scores, lengths = np.empty(len(first)), np.where(norms > 0, norms, 1).astype(np.float32)
    for at in range(0, len(first), 1 << 14):
        part = slice(at, at + (1 << 14))
        one, other = (taken(vectors, side[part], lengths) for side in (first, second))
        scores[part] = np.einsum("ij,ij->i", one, other)
    return scores


def _correct(scores: Float64Array, same: BoolArray) -> Float64Array:
    """Classify every pair by the best threshold of the other folds: (p,) 1 if correct."""
    fold, correct = np.arange(len(scores)) % FOLDS, np.empty(len(scores))
    for number in range(min(FOLDS, len(scores))):
        held = fold == number
        threshold = _best_threshold(scores[~held], same[~held])
        correct[held] = (scores[held] >= threshold) == same[held]
    return correct


def _best_threshold(scores: Float64Array, same: BoolArray) -> float:
    """Find the lowest threshold, halfway between two scores, with the most correct pairs."""
    order = np.argsort(scores, kind="stable")
    ordered, flags = scores[order], same[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-np.inf, append=np.inf))
    below = np.concatenate([[0], np.cumsum(~flags)])[first]
    above = flags.sum() - np.concatenate([[0], np.cumsum(flags)])[first]
    at = first[int((below + above).argmax())]
    ends = np.concatenate([[-np.inf], ordered, [np.inf]])
    return float((ends[at] + ends[at + 1]) / 2)


def _bootstrap(
    statistic: Callable[[Float64Array, BoolArray], float],
    scores: Float64Array,
    same: BoolArray,
    classes: Int64Array,
) -> Interval:
    """Compute a statistic of all pairs with its bootstrap intervals over classes and pairs."""
    order = np.argsort(classes, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(classes[order])) + 1)

    def by_class(drawn: Int64Array) -> float:
        chosen = np.concatenate([parts[unit] for unit in drawn])
        return statistic(scores[chosen], same[chosen])

    def by_pair(drawn: Int64Array) -> float:
        return statistic(scores[drawn], same[drawn])

    low, high, smallest = bootstrap_statistic(by_class, len(parts))
    plain_low, plain_high, _ = bootstrap_statistic(by_pair, len(scores))
    value = statistic(scores, same)
    ends = (low, high, plain_low, plain_high)
    return Interval(value, *ends, len(scores), len(parts), smallest)


def _pair_rows(
    rows: pl.DataFrame, pairs: pl.DataFrame, scores: Float64Array, correct: Float64Array
) -> pl.DataFrame:
    """Return one row per pair, as in ``schema.QUERIES``."""
    first = rows[pairs["first"]]
    return first.select(
        item_id=pl.concat_str("item_id", pairs["other"], separator=" and "),
        label="label",
        subset="subset",
        value=pl.Series(correct),
        score=pl.Series(scores),
        same=pairs["same"],
    )
