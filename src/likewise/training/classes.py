"""Tasks with a label an item: cross-entropy over classes, and metric learning."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from likewise.training.augment import Views
from likewise.training.descriptor import Descriptor
from likewise.training.task import Task, together

if TYPE_CHECKING:
    from torch import Tensor


class ClassifyTask(Task):
    """Cross-entropy over the classes, by a linear layer on the vector that is kept."""

    def __init__(
        self,
        model: Descriptor,
        views: Views,
        labels: Sequence[int],
        smoothing: float,
        mixup: float,
    ) -> None:
        """Take the model, how pictures are seen, every item's class, and the options."""
        super().__init__()
        self.model: Descriptor = model
        self._see, self._smoothing, self._mixup = views, smoothing, mixup
        self.register_buffer("labels", torch.tensor(list(labels)), persistent=False)
        width = model.architecture.project or model.width
        self.classifier = nn.Linear(width, max(labels) + 1)

    def forward(self, pixels: "Tensor", rows: "Tensor", draws: "Tensor") -> "Tensor":
        """The loss of a batch; with mixup, of a mixture with the batch in reverse order."""
        seen = self._see.changed(pixels, draws[0])
        labels = self.get_buffer("labels")[rows[:, 0]]
        if not self._mixup:
            return self._loss(self.classifier(self.model(seen)), labels)
        share = 1 - self._mixup / 2 * draws[0, 0, -1]
        mixed = share * seen + (1 - share) * seen.flip(0)
        scores = self.classifier(self.model(mixed))
        return share * self._loss(scores, labels) + (1 - share) * self._loss(
            scores, labels.flip(0)
        )

    def _loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        return functional.cross_entropy(scores.float(), labels, label_smoothing=self._smoothing)


class MetricTask(Task):
    """A loss on L2-normalised vectors and their labels, over the batch of all processes."""

    def __init__(
        self, model: Descriptor, views: Views, labels: Sequence[int], loss: nn.Module
    ) -> None:
        """Take the model, how pictures are seen, every item's class, and the loss."""
        super().__init__()
        self.model: Descriptor = model
        self._see = views
        self.loss = loss
        self.register_buffer("labels", torch.tensor(list(labels)), persistent=False)

    def forward(self, pixels: "Tensor", rows: "Tensor", draws: "Tensor") -> Any:
        """The loss of a batch."""
        vectors = self.model(self._see.changed(pixels, draws[0]))
        units = functional.normalize(together(vectors).float(), dim=1)
        return self.loss(units, together(self.get_buffer("labels")[rows[:, 0]]))
