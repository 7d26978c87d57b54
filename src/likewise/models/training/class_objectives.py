"""Tasks with a label an item: cross-entropy over classes, and metric learning."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn import functional

from likewise.models.training.augment import Views
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.mixed_precision import exact
from likewise.models.training.objective import Held, Task, together

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
        self._labels = Held.labels(labels)
        width = model.architecture.project or model.width
        self.classifier = nn.Linear(width, max(labels) + 1)

    def known(self, rows: "Tensor") -> "Tensor":
        """The items' classes."""
        return self._labels.of(rows[:, 0])

    def forward(self, pixels: "Tensor", known: "Tensor", draws: "Tensor") -> "Tensor":
        """The loss of a batch; with mixup, of a mixture with the batch in reverse order.

        The batch is that of one process, and each of them mixes by a share of its own.
        """
        seen = self._see.changed(pixels, draws[0])
        if not self._mixup:
            return self._loss(self._scores(seen), known)
        share = 1 - self._mixup / 2 * draws[0, 0, -1]
        scores = self._scores(share * seen + (1 - share) * seen.flip(0))
        own, other = self._loss(scores, known), self._loss(scores, known.flip(0))
        return share * own + (1 - share) * other

    def _scores(self, seen: "Tensor") -> Any:
        vectors = self.model(seen)
        with exact(vectors.device):
            return self.classifier(vectors.float())

    def _loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        return functional.cross_entropy(scores, labels, label_smoothing=self._smoothing)


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
        self._labels = Held.labels(labels)

    def known(self, rows: "Tensor") -> "Tensor":
        """The items' classes."""
        return self._labels.of(rows[:, 0])

    def forward(self, pixels: "Tensor", known: "Tensor", draws: "Tensor") -> Any:
        """The loss of a batch."""
        vectors = self.model(self._see.changed(pixels, draws[0]))
        with exact(vectors.device):
            units = functional.normalize(together(vectors).float(), dim=1)
            return self.loss(units, together(known))
