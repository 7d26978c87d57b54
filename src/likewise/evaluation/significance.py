"""Confidence intervals, paired tests and minimum detectable differences.

Queries of one class are correlated. Bootstrap and randomisation tests therefore resample
classes, not queries; otherwise ten queries of one class would count as ten independent
observations. All seeds are fixed.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist

import numpy as np

from likewise.evaluation.class_totals import class_totals, scored_only
from likewise.evaluation.student import normal_share, student_quantile
from likewise.formats.array_types import Float64Array, Int64Array

SEED = 20_211_113
DRAWS = 1_000
"""Resamples of a bootstrap."""
FLIPS = 10_000
"""Random assignments of a paired test."""
LEVEL = 0.95
POWER = 0.8

METHOD = {
    "interval": "bootstrap of classes, expanded percentiles; plain: of queries",
    "level": LEVEL,
    "draws": DRAWS,
    "seed": SEED,
    "smallest_difference": "to an independent result, two-sided at 5 %, found 4 times of 5",
}
"""Description of the method in reports."""

# Signs that are drawn together (another number gives other signs for a seed), and units: they
# fit into the processor's cache.
_CELLS, _CACHED_CELLS = 1 << 22, 1 << 16


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence intervals.

    Attributes:
        value: mean over the queries.
        low: lower end of the interval (bootstrap over classes).
        high: upper end of the interval (bootstrap over classes).
        plain_low: lower end of the interval that takes queries as independent.
        plain_high: upper end of that interval.
        queries: number of scored queries.
        classes: number of their classes.
        smallest_difference: minimum detectable difference: the smallest difference to another,
            independent result on the same set that a two-sided test at 5 % detects with a power
            of 80 %.
    """

    value: float
    low: float
    high: float
    plain_low: float
    plain_high: float
    queries: int
    classes: int
    smallest_difference: float

    def rescaled(self, scale: float, decimals: int) -> "Interval":
        """Multiply all values by ``scale`` and round them."""
        values = asdict(self)
        counts = {name: values.pop(name) for name in ("queries", "classes")}
        return Interval(**counts, **{k: round(v * scale, decimals) for k, v in values.items()})

    def to_json(self) -> dict[str, float | int | None]:
        """Return the fields for JSON; null where a single class has no interval."""
        return {k: None if math.isnan(v) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class PairedDifference:
    """The difference between two results on the same queries: second minus first.

    Attributes:
        value: mean difference over the queries.
        low: lower end of its 95 % interval (bootstrap over classes).
        high: upper end of that interval.
        p: p-value of the paired randomisation test over classes.
        queries: number of queries that both results score.
        classes: number of their classes.
        smallest_difference: minimum detectable difference between these two results, at 5 %
            with a power of 80 %.
    """

    value: float
    low: float
    high: float
    p: float
    queries: int
    classes: int
    smallest_difference: float


def interval(values: Float64Array, classes: Int64Array, *, by_class: bool = False) -> Interval:
    """Compute the mean of ``values`` and its bootstrap intervals.

    Args:
        values: (q,) one value per query; NaN if the query is not scored.
        classes: (q,) class of every query, by any numbers.
        by_class: give every class the same weight, however many queries it has.
    """
    values, classes = scored_only(values, classes)
    sums, sizes = class_totals(values, classes)
    if by_class:
        sums, sizes = sums / sizes, np.ones(len(sums))
    low, high = bootstrap(sums, sizes)
    plain = (low, high) if by_class else bootstrap(values, np.ones(len(values)))
    error = standard_error(sums, sizes)
    return Interval(
        float(sums.sum() / sizes.sum()) if by_class else float(values.mean()),
        low,
        high,
        *plain,
        len(values),
        len(sums),
        smallest_difference(error * np.sqrt(2)),
    )


def paired_difference(
    first: Float64Array, second: Float64Array, classes: Int64Array
) -> PairedDifference:
    """Compute the mean of ``second - first`` with its interval and p-value.

    Args:
        first: (q,) float64, one value per query; NaN if the query is not scored.
        second: (q,) float64, values of the same queries.
        classes: (q,) class of every query, by any numbers.
    """
    gains, classes = scored_only(second - first, classes)
    sums, sizes = class_totals(gains, classes)
    ends, p = bootstrap(sums, sizes), randomisation_test(sums)
    detectable = smallest_difference(standard_error(sums, sizes))
    counts = len(gains), len(sums)
    return PairedDifference(float(gains.mean()), *ends, p, *counts, detectable)


def paired_p(first: Float64Array, second: Float64Array, classes: Int64Array) -> float:
    """Compute only the p-value of ``paired_difference``, which takes a fraction of its time.

    Args:
        first: (q,) float64, one value per query; NaN if the query is not scored.
        second: (q,) float64, values of the same queries.
        classes: (q,) class of every query, by any numbers.
    """
    gains, classes = scored_only(second - first, classes)
    return randomisation_test(class_totals(gains, classes)[0])


def bootstrap(sums: Float64Array, sizes: Float64Array) -> tuple[float, float]:
    """Compute the 95 % interval of ``sum(sums) / sum(sizes)`` by a cluster bootstrap.

    Units are drawn with replacement. The ends are expanded percentiles of the resampled means:
    further out than 2.5 and 97.5 by as much as Student's t is wider than the normal
    distribution, because plain percentiles are too narrow for few units.
    Source: Hesterberg, What Teachers Should Know About the Bootstrap, The American
    Statistician 69(4), 2015, "expanded percentile interval"; Field, Welsh, Bootstrapping
    clustered data, JRSS B 69(3), 2007, "cluster bootstrap".

    Args:
        sums: (c,) sum of the values of every unit.
        sizes: (c,) number of values of every unit.

    Returns:
        Lower and upper end; NaN for fewer than two units.
    """
    count = len(sums)
    if count < 2:
        return math.nan, math.nan
    share = _expanded((1 - LEVEL) / 2, count)
    equal = bool((sizes == sizes[0]).all())  # their sum is then the same in all resamples
    means = np.concatenate(
        [
            sums[drawn].sum(axis=1) / (sizes[0] * count if equal else sizes[drawn].sum(axis=1))
            for drawn in _resamples(count)
        ]
    )
    low, high = np.quantile(means, [share, 1 - share])
    return float(low), float(high)


def bootstrap_statistic(
    statistic: Callable[[Int64Array], float], count: int
) -> tuple[float, float, float]:
    """Compute the 95 % interval of any statistic by a bootstrap over ``count`` units.

    Args:
        statistic: function of the numbers of the drawn units, (count,).
        count: number of units.

    Returns:
        Lower end, upper end, and minimum detectable difference to an independent result; NaN
        for fewer than two units.
    """
    if count < 2:
        return math.nan, math.nan, math.nan
    rng = np.random.default_rng(SEED)
    values = [statistic(rng.integers(0, count, count)) for _ in range(DRAWS)]
    share = _expanded((1 - LEVEL) / 2, count)
    low, high = np.nanquantile(values, [share, 1 - share])
    error = float(np.nanstd(values)) * math.sqrt(2 * count / (count - 1))
    return float(low), float(high), smallest_difference(error)


def standard_error(sums: Float64Array, sizes: Float64Array) -> float:
    """Compute the standard error of ``sum(sums) / sum(sizes)``, a ratio over units.

    ``sqrt(n / (n - 1) * sum((s_i - r * m_i)^2)) / sum(m)`` for sums s, sizes m and ratio r.
    Source: Cochran, Sampling Techniques (1977), 6.3 and 9A.2.

    Returns:
        NaN for fewer than two units.
    """
    count, total = len(sums), sizes.sum()
    if count < 2:
        return math.nan
    residuals = sums - sums.sum() / total * sizes
    return float(np.sqrt(np.square(residuals).sum() * count / (count - 1)) / total)


def smallest_difference(error: float) -> float:
    """Compute the minimum detectable difference: two-sided at 5 %, with a power of 80 %.

    ``(z_0.975 + z_0.8) * error``, ``error`` being the standard error of the difference.
    Source: Cohen, Statistical Power Analysis (1988), 2.
    """
    normal = NormalDist()
    return float((normal.inv_cdf((1 + LEVEL) / 2) + normal.inv_cdf(POWER)) * error)


def randomisation_test(sums: Float64Array) -> float:
    """Compute the two-sided p-value of paired differences by a randomisation test.

    The sign of every unit's sum is flipped at random; p is the share of assignments whose total
    is at least as large as the observed one. All assignments are tried if they are few.
    Source: Smucker, Allan, Carterette, A Comparison of Statistical Significance Tests for
    Information Retrieval Evaluation, CIKM 2007. The observed assignment counts, so that p is
    never 0: Phipson, Smyth, SAGMB 9(1), 2010.

    Args:
        sums: (c,) sum of the differences of every class.
    """
    nonzero = sums[sums != 0]
    if not len(nonzero):
        return 1.0
    observed = abs(nonzero.sum()) * (1 - 1e-12)
    if 2 ** len(nonzero) <= FLIPS:
        flips = np.arange(2 ** len(nonzero))[:, None] >> np.arange(len(nonzero)) & 1
        return float((np.abs((1 - 2 * flips) @ nonzero) >= observed).mean())
    rng, reached = np.random.default_rng(SEED), 0
    for size in _batch_sizes(FLIPS, len(nonzero), _CELLS):
        signs = 1 - 2 * rng.integers(0, 2, (size, len(nonzero)), np.int8)
        reached += int((np.abs(signs @ nonzero) >= observed).sum())
    return (1 + reached) / (1 + FLIPS)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of several tests, which bounds the family-wise error rate.

    The k-th smallest of n is multiplied by n - k + 1; none is below the one before or above 1.
    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal
    of Statistics 6(2), 1979.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for step, at in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - step) * p_values[at]))
        adjusted[at] = largest
    return adjusted


def _resamples(count: int) -> Iterator[Int64Array]:
    """Yield ``DRAWS`` resamples of ``count`` units in batches of (size, count)."""
    rng = np.random.default_rng(SEED)
    for size in _batch_sizes(DRAWS, count, _CACHED_CELLS):
        yield rng.integers(0, count, (size, count))


def _batch_sizes(total: int, width: int, cells: int) -> Iterator[int]:
    """Split ``total`` rows of ``width`` cells into batches of at most ``cells``."""
    largest = max(cells // max(width, 1), 1)
    for start in range(0, total, largest):
        yield min(largest, total - start)


def _expanded(share: float, count: int) -> float:
    """Compute the percentile at which an expanded interval of ``count`` units ends.

    ``Phi(sqrt(n / (n - 1)) * t)``, t being the quantile ``share`` of Student's t of n - 1
    degrees of freedom. Source: Hesterberg (2015), as in ``bootstrap``.
    """
    return normal_share(math.sqrt(count / (count - 1)) * student_quantile(share, count - 1))
