"""Quantiles of Student's t distribution and the normal distribution, without SciPy.

The import of SciPy takes longer than the intervals of a run. Its values are those of the tests.
"""

import math
from functools import cache
from statistics import NormalDist

_SERIES_MOST = 400
"""Degrees of freedom up to which the exact series is summed; the expansion is exact above."""

_STEPS = 40


def normal_share(value: float) -> float:
    """Return the share of a normal distribution below ``value``."""
    return math.erfc(-value / math.sqrt(2)) / 2


@cache
def student_quantile(share: float, degrees: int) -> float:
    """Return the value below which Student's t has the ``share``, from 0 to 1, exclusive.

    The expansion in powers of ``1 / degrees`` (Abramowitz, Stegun, Handbook of Mathematical
    Functions, 1964, 26.7.5) is the result for many degrees of freedom, and otherwise the start
    of Newton's method on the exact distribution (26.7.3 and 26.7.4).

    Args:
        share: probability.
        degrees: degrees of freedom, at least 1.
    """
    if share > 0.5:
        return -student_quantile(1 - share, degrees)
    if degrees == 1:
        return -1 / math.tan(math.pi * share)
    inner = 1 - 2 * share
    if degrees == 2:
        return -inner * math.sqrt(2 / (1 - inner * inner))
    value = _expansion(-NormalDist().inv_cdf(share), degrees)
    if degrees > _SERIES_MOST:
        return -value
    for _ in range(_STEPS):
        step = (_central(value, degrees) - inner) / (2 * _density(value, degrees))
        value -= step
        if abs(step) <= 1e-15 * value:
            break
    return -value


def _expansion(z: float, degrees: int) -> float:
    square = z * z
    terms = (
        z * (square + 1) / 4,
        z * ((5 * square + 16) * square + 3) / 96,
        z * (((3 * square + 19) * square + 17) * square - 15) / 384,
        z * ((((79 * square + 776) * square + 1482) * square - 1920) * square - 945) / 92160,
    )
    inverse = 1 / degrees
    return z + sum(term * inverse**power for power, term in enumerate(terms, start=1))


def _density(value: float, degrees: int) -> float:
    scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    tail = (degrees + 1) / 2 * math.log1p(value * value / degrees)
    return math.exp(scale - tail) / math.sqrt(degrees * math.pi)


def _central(value: float, degrees: int) -> float:
    """Return the share between ``-value`` and ``value``: a finite series in the angle."""
    angle = math.atan(value / math.sqrt(degrees))
    square = math.cos(angle) ** 2
    odd = degrees % 2
    term = math.cos(angle) if odd else 1.0
    total = term
    for power in range(2 + odd, degrees - 1, 2):
        term *= square * (power - 1) / power
        total += term
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
