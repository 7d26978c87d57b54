"""Train an adapter on stored vectors, and write it with its initial model."""

import shutil
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from likewise.errors import ConfigError, StaleArtefactError
from likewise.formats import atomic
from likewise.formats.array_types import Float32Array
from likewise.models import author_code
from likewise.models.model_files import check_files, digests
from likewise.models.passport import LEARNING, PASSPORT, WEIGHTS, Passport, libraries
from likewise.models.training import losses, weights
from likewise.models.training.adapter_encoder import BASE
from likewise.models.training.adapter_layers import Adapter, adapted
from likewise.models.training.adapter_options import AdapterOptions
from likewise.models.training.batch_loader import (
    TrainingBatch,
    epoch_units,
    listed_ids,
    share,
)
from likewise.models.training.checkpoint import seeded_random
from likewise.models.training.distillation import stored_vectors
from likewise.models.training.mixed_precision import full_precision
from likewise.models.training.objective import ItemTensor, Objective, gather_all
from likewise.models.training.options import LoopOptions, TrainingOptions
from likewise.models.training.ranking_validation import ranking_validator
from likewise.models.training.run_loop import learn
from likewise.models.training.samplers import ClassBalancedSampler, Sampler
from likewise.models.training.training_data import TrainingContext, TrainingData
from likewise.models.training.training_log import device_name
from likewise.storage import tables

Target = tuple[Path, int, TrainingContext]
"""The model's folder, the seed and the context."""


class AdapterObjective(Objective):
    """A loss on adapted vectors, L2-normalised, and labels."""

    def __init__(self, model: Adapter, labels: Sequence[int], loss: nn.Module) -> None:
        """Combine the layers with a loss of (vectors, labels)."""
        super().__init__()
        self.model: Adapter = model
        self.loss = loss
        self._labels = ItemTensor.labels(labels)

    def targets(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the classes of the items."""
        return self._labels.select(rows[:, 0])

    def forward(self, pixels: torch.Tensor, targets: torch.Tensor, random: torch.Tensor) -> Any:
        """Return the loss of a batch; ``pixels`` are the stored vectors (items, width)."""
        del random  # nothing is augmented
        with full_precision(pixels.device):
            units = functional.normalize(gather_all(self.model(pixels.float())), dim=1)
            return self.loss(units, gather_all(targets))


class VectorLoader:
    """Loads stored vectors in place of images; see ``batch_loader.Loader``."""

    def __init__(self, data: TrainingData, vectors: torch.Tensor, sampler: Sampler) -> None:
        """Take the items, their vectors (items, width), and how batches are composed."""
        self._ids, self._vectors, self.sampler = data.ids, ItemTensor(vectors), sampler

    def batches(
        self, first: int, last: int, views: int, seed: int, process: tuple[int, int, bool]
    ) -> Generator[TrainingBatch, None, None]:
        """Yield the batches of one process, step by step."""
        del seed  # nothing is augmented
        rank, world, _ = process
        for units in epoch_units(self.sampler, first, last):
            rows = torch.from_numpy(share(units, rank, world))
            vectors = self._vectors.select(rows.flatten())
            yield TrainingBatch(vectors, rows, torch.empty(views, rows.numel(), 0))

    def ids(self, rows: torch.Tensor) -> str:
        """Return the ids of some rows, for a message."""
        return listed_ids(self._ids, rows)


def make_model(recipe: AdapterOptions, entry: dict[str, Any], target: Target) -> Passport:
    """Train an adapter and write it; see the recipe adapter.

    Args:
        recipe: the options.
        entry: the recipe's kind and options, for the passport.
        target: as for ``trainer.train``.

    Raises:
        ConfigError: the initial model is a function.
        StaleArtefactError: the stored vectors are those of another version of the model.
        DataError: the data do not fit the recipe, or the loss is NaN.
    """
    folder, seed, context = target
    init = Passport.read(context.init)
    if author_code.runs_code(init):
        raise ConfigError(
            f"{context.init_name} is a function, and an adapter contains its initial model; "
            "set init to a model of another kind"
        )
    _check_vectors(context, init)
    with seeded_random(seed):
        return _train(recipe, entry, (folder, seed, context), init)


def _train(
    recipe: AdapterOptions, entry: dict[str, Any], target: Target, init: Passport
) -> Passport:
    _, seed, context = target
    training, held_out = recipe.parts(context.data.in_split(recipe.split))
    codes, names = training.checked_class_codes()
    owner = f"model {context.init_name!r}"
    vectors = stored_vectors(training, owner)
    layers = Adapter(init.dim, recipe.dim or init.dim, recipe.hidden, recipe.dropout)
    layers.start(vectors.numpy())
    loss = losses.build_loss(recipe, len(names), recipe.dim or init.dim)
    objective = AdapterObjective(layers, codes, loss)
    sampler = ClassBalancedSampler(codes, recipe.batch, recipe.samples_per_class, seed)
    loader = VectorLoader(training, vectors, sampler)
    known = stored_vectors(held_out, owner).numpy() if len(held_out) else None
    validate = None
    if known is not None:
        validate = ranking_validator(lambda task: _validated(task, known), held_out)
    options = _loop_options(recipe)
    kept = learn(objective, options, loader, validate, (len(training), seed, context))
    return _write(cast("Adapter", kept).cpu().eval(), entry, target, init)


def _validated(task: Objective, vectors: Float32Array) -> Float32Array:
    """Return the adapted vectors of held-out items, by the present layers."""
    layers = cast("Adapter", task.model).eval()
    if next(layers.parameters()).device.type == "cpu":
        return adapted(layers, vectors)
    with torch.inference_mode():
        inputs = torch.from_numpy(np.asarray(vectors, np.float32))
        out = layers(inputs.to(next(layers.parameters()).device))
    return np.asarray(functional.normalize(out, dim=1).cpu().numpy(), np.float32)


def _loop_options(recipe: AdapterOptions) -> TrainingOptions:
    """Return the options of the training loop; those of images are left at their defaults."""
    shared = {name: getattr(recipe, name) for name in LoopOptions.model_fields}
    return TrainingOptions(**shared, precision="float32")


def _check_vectors(context: TrainingContext, init: Passport) -> None:
    """Check that the stored vectors are those of the initial model.

    Raises:
        StaleArtefactError: another version of the model computed them.
    """
    for part in context.data.by_dataset():
        if not isinstance(part.vectors, Path):
            continue
        table = tables.open_table(part.vectors, "dvc repro")
        stored = Passport.from_json(table.passport("vector"), part.vectors.name)
        if stored.identity() != init.identity():
            what = (
                f"the vectors of {part.name} are those of another version of "
                f"{context.init_name!r}"
            )
            raise StaleArtefactError(what, f"likewise embed {part.name} {context.init_name}")


def _write(layers: Adapter, entry: dict[str, Any], target: Target, init: Passport) -> Passport:
    """Write the layers, a copy of the initial model, and the passport."""
    folder, seed, context = target
    check_files(context.init, init)
    names = [PASSPORT, *([WEIGHTS] if init.weights_sha256 else []), *sorted(init.files)]
    with atomic.writing(folder):
        for name in names:
            copy = folder / BASE / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(context.init / name, copy)
    passport = Passport(
        recipe=entry,
        backbone=init.backbone,
        dim=layers.linear.out_features,
        weights_sha256=weights.save(layers, folder / WEIGHTS),
        weights_source=f"trained from {context.init_name} on {context.data.name}",
        preprocessing=init.preprocessing,
        precision=init.precision,
        libraries=libraries(*LEARNING),
        data=context.data.digests,
        seed=seed,
        architecture=init.architecture,
        start=init.weights_sha256,
        device=device_name(),
        threads=torch.get_num_threads(),
        files=digests(folder, BASE),
    )
    passport.write(folder)
    return passport
