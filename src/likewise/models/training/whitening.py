"""PCA and whitening of vectors, as a linear layer on top of a model."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from likewise.errors import ConfigError, DataError
from likewise.formats.counted_nouns import counted
from likewise.models.passport import Architecture, Passport
from likewise.models.training import descriptor, trainer
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.options import FitOptions
from likewise.models.training.trainer import ModelBuilder
from likewise.models.training.training_data import TrainingContext
from likewise.models.training.training_log import TrainingLog

Matrix = npt.NDArray[np.float64]


def make_model(
    options: FitOptions,
    entry: dict[str, Any],
    layer: tuple[int, float, tuple[float, ...]],
    target: Any,
) -> Passport:
    """Fit the layer on a split and write the model; see the recipe whiten.

    Args:
        options: initial model, data and preprocessing.
        entry: the recipe's kind and options, for the passport.
        layer: (dimensions, 0 for all; power; scales).
        target: as for ``trainer.train``.

    Raises:
        ConfigError: the initial model already has a linear layer.
        DataError: the split has fewer images than dimensions.
    """
    folder, seed, context = target
    init = Passport.read(context.init)
    builder = trainer.model_builder(options, context.init, seed)
    model = _initial_model(context, init, builder)
    data = context.data.in_split(options.split)
    distinct = data.with_items(data.items.unique("content", keep="first", maintain_order=True))
    vectors = builder.embed(model, distinct).astype(np.float64)
    dim, power, scales = layer
    mean, components = fit_whitening(vectors, dim, power)
    architecture = model.architecture.model_copy(
        update={
            "projection_dim": len(components),
            "normalise_before_projection": True,
            "scales": scales,
            "scale_fusion": "mean",
        }
    )
    whitened = _with_layer(model, architecture, mean, components)
    TrainingLog(context.report).finish(items=len(distinct), processes=1)
    return trainer.write_model(whitened, builder, architecture, entry, (folder, context, init))


def fit_whitening(vectors: Matrix, dim: int, power: float) -> tuple[Matrix, Matrix]:
    """Fit PCA and whitening.

    Args:
        vectors: (n, d).
        dim: number of components; 0 for d.
        power: components are divided by their standard deviation to this power.

    Returns:
        The mean (d,), and the components (dim, d) by decreasing variance. The largest entry of
        each component is positive.

    Raises:
        DataError: ``vectors`` has too few rows or columns for the components.
    """
    count, length = vectors.shape
    components = dim or length
    if components > length or count <= components:
        raise DataError(
            f"{counted(components, 'dimension')} cannot be fitted on "
            f"{counted(count, 'vector')} of {length:,}; set dim: "
            f"{max(1, min(length, count - 1)):,} or less, or choose more data"
        )
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / count)
    order = np.argsort(-variances, kind="stable")[:components]
    rows = directions[:, order].T
    largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    scale = np.maximum(variances[order], variances.max() * 1e-9) ** (power / 2)
    return mean, rows * np.sign(largest) / scale[:, None]


def _initial_model(
    context: TrainingContext, init: Passport, builder: ModelBuilder
) -> Descriptor:
    model = descriptor.restore(context.init, init)
    if not isinstance(model, Descriptor) or model.project is not None:
        raise ConfigError(
            f"model {context.init_name!r} ends in a linear layer; set init to a model with "
            "dim: 0"
        )
    resized = model.architecture.model_copy(update={"input_size": builder.base.input_size})
    rebuilt = builder.descriptor(resized)
    if rebuilt.head is not None and model.head is not None:
        rebuilt.head.load_state_dict(model.head.state_dict())
    return rebuilt.eval()


def _with_layer(
    model: Descriptor, architecture: Architecture, mean: Matrix, components: Matrix
) -> Descriptor:
    whitened = Descriptor(model.trunk, architecture)
    whitened.head = model.head
    layer = nn.Linear(components.shape[1], components.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(components))
        layer.bias.copy_(torch.from_numpy(-components @ mean))
    whitened.project = layer
    return whitened.eval()
