"""Names of the classes of a classifier, each with its direction in the space of a backbone.

The row of a class in the last linear layer is what the vector of an image is multiplied by to
score that class. It is therefore a vector that a text tower can learn for the class's name,
without any image of the class.
"""

from pathlib import Path

import numpy as np
import torch

from likewise.errors import ConfigError, DataError, bounded
from likewise.formats.array_types import Float32Array
from likewise.formats.counted_nouns import counted
from likewise.models.training import backbones, checkpoint_layouts, weights

CLASSES = 1000
"""Number of classes of ImageNet-1k."""


def class_anchors(
    source: str, width: int, root: Path | None = None
) -> tuple[list[str], Float32Array]:
    """Read the classifier of ImageNet-1k in a file of weights.

    Args:
        source: ``file:PATH`` (relative to ``root``) or ``package:NAME``.
        width: length of the backbone's vectors.
        root: a folder, by default the current one.

    Returns:
        The names of the classes, with synonyms, and (classes, width) directions, L2-normalised:
        rows of the classifier without their mean, which changes no order of classes.

    Raises:
        DataError: the file is missing or damaged, or has no such classifier.
        MissingExtraError: the package is not installed.
    """
    kind, _, rest = source.partition(":")
    if kind == "package":
        path, _ = weights.packaged(rest)
    elif kind == "file":
        path = (root or Path()) / Path(rest).expanduser()
        if not path.is_file():
            raise DataError(f"classifier {source!r}: the file does not exist; correct the path")
    else:
        raise ConfigError(f"classifier {source!r}: must be file:PATH or package:NAME")
    where = f"classifier {source!r}"
    content = checkpoint_layouts.read_checkpoint(path, where)
    tensors, _ = checkpoint_layouts.find_weights(content, where)
    layers = {name: t for name, t in tensors.items() if t.shape == (CLASSES, width)}
    if len(layers) != 1:
        shapes = [f"{name} {tuple(t.shape)}" for name, t in tensors.items() if t.ndim == 2]
        raise DataError(
            f"{where} has {counted(len(layers), 'layer')} of {CLASSES:,} classes and "
            f"{counted(width, 'number')}, and must have one; its layers are "
            f"{bounded(shapes, len(shapes)) or 'none'}"
        )
    rows = next(iter(layers.values())).float()
    rows = torch.nn.functional.normalize(rows - rows.mean(dim=0), dim=1)
    return backbones.imagenet_names(), np.asarray(rows.numpy(), dtype=np.float32)
