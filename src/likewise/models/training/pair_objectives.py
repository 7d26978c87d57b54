"""The objective of pairs: queries and gallery items, contrasted by NT-Xent terms."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import torch

from likewise.models.passport import Preprocessing
from likewise.models.training.augment import Augmenter, Normalisation, pseudo_sketches
from likewise.models.training.descriptor import (
    Descriptor,
    DualEncoder,
    gallery_pooled,
    gallery_pooled_and_embedding,
)
from likewise.models.training.losses import nt_xent
from likewise.models.training.objective import ItemTensor, Objective, gather_all
from likewise.models.training.token_recycling import TokenRecycling

if TYPE_CHECKING:
    from torch import Tensor


class PairOptions(Protocol):
    """The options of a pair objective; see the recipe arnet."""

    tau: float
    augmented_views: bool
    pseudo_sketch_ratio: float
    original: bool


class PairObjective(Objective):
    """ARNet's loss: C(sketch, photo) + C(sketch', sketch) + C(photo', photo) + C(pooled).

    The first term is on the projected vectors, the others are on the pooled ones; primes are
    augmented views, and the last term contrasts sketch and photograph. Without
    ``augmented_views`` only the first and the last term remain, on augmented images.
    """

    def __init__(
        self,
        model: Descriptor | DualEncoder,
        augmenter: Augmenter,
        preprocessing: Preprocessing,
        labels: Sequence[int],
        options: PairOptions,
    ) -> None:
        """Combine an encoder, or two, with the loss.

        Args:
            model: embeds sketches and photographs.
            augmenter: augments the images.
            preprocessing: the normalisation of the model's input.
            labels: the label of each item.
            options: the options of the loss.
        """
        super().__init__()
        self.model: Descriptor | DualEncoder = model
        self._options = options
        self._augmenter = augmenter
        self._labels = ItemTensor.labels(labels)
        self._normalisation = Normalisation(preprocessing)

    def targets(self, rows: "Tensor") -> "Tensor":
        """Return the labels of the pairs."""
        return self._labels.select(rows[:, 0])

    def forward(self, pixels: "Tensor", targets: "Tensor", random: "Tensor") -> "Tensor":
        """Return the loss of a batch; each unit is a sketch and its photograph."""
        labels = None if self._options.original else gather_all(targets)
        sketches, photos = pixels[0::2], pixels[1::2]
        augmented = self._augmented(sketches, photos, random[0])
        images = augmented
        if self._options.augmented_views:
            images = self._augmenter.prepared(sketches), self._augmenter.prepared(photos)
        query, gallery = self._encoders()
        sk_cls, sk = query.pooled_and_embedding(images[0])
        decorrelation = self._decorrelation(query)
        ph_cls, ph = gallery_pooled_and_embedding(gallery, self._normalisation, images[1])
        decorrelation = decorrelation + self._decorrelation(gallery)
        loss = self._contrast(sk, ph, labels) + decorrelation
        if sk is not sk_cls:
            loss = loss + self._contrast(sk_cls, ph_cls, labels)
        if self._options.augmented_views:
            ph_aug = gallery_pooled(gallery, self._normalisation, augmented[1])
            loss = loss + self._contrast(query.pooled(augmented[0]), sk_cls, labels)
            loss = loss + self._contrast(ph_aug, ph_cls, labels)
        return loss

    def _augmented(
        self, sketches: "Tensor", photos: "Tensor", random: "Tensor"
    ) -> tuple["Tensor", "Tensor"]:
        """Augment both; some sketches are first replaced by edges of the photograph."""
        sketch_random = random[0::2]
        if self._options.pseudo_sketch_ratio:
            grey = photos.float().mean(dim=3)[:, None] / 255
            outlines = (pseudo_sketches(grey) * 255).to(torch.uint8).permute(0, 2, 3, 1)
            replaced = (
                sketch_random[:, -1, None, None, None] < self._options.pseudo_sketch_ratio
            )
            sketches = torch.where(replaced, outlines, sketches)
        return (
            self._augmenter.augmented(sketches, sketch_random),
            self._augmenter.augmented(photos, random[1::2]),
        )

    def _decorrelation(self, encoder: Descriptor) -> "Tensor | float":
        """Return the loss of token recycling; 0 without it."""
        return encoder.head.loss() if isinstance(encoder.head, TokenRecycling) else 0.0

    def _contrast(self, one: "Tensor", other: "Tensor", labels: "Tensor | None") -> "Tensor":
        return nt_xent(gather_all(one), gather_all(other), self._options.tau, labels)

    def _encoders(self) -> tuple[Descriptor, Descriptor]:
        """Return the encoders of queries and of the gallery."""
        if isinstance(self.model, DualEncoder):
            return self.model.query, self.model.gallery
        return self.model, self.model
