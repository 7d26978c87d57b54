"""A metric that differs between two versions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricChange:
    """A metric of a run's report in both versions; None if a version does not have it."""

    run: str
    metric: str
    was: float | None
    now: float | None
