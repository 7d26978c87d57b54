"""How far a number can be trusted: bootstrap intervals, paired tests, and what a set can show.

Queries of one class are alike, so classes are drawn, flipped and counted, not queries: else a
class of ten queries would pass for ten independent ones. Every seed is fixed.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

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
"""How intervals are made, as reports say it."""

_CELLS = 1 << 22


@dataclass(frozen=True)
class Interval:
    """A mean, and between what it lies with a confidence of 95 %.

    Attributes:
        value: the mean over the queries.
        low: lower end, classes drawn.
        high: upper end, classes drawn.
        plain_low: lower end, queries drawn as though they were independent.
        plain_high: upper end, so drawn.
        queries: how many are scored.
        classes: how many classes they are of.
        smallest_difference: the smallest difference to another, independent result on the same
            set that a test at 5 % finds in four of five cases.
    """

    value: float
    low: float
    high: float
    plain_low: float
    plain_high: float
    queries: int
    classes: int
    smallest_difference: float

    def shown(self, scale: float, decimals: int) -> "Interval":
        """The same in other units, rounded."""
        numbers = {
            name: round(getattr(self, name) * scale, decimals)
            for name in (
                "value", "low", "high", "plain_low", "plain_high", "smallest_difference"
            )
        }  # fmt: skip
        return replace(self, **numbers)

    def plain(self) -> dict[str, float | int | None]:
        """What JSON holds; null for an interval that one class alone does not have."""
        return {name: _null(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Difference:
    """How much greater the second of two paired results is.

    Attributes:
        value: mean difference over the queries.
        low: lower end of its 95 % interval, classes drawn.
        high: upper end.
        p: of the paired randomisation test, classes flipped.
        queries: how many both have.
        classes: how many classes they are of.
        smallest_difference: the smallest difference between these two that a test at 5 % finds
            in four of five cases.
    """

    value: float
    low: float
    high: float
    p: float
    queries: int
    classes: int
    smallest_difference: float


def interval(values: Values, classes: Codes, *, by_class: bool = False) -> Interval:
    """The mean of ``values`` with its bootstrap intervals.

    Args:
        values: (q,) one a query; NaN is not scored.
        classes: (q,) whichever numbers tell the classes apart.
        by_class: whether every class counts the same, however many queries it has.
    """
    values, classes = _scored(values, classes)
    sums, sizes = _by_class(values, classes)
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


def difference(first: Values, second: Values, classes: Codes) -> Difference:
    """How much greater ``second`` is than ``first``, the same queries' values; NaN: not scored.

    Args:
        first: (q,) float64.
        second: (q,) float64.
        classes: (q,) whichever numbers tell the classes apart.
    """
    gains, classes = _scored(second - first, classes)
    sums, sizes = _by_class(gains, classes)
    low, high = bootstrap(sums, sizes)
    return Difference(
        float(gains.mean()),
        low,
        high,
        randomisation_test(sums),
        len(gains),
        len(sums),
        smallest_difference(standard_error(sums, sizes)),
    )


def bootstrap(sums: Values, sizes: Values) -> tuple[float, float]:
    """The 95 % interval of ``sum(sums) / sum(sizes)``, whole units drawn with replacement.

    Percentiles of the resampled means, a little further out than 2.5 and 97.5, as far as
    Student's t is wider than the normal distribution: plain percentiles are too narrow where
    there are few units.
    Source: Hesterberg, What Teachers Should Know About the Bootstrap, The American
    Statistician 69(4), 2015, "expanded percentile interval"; Field, Welsh, Bootstrapping
    clustered data, JRSS B 69(3), 2007, "cluster bootstrap".

    Args:
        sums: (c,) a unit's sum of values.
        sizes: (c,) how many values each has.
    """
    count = len(sums)
    if count < 2:
        return float("nan"), float("nan")
    share = _expanded((1 - LEVEL) / 2, count)
    means = np.concatenate(
        [sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1) for drawn in _draws(count)]
    )
    low, high = np.quantile(means, [share, 1 - share])
    return float(low), float(high)


def resampled(statistic: Callable[[Codes], float], count: int) -> tuple[float, float, float]:
    """The 95 % interval of any ``statistic`` of drawn units, given by number: (count,).

    Returns:
        Both ends, and the smallest difference to an independent result that would be found;
        NaN for one unit.
    """
    if count < 2:
        return float("nan"), float("nan"), float("nan")
    rng = np.random.default_rng(SEED)
    found = [statistic(rng.integers(0, count, count)) for _ in range(DRAWS)]
    share = _expanded((1 - LEVEL) / 2, count)
    low, high = np.nanquantile(found, [share, 1 - share])
    error = float(np.nanstd(found)) * math.sqrt(2 * count / (count - 1))
    return float(low), float(high), smallest_difference(error)


def standard_error(sums: Values, sizes: Values) -> float:
    """The standard error of ``sum(sums) / sum(sizes)``, a ratio over units.

    Source: Cochran, Sampling Techniques (1977), 6.3 and 9A.2; NaN for one unit.
    """
    count, total = len(sums), sizes.sum()
    if count < 2:
        return float("nan")
    off = sums - sums.sum() / total * sizes
    return float(np.sqrt(np.square(off).sum() * count / (count - 1)) / total)


def smallest_difference(error: float) -> float:
    """What a two-sided test at 5 % finds with a power of 80 %, given a standard error.

    ``(z_0.975 + z_0.8) * error``; source: Cohen, Statistical Power Analysis (1988), 2.
    """
    normal = NormalDist()
    return float((normal.inv_cdf((1 + LEVEL) / 2) + normal.inv_cdf(POWER)) * error)


def randomisation_test(sums: Values) -> float:
    """The two-sided p of paired differences: would swapping the two change their sum so much?

    The sign of every unit's sum is flipped at random; all ways are tried where they are few.
    Source: Smucker, Allan, Carterette, A Comparison of Statistical Significance Tests for
    Information Retrieval Evaluation, CIKM 2007; with the observed one counted, so that p is
    never 0: Phipson, Smyth, SAGMB 9(1), 2010.

    Args:
        sums: (c,) a class's sum of differences.
    """
    moved = sums[sums != 0]
    if not len(moved):
        return 1.0
    least = abs(moved.sum()) * (1 - 1e-12)
    if 2 ** len(moved) <= FLIPS:
        ways = np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1
        return float((np.abs((1 - 2 * ways) @ moved) >= least).mean())
    rng, reached = np.random.default_rng(SEED), 0
    for size in _sizes(FLIPS, len(moved)):
        signs = 1 - 2 * rng.integers(0, 2, (size, len(moved)), np.int8)
        reached += int((np.abs(signs @ moved) >= least).sum())
    return (1 + reached) / (1 + FLIPS)


def holm(ps: Sequence[float]) -> list[float]:
    """The p of several tests at once, so that any false alarm among them is as rare as of one.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal
    of Statistics 6(2), 1979.
    """
    adjusted, so_far = [0.0] * len(ps), 0.0
    for step, at in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        so_far = max(so_far, min(1.0, (len(ps) - step) * ps[at]))
        adjusted[at] = so_far
    return adjusted


def _null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _scored(values: Values, classes: Codes) -> tuple[Values, Codes]:
    there = ~np.isnan(values)
    return values[there], classes[there]


def _by_class(values: Values, classes: Codes) -> tuple[Values, Values]:
    """The sum and the number of every class's values."""
    _, codes = np.unique(classes, return_inverse=True)
    sums = np.bincount(codes, weights=values).astype(np.float64)
    return sums, np.bincount(codes).astype(np.float64)


def _draws(count: int) -> Iterator[npt.NDArray[np.int64]]:
    """``DRAWS`` resamples of ``count`` units, some at a time: (some, count) each."""
    rng = np.random.default_rng(SEED)
    for size in _sizes(DRAWS, count):
        yield rng.integers(0, count, (size, count))


def _sizes(total: int, width: int) -> Iterator[int]:
    """``total`` in parts whose rows of ``width`` cells fit into memory."""
    most = max(_CELLS // max(width, 1), 1)
    for at in range(0, total, most):
        yield min(most, total - at)


def _expanded(share: float, count: int) -> float:
    """The percentile at which an expanded interval of ``count`` units ends.

    ``Phi(sqrt(n / (n - 1)) * t)``, t being the quantile ``share`` of Student's t of n - 1
    degrees of freedom. Source: Hesterberg (2015), as in ``bootstrap``.
    """
    from scipy.special import ndtr, stdtrit  # 0.5 s to import, so only when an interval is made

    return float(ndtr(math.sqrt(count / (count - 1)) * stdtrit(count - 1, share)))
