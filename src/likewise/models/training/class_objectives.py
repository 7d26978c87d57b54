"""Objectives with one label per item: classification and metric learning."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn import functional

from likewise.models.training.augment import Augmenter
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.mixed_precision import full_precision
from likewise.models.training.objective import ItemTensor, Objective, gather_all

if TYPE_CHECKING:
    from torch import Tensor


class ClassificationObjective(Objective):
    """Cross-entropy over classes, by a linear layer on the vector that is kept."""

    def __init__(
        self,
        model: Descriptor,
        augmenter: Augmenter,
        labels: Sequence[int],
        smoothing: float,
        mixup: float,
    ) -> None:
        """Create the classifier.

        Args:
            model: the model that computes the vectors.
            augmenter: augments the images.
            labels: the class of each item.
            smoothing: label smoothing.
            mixup: twice the maximum share of the second image; 0 for no mixup.
        """
        super().__init__()
        self.model: Descriptor = model
        self._augmenter, self._smoothing, self._mixup = augmenter, smoothing, mixup
        self._labels = ItemTensor.labels(labels)
        width = model.architecture.projection_dim or model.width
        self.classifier = nn.Linear(width, max(labels) + 1)

    def targets(self, rows: "Tensor") -> "Tensor":
        """Return the classes of the items."""
        return self._labels.select(rows[:, 0])

    def forward(self, pixels: "Tensor", targets: "Tensor", random: "Tensor") -> "Tensor":
        """Return the loss of a batch; mixup mixes it with the batch in reverse order.

        Each process mixes its own batch, by its own share.
        """
        images = self._augmenter.augmented(pixels, random[0])
        if not self._mixup:
            return self._loss(self._scores(images), targets)
        share = 1 - self._mixup / 2 * random[0, 0, -1]
        scores = self._scores(share * images + (1 - share) * images.flip(0))
        first, second = self._loss(scores, targets), self._loss(scores, targets.flip(0))
        return share * first + (1 - share) * second

    def _scores(self, images: "Tensor") -> Any:
        vectors = self.model(images)
        with full_precision(vectors.device):
            return self.classifier(vectors.float())

    def _loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        return functional.cross_entropy(scores, labels, label_smoothing=self._smoothing)


class MetricObjective(Objective):
    """A loss on L2-normalised vectors and labels, over the batch of all processes."""

    def __init__(
        self, model: Descriptor, augmenter: Augmenter, labels: Sequence[int], loss: nn.Module
    ) -> None:
        """Combine a model with a loss of (vectors, labels).

        Args:
            model: the model that computes the vectors.
            augmenter: augments the images.
            labels: the class of each item.
            loss: takes vectors (n, dim) and labels (n,).
        """
        super().__init__()
        self.model: Descriptor = model
        self._augmenter = augmenter
        self.loss = loss
        self._labels = ItemTensor.labels(labels)

    def targets(self, rows: "Tensor") -> "Tensor":
        """Return the classes of the items."""
        return self._labels.select(rows[:, 0])

    def forward(self, pixels: "Tensor", targets: "Tensor", random: "Tensor") -> Any:
        """Return the loss of a batch."""
        vectors = self.model(self._augmenter.augmented(pixels, random[0]))
        with full_precision(vectors.device):
            units = functional.normalize(gather_all(vectors).float(), dim=1)
            return self.loss(units, gather_all(targets))
