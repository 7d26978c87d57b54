"""Train a text tower on vectors of images that were computed once (locked-image tuning)."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from likewise.errors import DataError
from likewise.formats.array_types import Float32Array
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.image_text_loss import ImageTextLoss, TextRecall, text_recall
from likewise.models.training.samplers import ShuffledSampler
from likewise.models.training.schedule import learning_rate_factor
from likewise.models.training.text_options import TextOptions
from likewise.models.training.text_tower import PieceTower
from likewise.models.training.training_log import TrainingLog

VALIDATIONS = 20
"""Number of times that held-out texts are searched in a training."""


class HeldOutTexts:
    """Searches all items by texts that no tower has seen."""

    def __init__(
        self, fixed: Float32Array, texts: Sequence[Sequence[int]], owners: Sequence[int]
    ) -> None:
        """Take the items and the texts.

        Args:
            fixed: (items, width), the vectors of the backbone, L2-normalised.
            texts: the numbers of the pieces of each text.
            owners: for each item, the number of its text; -1 for another text.
        """
        self._fixed, self._texts = torch.from_numpy(fixed), texts
        self._owners = owners

    def recall(self, model: Descriptor, tower: PieceTower) -> TextRecall:
        """Return the recall of the present towers."""
        tower.eval()
        with torch.inference_mode():
            vectors = _unit(projected(model, self._fixed))
            texts = _unit(tower(self._texts))
        tower.train()
        return text_recall(vectors, self._owners, texts)


def projected(model: Descriptor, fixed: torch.Tensor) -> torch.Tensor:
    """Return the vectors of a model, given those of its backbone, L2-normalised."""
    if model.project is None:
        return fixed
    vectors: torch.Tensor = model.project(fixed)
    return vectors


class LockedTraining:
    """One training of a text tower, and of the linear layer of the image tower."""

    def __init__(
        self,
        options: TextOptions,
        model: Descriptor,
        loss: ImageTextLoss,
        held_out: HeldOutTexts | None,
        log: TrainingLog,
    ) -> None:
        """Prepare; nothing is trained yet."""
        self._options, self._model, self._loss = options, model, loss
        self._held_out, self._log = held_out, log
        layer = [] if model.project is None else list(model.project.parameters())
        self._optimiser = torch.optim.AdamW(
            [*loss.parameters(), *layer], lr=options.lr, weight_decay=options.weight_decay
        )
        self._step, self._best, self._best_epoch = 0, -1.0, 0
        self._kept: list[Any] = []
        self._history: list[dict[str, float]] = []

    def run(self, fixed: Float32Array, texts: Sequence[int], seed: int) -> dict[str, Any]:
        """Train; afterwards the towers have the best weights, or else the last ones.

        Args:
            fixed: (items, width), the vectors of the backbone, L2-normalised.
            texts: the number of each item's text.
            seed: the seed of the order.

        Returns:
            The epoch that was kept, and the scores of all validations.

        Raises:
            DataError: the loss is NaN.
        """
        vectors, codes = torch.from_numpy(fixed), torch.tensor(texts)
        if self._options.text_init == "regression":
            self._validate(0)
        sampler = ShuffledSampler(len(vectors), self._options.batch, seed)
        epochs = self._options.epochs
        every = max(1, epochs // VALIDATIONS)
        self._loss.train()
        for epoch in range(1, epochs + 1):
            mean = self._epoch(vectors, codes, sampler, epoch)
            if epoch % every == 0 or epoch == epochs:
                self._log.step(self._step, mean, self._optimiser.param_groups[0]["lr"])
                self._validate(epoch, mean)
        if self._kept:
            self._loss.load_state_dict(self._kept[0])
            if self._model.project is not None:
                self._model.project.load_state_dict(self._kept[1])
        self._loss.eval()
        return {
            "best_epoch": self._best_epoch if self._kept else None,
            "history": self._history,
            "steps": self._step,
        }

    def _epoch(
        self,
        vectors: torch.Tensor,
        codes: torch.Tensor,
        sampler: ShuffledSampler,
        epoch: int,
    ) -> float:
        """Train for one epoch; return the mean loss."""
        losses = []
        for rows in sampler.epoch(epoch - 1):
            batch = torch.from_numpy(rows[:, 0])
            factor = learning_rate_factor(self._options, self._step, sampler.steps)
            for group in self._optimiser.param_groups:
                group["lr"] = self._options.lr * factor
            loss = self._loss(projected(self._model, vectors[batch]), codes[batch])
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self._optimiser.step()
            losses.append(float(loss.detach()))
            self._step += 1
        mean = float(np.mean(losses))
        if mean != mean:  # noqa: PLR0124 (only a NaN differs from itself)
            raise DataError(f"the loss is NaN in epoch {epoch:,}; lower lr")
        return mean

    def _validate(self, epoch: int, mean: float | None = None) -> None:
        """Log an epoch, and keep its weights if they are the best; the start is epoch 0."""
        row = {"epoch": float(epoch)} | ({} if mean is None else {"loss": mean})
        if self._held_out is not None:
            scores = self._held_out.recall(self._model, self._loss.tower)
            row |= {"recall@5": scores.recall, "chance@5": scores.chance}
            if scores.recall > self._best:
                self._best, self._best_epoch = scores.recall, epoch
                layer = self._model.project
                states = (self._loss.state_dict(), layer.state_dict() if layer else {})
                self._kept = [copy.deepcopy(state) for state in states]
        self._history.append(row)
        self._log.epoch(row)


def _unit(vectors: torch.Tensor) -> Float32Array:
    return np.asarray(functional.normalize(vectors, dim=1).numpy(), np.float32)
