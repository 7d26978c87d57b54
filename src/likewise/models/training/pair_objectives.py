"""Pairs of queries and gallery items, brought together by NT-Xent terms."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import torch

from likewise.models.passport import Preprocessing
from likewise.models.training.augment import Levels, Views, edges
from likewise.models.training.descriptor import (
    Branches,
    Descriptor,
    both_of_gallery,
    first_of_gallery,
)
from likewise.models.training.losses import nt_xent
from likewise.models.training.objective import Held, Task, together
from likewise.models.training.token_recycling import Recycle

if TYPE_CHECKING:
    from torch import Tensor


class PairOptions(Protocol):
    """What a pair task is told."""

    tau: float
    augmented_views: bool
    pseudo_sketch_ratio: float
    original: bool


class PairTask(Task):
    """ARNet's loss: C(sketch, photo) + C(sketch', sketch) + C(photo', photo) + C(its pooled).

    The first is of the projected vectors, the others of the pooled ones, primes mark changed
    copies. Without copies there are only the first and the last, of changed pictures.
    """

    def __init__(
        self,
        model: Descriptor | Branches,
        views: Views,
        config: Preprocessing,
        labels: Sequence[int],
        options: PairOptions,
    ) -> None:
        """Take the model, how pictures are seen, every item's label, and the options."""
        super().__init__()
        self.model: Descriptor | Branches = model
        self._options = options
        self._see = views
        self._labels = Held.labels(labels)
        self._levels = Levels(config)

    def known(self, rows: "Tensor") -> "Tensor":
        """The pairs' labels."""
        return self._labels.of(rows[:, 0])

    def forward(self, pixels: "Tensor", known: "Tensor", draws: "Tensor") -> "Tensor":
        """The loss of pairs: units of a sketch and its photograph."""
        labels = None if self._options.original else together(known)
        sketches, photos = pixels[0::2], pixels[1::2]
        changed = self._changed(sketches, photos, draws[0])
        plain = changed
        if self._options.augmented_views:
            plain = self._see.plain(sketches), self._see.plain(photos)
        query, gallery = self._branches()
        sk_cls, sk = query.both(plain[0])
        apart = self._decorrelation(query)
        ph_cls, ph = both_of_gallery(gallery, self._levels, plain[1])
        apart = apart + self._decorrelation(gallery)
        loss = self._near(sk, ph, labels) + apart
        if sk is not sk_cls:
            loss = loss + self._near(sk_cls, ph_cls, labels)
        if self._options.augmented_views:
            ph_aug = first_of_gallery(gallery, self._levels, changed[1])
            loss = loss + self._near(query.first(changed[0]), sk_cls, labels)
            loss = loss + self._near(ph_aug, ph_cls, labels)
        return loss

    def _changed(
        self, sketches: "Tensor", photos: "Tensor", drawn: "Tensor"
    ) -> tuple["Tensor", "Tensor"]:
        """Both changed at random; some sketches are edges of the photograph instead."""
        numbers = drawn[0::2]
        if self._options.pseudo_sketch_ratio:
            grey = photos.float().mean(dim=3)[:, None] / 255
            outlines = (edges(grey) * 255).to(torch.uint8).permute(0, 2, 3, 1)
            chosen = numbers[:, -1, None, None, None] < self._options.pseudo_sketch_ratio
            sketches = torch.where(chosen, outlines, sketches)
        return self._see.changed(sketches, numbers), self._see.changed(photos, drawn[1::2])

    def _decorrelation(self, one: Descriptor) -> "Tensor | float":
        """The loss of MSTR, where tokens are recycled."""
        return one.head.loss() if isinstance(one.head, Recycle) else 0.0

    def _near(self, one: "Tensor", other: "Tensor", labels: "Tensor | None") -> "Tensor":
        return nt_xent(together(one), together(other), self._options.tau, labels)

    def _branches(self) -> tuple[Descriptor, Descriptor]:
        """What embeds queries, and what embeds the gallery."""
        if isinstance(self.model, Branches):
            return self.model.query, self.model.gallery
        return self.model, self.model
