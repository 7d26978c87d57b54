"""Multinomial logistic regression by L-BFGS, in NumPy: the same weights on every run."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from likewise.evaluation.ranking import Floats, Ints

Weights = npt.NDArray[np.float64]

_MEMORY = 10
_STEPS = 300
_FLAT = 1e-6
_ENOUGH = 1e-4
_HALVINGS = 30


@dataclass(frozen=True)
class Regression:
    """A fitted classifier.

    Attributes:
        weights: (d + 1, c) float64; the last row is the bias.
    """

    weights: Weights

    def scores(self, vectors: Floats) -> Floats:
        """(n, c) float32, greatest for the likeliest class."""
        flat = self.weights.astype(np.float32)
        found: Floats = vectors @ flat[:-1] + flat[-1]
        return found


def fit(vectors: Floats, codes: Ints, classes: int, penalty: float) -> Regression:
    """The weights of least mean cross-entropy plus ``penalty / 2`` times their squares.

    The bias is not penalised. The problem is convex, and the search ends where no slope is
    above 1e-6 or after 300 steps.

    Args:
        vectors: (n, d) float32.
        codes: (n,) int64, 0 to ``classes`` - 1.
        classes: how many there are.
        penalty: above 0.
    """
    shape = (vectors.shape[1] + 1, classes)
    rows = np.arange(len(vectors))

    def loss(flat: Weights) -> tuple[float, Weights]:
        weights = flat.reshape(shape)
        scores = (vectors @ weights[:-1].astype(np.float32)).astype(np.float64) + weights[-1]
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        total = shares.sum(axis=1, keepdims=True)
        entropy = float((np.log(total[:, 0]) - scores[rows, codes]).mean())
        shares /= total
        shares[rows, codes] -= 1
        shares /= len(vectors)
        slope = np.empty(shape)
        slope[:-1] = vectors.T @ shares.astype(np.float32) + penalty * weights[:-1]
        slope[-1] = shares.sum(axis=0)
        return entropy + penalty / 2 * float(np.square(weights[:-1]).sum()), slope.ravel()

    return Regression(_lowest(loss, np.zeros(shape[0] * classes)).reshape(shape))


def _lowest(loss: Callable[[Weights], tuple[float, Weights]], start: Weights) -> Weights:
    """Where ``loss`` is least, by L-BFGS with halved steps.

    Source: Nocedal, Wright, Numerical Optimization (2006), algorithms 7.4, 7.5 and 3.1.
    """
    at = start
    value, slope = loss(at)
    memory: list[tuple[Weights, Weights]] = []
    for _ in range(_STEPS):
        if np.abs(slope).max(initial=0) < _FLAT:
            break
        way = -_direction(slope, memory)
        down = float(way @ slope)
        if down >= 0:  # rounding has spoilt what it remembers
            memory, way, down = [], -slope, -float(slope @ slope)
        step = 1.0
        for _ in range(_HALVINGS):
            then, then_slope = loss(at + step * way)
            if then <= value + _ENOUGH * step * down:
                break
            step /= 2
        else:
            break
        moved, turned = step * way, then_slope - slope
        if moved @ turned > 0:
            memory = [*memory, (moved, turned)][-_MEMORY:]
        at, value, slope = at + moved, then, then_slope
    return at


def _direction(slope: Weights, memory: list[tuple[Weights, Weights]]) -> Weights:
    """The slope times an estimate of the inverse of the curvature."""
    way, kept = slope.copy(), []
    for moved, turned in reversed(memory):
        share = float(moved @ way) / float(moved @ turned)
        way -= share * turned
        kept.append(share)
    if memory:
        moved, turned = memory[-1]
        way *= float(moved @ turned) / float(turned @ turned)
    for (moved, turned), share in zip(memory, reversed(kept), strict=True):
        way += moved * (share - float(turned @ way) / float(moved @ turned))
    return way
