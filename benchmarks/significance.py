"""Measure the coverage of confidence intervals and the error rate of the paired test.

    python benchmarks/significance.py [--small]

Results are drawn from distributions whose true mean is known: classes differ, and the queries
of one class are correlated. A 95 % interval is right if it covers the true mean in 93 to 97 %
of the draws. The paired test is right if it reports a difference for 4 to 6 % of pairs of runs
that differ only by chance (level 5 %). The peers are the interval and the test that treat
queries as independent, as most reports do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from measure import Table, parser

from likewise.evaluation.metrics import measure
from likewise.evaluation.ranking import Groups, rank_vectors
from likewise.evaluation.significance import interval, randomisation_test
from likewise.formats.array_types import Float64Array

PER_CLASS = 10
PAIRS_PER_DRAW = 4


@dataclass(frozen=True)
class World:
    """A distribution; ``draw`` returns values per query of some classes (classes, n)."""

    name: str
    classes: int
    truth: float
    draw: Callable[[np.random.Generator, int], Float64Array]


def graded(rng: np.random.Generator, classes: int) -> Float64Array:
    """Draw values like average precisions: a few easy classes, many hard ones."""
    ease = rng.beta(1.2, 1.8, classes)[:, None]
    shape = ease * 4 + 0.05, (1 - ease) * 4 + 0.05
    return rng.beta(*shape, (classes, PER_CLASS))


def nearly_right(rng: np.random.Generator, classes: int) -> Float64Array:
    """Draw right or wrong answers, right in nine of ten."""
    ease = rng.beta(9, 1, classes)[:, None]
    return (rng.random((classes, PER_CLASS)) < ease).astype(np.float64)


def in_pairs(rng: np.random.Generator, classes: int) -> Float64Array:
    """Draw right or wrong answers for two queries per class, like two sketches of a photo."""
    ease = rng.beta(1, 1, classes)[:, None]
    return (rng.random((classes, 2)) < ease).astype(np.float64)


def retrieved(classes: int) -> Float64Array:
    """Return average precisions (classes, 10) of a real ranking of clustered vectors."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((classes, 64))
    spread = rng.uniform(1.0, 4.0, classes)[:, None, None]
    vectors = centres[:, None] + spread * rng.standard_normal((classes, PER_CLASS, 64))
    flat = vectors.reshape(-1, 64).astype(np.float32)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    labels = np.repeat(np.arange(classes), PER_CLASS)
    itself = [Groups.one(np.arange(len(flat)))]
    ranked = rank_vectors(flat, flat, Groups.alike(labels, labels), itself).ranked
    return measure("ap", ranked).reshape(classes, PER_CLASS)


def worlds(*, small: bool) -> list[World]:
    """Return the distributions, each with its true mean."""
    real = retrieved(200 if small else 1_000)

    def drawn(rng: np.random.Generator, classes: int) -> Float64Array:
        return real[rng.integers(0, len(real), classes)]

    mean = (4 * 1.2 / 3 + 0.05) / 4.1  # of a beta's mean, which is linear in the ease
    return [
        World("average precision, 100 classes of 10", 100, mean, graded),
        World("average precision, 20 classes of 10", 20, mean, graded),
        World("right nine times in ten, 60 classes of 10", 60, 0.9, nearly_right),
        World("accuracy of sketches, 120 classes of 2", 120, 0.5, in_pairs),
        World("a real ranking's, 100 classes of 10", 100, float(real.mean()), drawn),
    ]


def coverage(world: World, draws: int) -> tuple[float, float]:
    """Return the share of intervals that cover the truth, over classes and over queries."""
    rng, covered = np.random.default_rng(1), np.zeros(2)
    for _ in range(draws):
        values = world.draw(rng, world.classes)
        codes = np.repeat(np.arange(len(values)), values.shape[1])
        found = interval(values.ravel(), codes)
        covered += (
            found.low <= world.truth <= found.high,
            found.plain_low <= world.truth <= found.plain_high,
        )
    return float(covered[0] / draws), float(covered[1] / draws)


def false_alarms(draws: int, classes: int = 60) -> tuple[float, float]:
    """Return the share of p <= 5 % for runs that differ by chance: by classes, by queries."""
    rng, called = np.random.default_rng(2), np.zeros(2)
    for _ in range(draws):
        ease = rng.normal(0, 1, (classes, 1, 1))
        liking = rng.normal(0, 0.6, (classes, 1, 2))  # by chance, a class is easier for one run
        runs = 1 / (1 + np.exp(-ease - liking - rng.normal(0, 1, (classes, PER_CLASS, 2))))
        gains = runs[..., 1] - runs[..., 0]
        called += (
            randomisation_test(gains.sum(axis=1)) <= 0.05,
            randomisation_test(gains.ravel()) <= 0.05,
        )
    return float(called[0] / draws), float(called[1] / draws)


def main() -> None:
    """Simulate, and print a table."""
    small: bool = parser(__doc__).parse_args().small
    draws = 40 if small else 1_000
    table = Table(
        f"Intervals and tests in {draws:,} draws; peer: queries as independent", small=small
    )
    for world in worlds(small=small):
        ours, peer = coverage(world, draws)
        within = 0.93 <= ours <= 0.97
        table.share(f"95 % covers: {world.name}", ours, peer, "93 to 97 %", met=within)
    pairs = draws * (1 if small else PAIRS_PER_DRAW)
    ours, peer = false_alarms(pairs)
    name = f"false alarms at 5 %, {pairs:,} pairs of runs"
    table.share(name, ours, peer, "4 to 6 %", met=0.04 <= ours <= 0.06)
    table.print()


if __name__ == "__main__":
    main()
