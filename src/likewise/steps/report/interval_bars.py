"""The bars of confidence intervals in a report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IntervalBar:
    """A value and its interval on the scale of all intervals, in percent of its length."""

    left: float
    width: float
    value: float


@dataclass(frozen=True)
class IntervalBars:
    """The intervals of all metrics on one scale.

    Attributes:
        low: label of the lower end of the scale.
        high: label of the upper end of the scale.
        shown: metric -> its bar; empty if no metric has an interval.
    """

    low: str
    high: str
    shown: dict[str, IntervalBar]
