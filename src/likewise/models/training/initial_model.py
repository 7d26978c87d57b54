"""The model that a training starts from."""

from pathlib import Path
from typing import Any, cast

from torch import nn

from likewise.errors import ConfigError
from likewise.models.model_files import check_files
from likewise.models.passport import WEIGHTS, Passport
from likewise.models.training import backbones, weights
from likewise.models.training.descriptor import DualEncoder, restore


def load_trunk(folder: Path, passport: Passport, input_size: int | None) -> nn.Module:
    """Load the backbone of the model in ``folder``, for images of another size if given.

    The backbone of a dual encoder is that of its gallery (photographs).

    Raises:
        DataError: the weights do not fit.
        ConfigError: the model is not timm's, or does not support the input size.
    """
    kind = passport.recipe.get("kind")
    if kind == "adapter":
        raise ConfigError(
            f"{folder.name} is an adapter, which has no backbone of its own to train; set init "
            f"to {passport.recipe.get('init')!r}, or choose the kind adapter"
        )
    if passport.architecture is None and kind != "timm":
        raise ConfigError(
            f"{folder.name} is of kind {kind!r}, and training starts from a model of kind "
            "'timm'; timm has the image towers of most CLIP, SigLIP and DINO models too"
        )
    if passport.recipe.get("projection"):
        trunk = _without_projection(folder, passport)
    else:
        model = restore(folder, passport)
        trunk = model.gallery.trunk if isinstance(model, DualEncoder) else model.trunk
    return backbones.resize_input(trunk, input_size, passport.backbone)


def _without_projection(folder: Path, passport: Passport) -> nn.Module:
    """Load a CLIP model without its last layer: training has a layer of its own."""
    check_files(folder, passport)
    entry = passport.recipe
    model = backbones.create(
        passport.backbone,
        input_size=entry.get("input_size"),
        pooling=entry.get("pooling"),
        projection=True,
    )
    weights.restore(model, folder / WEIGHTS)
    cast("Any", model).reset_classifier(0)
    return model
