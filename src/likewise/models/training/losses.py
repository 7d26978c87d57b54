"""Losses: NT-Xent, the loss of the CompCars system, and those of pytorch-metric-learning."""

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from likewise.errors import MissingExtraError
from likewise.models.training.metric_options import MetricOptions
from likewise.models.training.mixed_precision import full_precision

DEFAULT_MARGINS = {
    "arcface": 0.5,
    "proxy-anchor": 0.1,
    "multi-similarity": 0.5,
    "triplet": 0.05,
}
"""Margins by loss; arcface's is an angle in radians, as in its paper."""

DEFAULT_SCALES = {
    "arcface": 64.0,
    "proxy-anchor": 32.0,
    "multi-similarity": 50.0,
    "supcon": 10.0,
}
"""Scales by loss: s, alpha, beta, and the inverse temperature."""


def nt_xent(
    one: torch.Tensor, other: torch.Tensor, tau: float, labels: torch.Tensor | None = None
) -> torch.Tensor:
    """Return NT-Xent: the mean cross-entropy of each vector's partner among all others.

    The logits are cosines divided by ``tau``.

    Args:
        one: (B, dim).
        other: (B, dim); row i is the partner of row i of ``one``.
        tau: temperature.
        labels: (B,); other rows with the same label are excluded from the softmax of a row.

    Source: Chen et al., A Simple Framework for Contrastive Learning of Visual Representations,
    ICML 2020 (arXiv:2002.05709), equation 1.
    """
    count = len(one)
    with full_precision(one.device):
        units = functional.normalize(torch.cat([one, other]).float(), dim=1)
        scores = units @ units.T / tau
    excluded = torch.eye(2 * count, dtype=torch.bool, device=one.device)
    partner = torch.arange(2 * count, device=one.device).roll(count)
    if labels is not None:
        twice = torch.cat([labels, labels])
        excluded = twice[:, None] == twice[None]
        excluded[torch.arange(2 * count, device=one.device), partner] = False
    return functional.cross_entropy(scores.masked_fill(excluded, float("-inf")), partner)


class CompCarsLoss(nn.Module):
    """The loss of the CompCars system: cross-entropy over anchor x {positive, negatives}.

    The logits are cosines, without temperature. A batch has consecutive items of each class:
    an anchor's positive is the next item of its class, and its ``negatives`` are spread evenly
    over the other classes of the batch. The original program uses a list of all pairs.
    """

    def __init__(self, negatives: int = 4) -> None:
        super().__init__()
        self._negatives = negatives

    def forward(self, vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of L2-normalised vectors (n, dim) with labels (n,)."""
        scores = vectors @ vectors.T
        same = labels[:, None] == labels[None]
        rows = torch.arange(len(labels), device=labels.device)
        positive = same & (rows[:, None] != rows[None])
        # The next item of the class, or its first one.
        after = positive & (rows[None] > rows[:, None])
        nearest = torch.where(after.any(dim=1), after.int().argmax(1), positive.int().argmax(1))
        others = _spread(~same, self._negatives)
        picked = scores.gather(1, torch.cat([nearest[:, None], others], dim=1))
        # Items without a positive or a negative get weight 0; selecting the others by index
        # would wait for the GPU.
        counts = (positive.any(dim=1) & (~same).any(dim=1)).float()
        losses = functional.cross_entropy(picked, torch.zeros_like(rows), reduction="none")
        return (losses * counts).sum() / counts.sum().clamp(min=1)


def _spread(allowed: torch.Tensor, count: int) -> torch.Tensor:
    """Choose columns (n, count) of each row, spread evenly over its allowed columns."""
    order = allowed.int().argsort(dim=1, descending=True, stable=True)
    number = allowed.sum(dim=1, keepdim=True)
    places = torch.arange(count, device=allowed.device)[None] * number // count
    return order.gather(1, torch.minimum(places, (number - 1).clamp(min=0)))


class MinedLoss(nn.Module):
    """A loss of pytorch-metric-learning with an optional miner of pairs."""

    def __init__(self, loss: nn.Module, miner: nn.Module | None) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner

    def forward(self, vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of vectors (n, dim) with labels (n,)."""
        mined = None if self.miner is None else self.miner(vectors, labels)
        return cast("torch.Tensor", self.loss(vectors, labels, mined))


@dataclass(frozen=True)
class LossOptions:
    """The options of a loss; see the recipe metric."""

    loss: str
    margin: float | None
    scale: float | None
    negatives: int
    miner: str


def build_loss(options: LossOptions | MetricOptions, classes: int, dim: int) -> nn.Module:
    """Create a loss.

    Args:
        options: name and options.
        classes: number of classes, for losses that learn one proxy per class.
        dim: length of the vectors.

    Raises:
        MissingExtraError: pytorch-metric-learning is not installed.
    """
    if options.loss == "compcars":
        return CompCarsLoss(options.negatives)
    try:
        from pytorch_metric_learning import losses, miners
    except ModuleNotFoundError as error:
        if error.name != "pytorch_metric_learning":  # something that it needs
            raise
        raise MissingExtraError(
            'the loss needs pytorch-metric-learning; run: pip install "likewise[train]"'
        ) from error
    margin = (
        DEFAULT_MARGINS.get(options.loss, 0.0) if options.margin is None else options.margin
    )
    scale = DEFAULT_SCALES.get(options.loss, 1.0) if options.scale is None else options.scale
    loss: Any
    if options.loss == "arcface":  # the library's margin is in degrees
        loss = losses.ArcFaceLoss(classes, dim, margin=math.degrees(margin), scale=scale)
    elif options.loss == "proxy-anchor":
        loss = losses.ProxyAnchorLoss(classes, dim, margin=margin, alpha=scale)
    elif options.loss == "multi-similarity":
        loss = losses.MultiSimilarityLoss(alpha=2, beta=scale, base=margin)
    elif options.loss == "supcon":
        loss = losses.SupConLoss(temperature=1 / scale)
    else:
        loss = losses.TripletMarginLoss(margin=margin)
    by_name: dict[str, Any] = {
        "none": None,
        "semihard": miners.TripletMarginMiner(
            margin=0.2 if options.margin is None else margin, type_of_triplets="semihard"
        ),
        "hard": miners.BatchHardMiner(),
        "multi-similarity": miners.MultiSimilarityMiner(),
    }
    return MinedLoss(loss, by_name[options.miner])
