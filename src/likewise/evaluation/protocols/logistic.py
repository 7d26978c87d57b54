"""Multinomial logistic regression by L-BFGS in NumPy; deterministic."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from likewise.formats.array_types import Float32Array, Float64Array, Int64Array

_MEMORY = 10
_STEPS = 300
_TOLERANCE = 1e-6
_ARMIJO = 1e-4
_HALVINGS = 30


@dataclass(frozen=True)
class Regression:
    """A fitted logistic regression.

    Attributes:
        weights: (d + 1, c) float64; the last row is the bias.
    """

    weights: Float64Array

    def scores(self, vectors: Float32Array) -> Float32Array:
        """Compute the logits of the classes: (n, c) float32."""
        flat = self.weights.astype(np.float32)
        logits: Float32Array = vectors @ flat[:-1] + flat[-1]
        return logits


def fit(vectors: Float32Array, codes: Int64Array, classes: int, penalty: float) -> Regression:
    """Minimise the mean cross-entropy plus ``penalty / 2`` times the sum of squared weights.

    The bias is not penalised. The problem is convex; the search stops when no component of the
    gradient exceeds 1e-6, or after 300 steps.

    Args:
        vectors: (n, d) float32.
        codes: (n,) int64 class numbers, 0 to ``classes`` - 1.
        classes: number of classes.
        penalty: positive weight of the L2 penalty.
    """
    shape = (vectors.shape[1] + 1, classes)
    rows = np.arange(len(vectors))

    def loss(flat: Float64Array) -> tuple[float, Float64Array]:
        weights = flat.reshape(shape)
        logits = (vectors @ weights[:-1].astype(np.float32)).astype(np.float64) + weights[-1]
        logits -= logits.max(axis=1, keepdims=True)
        probabilities = np.exp(logits)
        total = probabilities.sum(axis=1, keepdims=True)
        entropy = float((np.log(total[:, 0]) - logits[rows, codes]).mean())
        residuals = np.divide(probabilities, total, out=probabilities)
        residuals[rows, codes] -= 1
        residuals /= len(vectors)
        gradient = np.empty(shape)
        gradient[:-1] = vectors.T @ residuals.astype(np.float32) + penalty * weights[:-1]
        gradient[-1] = residuals.sum(axis=0)
        return entropy + penalty / 2 * float(np.square(weights[:-1]).sum()), gradient.ravel()

    return Regression(_minimise(loss, np.zeros(shape[0] * classes)).reshape(shape))


def _minimise(
    loss: Callable[[Float64Array], tuple[float, Float64Array]], start: Float64Array
) -> Float64Array:
    """Minimise ``loss`` by L-BFGS with backtracking line search.

    Source: Nocedal, Wright, Numerical Optimization (2006), algorithms 7.4, 7.5 and 3.1.
    """
    point = start
    value, gradient = loss(point)
    memory: list[tuple[Float64Array, Float64Array]] = []
    for _ in range(_STEPS):
        if np.abs(gradient).max(initial=0) < _TOLERANCE:
            break
        direction = -_inverse_hessian_times(gradient, memory)
        descent = float(direction @ gradient)
        if descent >= 0:  # Rounding has made the memory useless.
            memory, direction, descent = [], -gradient, -float(gradient @ gradient)
        step = 1.0
        for _ in range(_HALVINGS):
            next_value, next_gradient = loss(point + step * direction)
            if next_value <= value + _ARMIJO * step * descent:
                break
            step /= 2
        else:
            break
        moved, change = step * direction, next_gradient - gradient
        if moved @ change > 0:
            memory = [*memory, (moved, change)][-_MEMORY:]
        point, value, gradient = point + moved, next_value, next_gradient
    return point


def _inverse_hessian_times(
    gradient: Float64Array, memory: list[tuple[Float64Array, Float64Array]]
) -> Float64Array:
    """Multiply ``gradient`` by an estimate of the inverse Hessian (two-loop recursion)."""
    product, factors = gradient.copy(), []
    for moved, change in reversed(memory):
        factor = float(moved @ product) / float(moved @ change)
        product -= factor * change
        factors.append(factor)
    if memory:
        moved, change = memory[-1]
        product *= float(moved @ change) / float(change @ change)
    for (moved, change), factor in zip(memory, reversed(factors), strict=True):
        product += moved * (factor - float(change @ product) / float(moved @ change))
    return product
