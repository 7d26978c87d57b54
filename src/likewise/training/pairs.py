"""Pairs of queries and gallery items, brought together by NT-Xent terms."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import torch

from likewise.passport import Preprocessing
from likewise.training.augment import Views, edges
from likewise.training.descriptor import Branches, Descriptor, Seen
from likewise.training.losses import nt_xent
from likewise.training.recycle import Recycle
from likewise.training.task import Task, together

if TYPE_CHECKING:
    from torch import Tensor


class PairOptions(Protocol):
    """What a pair task is told."""

    tau: float
    copies: bool
    pseudo: float
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
        self.register_buffer("labels", torch.tensor(list(labels)), persistent=False)
        self._config = config

    def forward(self, pixels: "Tensor", rows: "Tensor", draws: "Tensor") -> "Tensor":
        """The loss of pairs: units of a sketch and its photograph."""
        labels = None if self._options.original else together(self._labels(rows[:, 0]))
        sketches, photos = pixels[0::2], pixels[1::2]
        changed = self._changed(sketches, photos, draws[0])
        plain = changed
        if self._options.copies:
            plain = self._see.plain(sketches), self._see.plain(photos)
        query, gallery = self._query(), self._gallery()
        sk_cls, sk = query.both(plain[0])
        apart = self._decorrelation(query)
        ph_cls, ph = gallery.both(plain[1])
        apart = apart + self._decorrelation(gallery.descriptor)
        loss = self._near(sk, ph, labels) + apart
        if sk is not sk_cls:
            loss = loss + self._near(sk_cls, ph_cls, labels)
        if self._options.copies:
            sk_aug, ph_aug = query.both(changed[0])[0], gallery.both(changed[1])[0]
            loss = loss + self._near(sk_aug, sk_cls, labels)
            loss = loss + self._near(ph_aug, ph_cls, labels)
        return loss

    def _changed(
        self, sketches: "Tensor", photos: "Tensor", drawn: "Tensor"
    ) -> tuple["Tensor", "Tensor"]:
        """Both changed at random; some sketches are edges of the photograph instead."""
        numbers = drawn[0::2]
        if self._options.pseudo:
            grey = photos.float().mean(dim=3)[:, None] / 255
            outlines = (edges(grey) * 255).to(torch.uint8).permute(0, 2, 3, 1)
            chosen = numbers[:, -1, None, None, None] < self._options.pseudo
            sketches = torch.where(chosen, outlines, sketches)
        return self._see.changed(sketches, numbers), self._see.changed(photos, drawn[1::2])

    def _decorrelation(self, one: Descriptor) -> "Tensor | float":
        """The loss of MSTR, where tokens are recycled."""
        return one.head.loss() if isinstance(one.head, Recycle) else 0.0

    def _labels(self, rows: "Tensor") -> "Tensor":
        return self.get_buffer("labels")[rows]

    def _near(self, one: "Tensor", other: "Tensor", labels: "Tensor | None") -> "Tensor":
        return nt_xent(together(one), together(other), self._options.tau, labels)

    def _query(self) -> Descriptor:
        return self.model.query if isinstance(self.model, Branches) else self.model

    def _gallery(self) -> Seen:
        one = self.model.gallery if isinstance(self.model, Branches) else self.model
        return Seen(one, self._config).to(self.get_buffer("labels").device)
