"""Losses: the ones that are the methods' own, and those of pytorch-metric-learning by name."""

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from likewise.errors import MissingExtraError
from likewise.models.training.mixed_precision import exact

DEFAULT_MARGINS = {
    "arcface": 0.5,
    "proxy-anchor": 0.1,
    "multi-similarity": 0.5,
    "triplet": 0.05,
}
"""Of the losses that have a margin; arcface's is an angle in radians, as in its paper."""

DEFAULT_SCALES = {
    "arcface": 64.0,
    "proxy-anchor": 32.0,
    "multi-similarity": 50.0,
    "supcon": 10.0,
}
"""Of the losses that have a scale: s, alpha, beta, one over the temperature."""


def nt_xent(
    one: torch.Tensor, other: torch.Tensor, tau: float, labels: torch.Tensor | None = None
) -> torch.Tensor:
    """NT-Xent of pairs: row i of ``one`` and row i of ``other`` belong together.

    Of the 2B normalised vectors each is to find its partner among the other 2B - 1 by a softmax
    over cosines divided by ``tau``; the mean over all. Rows that have the same label as a row
    and are not its partner are left out of its softmax, where ``labels`` (B,) are given.

    Source: Chen et al., A Simple Framework for Contrastive Learning of Visual Representations,
    ICML 2020 (arXiv:2002.05709), equation 1.
    """
    count = len(one)
    with exact(one.device):
        units = functional.normalize(torch.cat([one, other]).float(), dim=1)
        scores = units @ units.T / tau
    left_out = torch.eye(2 * count, dtype=torch.bool, device=one.device)
    partner = torch.arange(2 * count, device=one.device).roll(count)
    if labels is not None:
        twice = torch.cat([labels, labels])
        left_out = twice[:, None] == twice[None]
        left_out[torch.arange(2 * count, device=one.device), partner] = False
    return functional.cross_entropy(scores.masked_fill(left_out, float("-inf")), partner)


class CompCarsLoss(nn.Module):
    """The CompCars system's: cross-entropy over anchor x {positive, negatives}, no temperature.

    The scores are cosines as they are. A batch has several items of each class, in runs of
    ``each``: every two neighbours of a run are anchor and positive, and ``negatives`` items of
    other classes are drawn evenly from the batch, in place of the original's list of all pairs.
    """

    def __init__(self, negatives: int = 4) -> None:
        super().__init__()
        self._negatives = negatives

    def forward(self, vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of vectors (n, dim), L2-normalised."""
        scores = vectors @ vectors.T
        same = labels[:, None] == labels[None]
        rows = torch.arange(len(labels), device=labels.device)
        positive = same & (rows[:, None] != rows[None])
        # The next of its class: after itself, or the first.
        after = positive & (rows[None] > rows[:, None])
        nearest = torch.where(after.any(dim=1), after.int().argmax(1), positive.int().argmax(1))
        others = _spread(~same, self._negatives)
        picked = scores.gather(1, torch.cat([nearest[:, None], others], dim=1))
        # Who has no positive or no negative counts for nothing. To choose the others by their
        # number would wait for the GPU.
        counts = (positive.any(dim=1) & (~same).any(dim=1)).float()
        each = functional.cross_entropy(picked, torch.zeros_like(rows), reduction="none")
        return (each * counts).sum() / counts.sum().clamp(min=1)


def _spread(allowed: torch.Tensor, count: int) -> torch.Tensor:
    """(n, count): columns that are allowed in each row, spread evenly over them."""
    order = allowed.int().argsort(dim=1, descending=True, stable=True)
    number = allowed.sum(dim=1, keepdim=True)
    places = torch.arange(count, device=allowed.device)[None] * number // count
    return order.gather(1, torch.minimum(places, (number - 1).clamp(min=0)))


class Mined(nn.Module):
    """A loss of pytorch-metric-learning, with the miner that chooses its pairs."""

    def __init__(self, loss: nn.Module, miner: nn.Module | None) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner

    def forward(self, vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of vectors (n, dim)."""
        chosen = None if self.miner is None else self.miner(vectors, labels)
        return cast("torch.Tensor", self.loss(vectors, labels, chosen))


@dataclass(frozen=True)
class Chosen:
    """Which loss is asked for; see the recipe metric."""

    loss: str
    margin: float | None
    scale: float | None
    negatives: int
    miner: str


def by_name(options: Chosen, classes: int, dim: int) -> nn.Module:
    """The loss ``options.loss`` of vectors of ``dim``, which may learn ``classes`` proxies.

    Raises:
        MissingExtraError: pytorch-metric-learning is not installed.
    """
    if options.loss == "compcars":
        return CompCarsLoss(options.negatives)
    try:
        from pytorch_metric_learning import losses, miners
    except ImportError as error:
        raise MissingExtraError(
            'the loss needs pytorch-metric-learning; run: pip install "likewise[train]"'
        ) from error
    margin = (
        DEFAULT_MARGINS.get(options.loss, 0.0) if options.margin is None else options.margin
    )
    scale = DEFAULT_SCALES.get(options.loss, 1.0) if options.scale is None else options.scale
    made: Any
    if options.loss == "arcface":  # the library's margin is in degrees, the paper's in radians
        made = losses.ArcFaceLoss(classes, dim, margin=math.degrees(margin), scale=scale)
    elif options.loss == "proxy-anchor":
        made = losses.ProxyAnchorLoss(classes, dim, margin=margin, alpha=scale)
    elif options.loss == "multi-similarity":
        made = losses.MultiSimilarityLoss(alpha=2, beta=scale, base=margin)
    elif options.loss == "supcon":
        made = losses.SupConLoss(temperature=1 / scale)
    else:
        made = losses.TripletMarginLoss(margin=margin)
    mining: dict[str, Any] = {
        "none": None,
        "semihard": miners.TripletMarginMiner(
            margin=0.2 if options.margin is None else margin, type_of_triplets="semihard"
        ),
        "hard": miners.BatchHardMiner(),
        "multi-similarity": miners.MultiSimilarityMiner(),
    }
    return Mined(made, mining[options.miner])
