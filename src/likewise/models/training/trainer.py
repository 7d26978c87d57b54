"""Trains a model by a recipe, writes it into its folder, and loads it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from likewise.errors import ConfigError
from likewise.models.passport import (
    LEARNING,
    Architecture,
    Passport,
    Preprocessing,
    libraries,
)
from likewise.models.training import backbones, descriptor
from likewise.models.training.augment import Augmenter
from likewise.models.training.batch_loader import BatchLoader
from likewise.models.training.checkpoint import seeded_random
from likewise.models.training.descriptor import Descriptor, DualEncoder
from likewise.models.training.encode import Encoder, Vectors
from likewise.models.training.initial_model import load_trunk
from likewise.models.training.loop import Validate
from likewise.models.training.objective import Objective
from likewise.models.training.options import FitOptions, TrainingOptions
from likewise.models.training.partial_training import merge_low_rank, prepare_backbone
from likewise.models.training.run_loop import learn
from likewise.models.training.samplers import Sampler
from likewise.models.training.training_data import TrainingContext, TrainingData
from likewise.models.training.training_log import device_name


@dataclass(frozen=True)
class ModelBuilder:
    """Builds the model of a training on the backbone of the initial model.

    Attributes:
        trunk: the backbone, with the weights of the initial model.
        passport: the passport of the initial model, with this training's preprocessing.
        base: how the backbone is created.
        seed: the seed of all random numbers.
    """

    trunk: nn.Module
    passport: Passport
    base: Architecture
    seed: int

    @property
    def preprocessing(self) -> Preprocessing:
        """The preprocessing of the model's input."""
        return self.passport.image_preprocessing

    def augmenter(self, options: TrainingOptions) -> Augmenter:
        """Return the augmentation of training images."""
        return Augmenter(options.augment, _training_input(self.preprocessing, options))

    def descriptor(self, architecture: Architecture) -> Descriptor:
        """Put the layers of ``architecture`` on top of the backbone."""
        return _freeze_unused(Descriptor(self.trunk, architecture), self.preprocessing)

    def second_descriptor(self, architecture: Architecture) -> Descriptor:
        """Do the same on a copy of the backbone."""
        trunk = copy.deepcopy(self.trunk)
        return _freeze_unused(Descriptor(trunk, architecture), self.preprocessing)

    def embed(self, model: nn.Module, data: TrainingData) -> Vectors:
        """Embed all items of ``data`` with a model in training: (items, dim).

        Raises:
            DataError: an image cannot be decoded.
        """
        network = cast("Descriptor | DualEncoder", model)
        roles = data.items["role"].to_list()
        vectors = np.empty((len(data), 0), np.float32)
        for role in sorted({role or "" for role in roles}):
            rows = [row for row, its_role in enumerate(roles) if (its_role or "") == role]
            part = replace(data, items=data.items[rows])
            device = str(next(model.parameters()).device)  # the device of the training
            encoder = _encoder(network, self.passport, role or None, device)
            for numbers, embedded in encoder.encode_stream(part.reader()):
                if not vectors.size:
                    vectors = np.empty((len(data), embedded.shape[1]), np.float32)
                vectors[[rows[n] for n in numbers]] = embedded
        return vectors


@dataclass(frozen=True)
class TrainingSetup:
    """The parts of a training that a recipe chooses.

    Attributes:
        objective: the model and its loss.
        sampler: composes the batches.
        data: the items of the batches.
        architecture: the layers on top of the backbone.
        validate: computes validation scores; None if nothing is held out.
    """

    objective: Objective
    sampler: Sampler
    data: TrainingData
    architecture: Architecture
    validate: Validate | None = None


def train(
    options: TrainingOptions,
    setup: Callable[[ModelBuilder, TrainingData], TrainingSetup],
    entry: dict[str, Any],
    target: tuple[Path, int, TrainingContext],
) -> Passport:
    """Train a model and write it; see ``TrainedRecipe.make``.

    Args:
        options: the options of the training loop.
        setup: chooses objective, sampler and items.
        entry: the recipe's kind and options, for the passport.
        target: (the model's folder, the seed, the context).
    """
    with seeded_random(target[1]):
        return _train(options, setup, entry, target)


def _train(
    options: TrainingOptions,
    setup: Callable[[ModelBuilder, TrainingData], TrainingSetup],
    entry: dict[str, Any],
    target: tuple[Path, int, TrainingContext],
) -> Passport:
    folder, seed, context = target
    builder = model_builder(options, context.init, seed)
    parts = setup(builder, context.data.in_split(options.split))
    objective = parts.objective.to(memory_format=torch.channels_last)
    init = Passport.read(context.init)
    reading = _reading_input(builder.preprocessing, options)
    loader = BatchLoader(parts.data, reading, parts.sampler, options.workers)
    run = len(parts.data), seed, context
    kept = learn(objective, options, loader, parts.validate, run)
    model = cast("Descriptor | DualEncoder", kept)
    return write_model(model, builder, parts.architecture, entry, (folder, context, init))


def model_builder(options: FitOptions, init: Path, seed: int) -> ModelBuilder:
    """Load the backbone of the model in ``init``.

    Raises:
        MissingArtefactError: the folder contains no model.
        DataError: the model is damaged.
        ConfigError: its backbone does not support the input size of ``options``, or does not
            have the blocks that they name.
    """
    passport = Passport.read(init)
    base = descriptor.architecture_of(passport)
    base = Architecture(input_size=options.input_size or base.input_size, pooling=base.pooling)
    trunk = load_trunk(init, passport, options.input_size)
    if isinstance(options, TrainingOptions):
        prepare_backbone(trunk, options, passport.backbone)
    preprocessing = _preprocessing(passport.image_preprocessing, options)
    passport = passport.model_copy(
        update={"preprocessing": preprocessing, "precision": options.precision}
    )
    return ModelBuilder(trunk, passport, base, seed)


def load_encoder(folder: Path, role: str | None) -> Encoder:
    """Load the model in ``folder`` for items of ``role`` (by default query).

    Raises:
        MissingArtefactError: the folder contains no model.
        DataError: the model is damaged.
    """
    passport = Passport.read(folder)
    return _encoder(descriptor.restore(folder, passport), passport, role or "query")


def write_model(
    model: Descriptor | DualEncoder,
    builder: ModelBuilder,
    architecture: Architecture,
    entry: dict[str, Any],
    target: tuple[Path, TrainingContext, Passport],
) -> Passport:
    """Write weights and passport into a folder, and return the passport.

    Args:
        model: the trained model.
        builder: built the model.
        architecture: the layers on top of the backbone.
        entry: the recipe's kind and options.
        target: (the folder, the context, the passport of the initial model).
    """
    folder, context, init = target
    model = model.to("cpu").eval()
    merge_low_rank(model)
    encoder = model if isinstance(model, Descriptor) else model.query
    with torch.inference_mode():
        dim = encoder(torch.zeros(1, *builder.preprocessing.input_size)).shape[1]
    passport = builder.passport.model_copy(
        update={
            "recipe": entry,
            "dim": dim,
            "weights_sha256": descriptor.save(model, folder),
            "weights_source": f"trained from {context.init_name} on {context.data.name}",
            "libraries": libraries(*LEARNING),
            "data": context.data.digests,
            "seed": builder.seed,
            "architecture": architecture,
            "start": init.weights_sha256,
            "device": device_name(),
            "threads": torch.get_num_threads(),
        }
    )
    passport.write(folder)
    return passport


def _freeze_unused(model: Descriptor, preprocessing: Preprocessing) -> Descriptor:
    """Freeze parameters that no embedding depends on.

    A head other than the backbone's own leaves some of its layers unused (the norm after
    ConvNeXt's pooling, for example), and several processes wait for the gradients of all
    parameters that are trained.

    Raises:
        ConfigError: all parameters are frozen already.
    """
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigError(
            "nothing is left to train: the whole backbone is frozen, and no layer is on top "
            "of it; set dim or head, or lower freeze_blocks"
        )
    training = model.training
    model.eval()(torch.zeros(1, *preprocessing.input_size)).sum().backward()
    for parameter in model.parameters():
        parameter.requires_grad_(parameter.grad is not None)
        parameter.grad = None
    return model.train(training)


def _encoder(
    model: Descriptor | DualEncoder,
    passport: Passport,
    role: str | None,
    device: str | None = None,
) -> Encoder:
    network = descriptor.for_role(model, role, passport.image_preprocessing)
    transform = backbones.pixel_transform(passport.image_preprocessing)
    return Encoder(network, transform, passport, device)


def _preprocessing(initial: Preprocessing, options: FitOptions) -> Preprocessing:
    """Return the preprocessing of the initial model, changed by ``options``."""
    changes: dict[str, Any] = {}
    if options.input_size is not None:
        changes["input_size"] = (3, options.input_size, options.input_size)
    if options.crop_pct is not None:
        changes["crop_pct"] = options.crop_pct
    if options.crop_mode is not None:
        changes["crop_mode"] = options.crop_mode
    return initial.model_copy(update=changes)


def _training_input(preprocessing: Preprocessing, options: TrainingOptions) -> Preprocessing:
    """Return the preprocessing of training images, at ``train_size``."""
    if options.train_size is None:
        return preprocessing
    size = (preprocessing.input_size[0], options.train_size, options.train_size)
    return preprocessing.model_copy(update={"input_size": size})


def _reading_input(preprocessing: Preprocessing, options: TrainingOptions) -> Preprocessing:
    """Return how images are read: larger than the model's input, for random crops."""
    preprocessing = _training_input(preprocessing, options)
    channels, height, width = preprocessing.input_size
    zoom = options.augment.zoom
    size = (channels, round(height * zoom), round(width * zoom))
    return preprocessing.model_copy(update={"input_size": size})
