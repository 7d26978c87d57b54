"""Attention distances and variances of tokens of a vision transformer, averaged over images."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from likewise.formats.array_types import Float64Array

if TYPE_CHECKING:
    from likewise.models.training.attention_maps import Attention


@dataclass(frozen=True)
class AttentionStatistics:
    """Values of the layers of a vision transformer, averaged over images.

    Attributes:
        layers: the names of the layers, from input to output.
        width: width of the model's input in pixels.
        distances: (layers, heads) mean attention distances in pixels of the model's input.
        deviations: (layers, heads) their standard deviations over the images.
        variances: (layers,) mean variances of the patch tokens.
        shares: (layers,) mean of variance / mean square of the patch tokens: 0 if all patches
            of an image have the same token, 1 if their mean is zero.
        images: number of images.
        uniform: distance in pixels of attention that is equal for all patches.
    """

    layers: list[str]
    width: int
    distances: Float64Array
    deviations: Float64Array
    variances: Float64Array
    shares: Float64Array
    images: int
    uniform: float


def attention_statistics(maps: "Iterable[Attention]") -> AttentionStatistics:
    """Average the values of images; one image at a time is in memory.

    Args:
        maps: the attention of at least one image, all by one model.
    """
    distances, variances, shares = [], [], []
    last = None
    for last in maps:
        distances.append(last.distances())
        variances.append(last.variances)
        shares.append(last.variances / np.maximum(last.squares, np.finfo(np.float32).tiny))
    if last is None:
        raise ValueError("no image")
    by_image = np.asarray(distances, np.float64)
    return AttentionStatistics(
        last.layers,
        last.grid[1] * last.patch[1],
        by_image.mean(axis=0),
        by_image.std(axis=0),
        np.mean(variances, axis=0, dtype=np.float64),
        np.mean(shares, axis=0, dtype=np.float64),
        len(by_image),
        last.uniform_distance(),
    )
