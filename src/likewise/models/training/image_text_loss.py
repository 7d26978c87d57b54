"""Contrastive training of a text tower against an image tower.

Sources: Radford et al., CLIP, ICML 2021 (arXiv:2103.00020); Zhai et al., LiT, CVPR 2022
(arXiv:2111.07991); Zhai et al., SigLIP, ICCV 2023 (arXiv:2303.15343).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from likewise.formats.array_types import Float32Array
from likewise.models.training.augment import Augmenter
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.objective import ItemTensor, Objective
from likewise.models.training.text_tower import PieceTower

Loss = Literal["infonce", "sigmoid"]

TAU = 0.07
"""The first temperature of ``infonce``; it is learned."""

MIN_TAU = 0.01
"""The smallest temperature, as in CLIP."""


class ImageTextLoss(nn.Module):
    """A text tower, and the loss of its vectors and those of images.

    Items with the same text are positives of each other, because the text describes both. Each
    distinct text of a batch is embedded once.
    """

    def __init__(self, tower: PieceTower, texts: Sequence[Sequence[int]], loss: Loss) -> None:
        """Combine a tower with the texts.

        Args:
            tower: the text tower.
            texts: the numbers of the pieces of each distinct text.
            loss: infonce (CLIP) or sigmoid (SigLIP).
        """
        super().__init__()
        self.tower, self._texts, self._loss = tower, texts, loss
        # SigLIP begins with t = 10 and b = -10.
        scale, bias = (1 / TAU, 0.0) if loss == "infonce" else (10.0, -10.0)
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.tensor(bias), requires_grad=loss == "sigmoid")

    def forward(self, images: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            images: (n, dim), not normalised.
            texts: (n,), the number of each image's text.
        """
        distinct, place = torch.unique(texts, return_inverse=True)
        embedded = self.tower([self._texts[number] for number in distinct.tolist()])
        scale = self.log_scale.exp().clamp(max=1 / MIN_TAU)
        scores = scale * _unit(images) @ _unit(embedded).T + self.bias
        own = functional.one_hot(place, len(distinct)).bool()
        if self._loss == "sigmoid":
            signs = torch.where(own, 1.0, -1.0)
            return -functional.logsigmoid(signs * scores).sum(dim=1).mean()
        by_image = functional.cross_entropy(scores, place)
        log_shares = scores.T.log_softmax(dim=1)
        by_text = -(log_shares * own.T).sum(dim=1) / own.T.sum(dim=1)
        return (by_image + by_text.mean()) / 2


class ImageTextObjective(Objective):
    """The loss of texts and augmented images: both towers learn."""

    def __init__(
        self, model: Descriptor, augmenter: Augmenter, texts: Sequence[int], loss: ImageTextLoss
    ) -> None:
        """Combine both towers.

        Args:
            model: the image tower.
            augmenter: augments the images.
            texts: the number of each item's text.
            loss: the text tower with its loss.
        """
        super().__init__()
        self.model: Descriptor = model
        self._augmenter, self.loss = augmenter, loss
        self._labels = ItemTensor.labels(texts)

    def targets(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the numbers of the items' texts."""
        return self._labels.select(rows[:, 0])

    def forward(
        self, pixels: torch.Tensor, targets: torch.Tensor, random: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss of a batch; each process compares the items of its own part."""
        vectors = self.model(self._augmenter.augmented(pixels, random[0]))
        loss: torch.Tensor = self.loss(vectors.float(), targets)
        return loss


@dataclass(frozen=True)
class TextRecall:
    """Share of texts that find an item of theirs among all items.

    Attributes:
        recall: share of the texts with an item of theirs among the first ``k``.
        chance: the expected share of a random order.
        texts: number of texts.
        items: number of items.
    """

    recall: float
    chance: float
    texts: int
    items: int


def text_recall(
    vectors: Float32Array, owners: Sequence[int], texts: Float32Array, k: int = 5
) -> TextRecall:
    """Search items by texts.

    Args:
        vectors: (items, dim), L2-normalised.
        owners: for each item, the number of its text; -1 for another text.
        texts: (texts, dim), L2-normalised.
        k: number of hits.
    """
    own = np.asarray(owners)
    order = np.argsort(-(texts @ vectors.T), axis=1, kind="stable")[:, :k]
    hits = (own[order] == np.arange(len(texts))[:, None]).any(axis=1)
    counts = [int((own == number).sum()) for number in range(len(texts))]
    chances = [chance_of_hit(len(own), count, k) for count in counts]
    return TextRecall(float(hits.mean()), float(np.mean(chances)), len(texts), len(own))


def chance_of_hit(items: int, relevant: int, k: int) -> float:
    """Return the probability that ``k`` random items include a relevant one.

    Source: hypergeometric distribution, 1 - C(items - relevant, k) / C(items, k).
    """
    return 1 - math.comb(items - relevant, k) / math.comb(items, k)


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return functional.normalize(vectors, dim=1)
