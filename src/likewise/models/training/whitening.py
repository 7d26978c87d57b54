"""A linear layer fitted on vectors: centred, turned, shortened and whitened."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from likewise.errors import ConfigError, DataError
from likewise.models.passport import Architecture, Passport
from likewise.models.training import descriptor, trainer
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.options import Source
from likewise.models.training.trainer import Bench
from likewise.models.training.training_data import Study
from likewise.models.training.training_log import TrainingLog

Matrix = npt.NDArray[np.float64]


def make(
    plan: Source,
    entry: dict[str, Any],
    options: tuple[int, float, tuple[float, ...]],
    given: Any,
) -> Passport:
    """Fit the layer on the plan's split and write the model; see the recipe whiten.

    ``options`` are the dimensions (0 for all), the power and the scales; ``given`` is as for
    ``trainer.make``.

    Raises:
        ConfigError: the start has a linear layer already.
        DataError: there are fewer pictures than dimensions.
    """
    folder, seed, study = given
    start = Passport.read(study.start)
    bench = trainer.prepare(plan, study.start, seed)
    model = _start(study, start, bench)
    material = study.material.part(plan.split)
    distinct = material.of(material.items.unique("content", keep="first", maintain_order=True))
    vectors = bench.vectors(model, distinct).astype(np.float64)
    mean, turned = fitted(vectors, *options[:2])
    architecture = model.architecture.model_copy(
        update={
            "project": len(turned),
            "unit": True,
            "scales": options[2],
            "together": "mean",
        }
    )
    whitened = _with_layer(model, architecture, mean, turned)
    TrainingLog(study.report).finish(items=len(distinct), processes=1)
    return trainer.write(whitened, bench, architecture, entry, (folder, study, start))


def fitted(vectors: Matrix, dim: int, power: float) -> tuple[Matrix, Matrix]:
    """The mean (d,) and the layer (dim, d) that whitens ``vectors`` (n, d).

    Rows are the directions of most variance, each divided by its standard deviation to
    ``power``; their signs are such that the greatest component is positive.

    Raises:
        DataError: there are fewer vectors than dimensions.
    """
    count, length = vectors.shape
    wanted = dim or length
    if wanted > length or count <= wanted:
        raise DataError(
            f"{wanted:,} dimensions cannot be fitted on {count:,} vectors of {length:,}; "
            f"set dim: {max(1, min(length, count - 1)):,} or less, or choose more data"
        )
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / count)
    order = np.argsort(-variances, kind="stable")[:wanted]
    rows = directions[:, order].T
    greatest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    scale = np.maximum(variances[order], variances.max() * 1e-9) ** (power / 2)
    return mean, rows * np.sign(greatest) / scale[:, None]


def _start(study: Study, start: Passport, bench: Bench) -> Descriptor:
    model = descriptor.restore(study.start, start)
    if not isinstance(model, Descriptor) or model.project is not None:
        raise ConfigError(
            f"model {study.start_name!r} ends in a linear layer; whiten one of dim: 0"
        )
    resized = model.architecture.model_copy(update={"input_size": bench.base.input_size})
    again = bench.descriptor(resized)
    if again.head is not None and model.head is not None:
        again.head.load_state_dict(model.head.state_dict())
    return again.eval()


def _with_layer(
    model: Descriptor, architecture: Architecture, mean: Matrix, turned: Matrix
) -> Descriptor:
    whitened = Descriptor(model.trunk, architecture)
    whitened.head = model.head
    layer = nn.Linear(turned.shape[1], turned.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(turned))
        layer.bias.copy_(torch.from_numpy(-turned @ mean))
    whitened.project = layer
    return whitened.eval()
