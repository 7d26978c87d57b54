"""Backbones of timm, their preprocessing and weights; ``backbone_blocks`` has their blocks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import timm
import torch
from huggingface_hub import try_to_load_from_cache
from timm.data.config import resolve_model_data_config
from timm.data.imagenet_info import ImageNetInfo
from timm.data.transforms_factory import create_transform
from timm.layers.norm_act import convert_sync_batchnorm
from timm.models import split_model_name_tag
from torch import nn

from likewise.errors import ConfigError, DataError, UnknownNameError
from likewise.formats.counted_nouns import counted
from likewise.formats.file_hashes import file_sha256
from likewise.models.passport import Preprocessing
from likewise.models.training import checkpoint_layouts, weights
from likewise.models.training.image_batches import PixelSteps, PixelTransform

_IMAGENET_CLASSES = 1000
_MAX_PROJECTION = 4096
"""Maximum length of the vectors of a CLIP model; a longer last layer is a classifier."""

_OTHER_SOURCES = "set weights: file:PATH (a local .safetensors or .pth) or package:NAME"


def create(
    name: str,
    *,
    input_size: int | None = None,
    pooling: str | None = None,
    seed: int = 0,
    projection: bool = False,
) -> nn.Module:
    """Create a timm backbone without its classifier, with random weights.

    Args:
        name: an architecture, optionally with the tag of a training (``resnet18.a1_in1k``),
            which also determines the preprocessing.
        input_size: side of the square input in pixels.
        pooling: timm's global_pool.
        seed: the seed of the weights.
        projection: keep the last linear layer of a CLIP model, which leads to the vectors that
            texts share.

    Raises:
        UnknownNameError: timm has no such architecture or tag.
        ConfigError: the architecture does not support the pooling or the input size, or has no
            projection.
    """
    return _create(name, input_size, pooling, seed, projection=projection)


def create_with_weights(  # noqa: PLR0913 (the options of the recipe)
    name: str,
    source: str,
    *,
    input_size: int | None = None,
    pooling: str | None = None,
    seed: int = 0,
    root: Path | None = None,
    projection: bool = False,
) -> tuple[nn.Module, str]:
    """Create a timm backbone with weights; a classifier among them is dropped.

    Args:
        name: as for ``create``.
        source: ``hub`` (timm's own), ``random``, ``file:PATH`` (safetensors or a torch
            checkpoint; relative to ``root``) or ``package:NAME`` (an installed
            distribution with one such file).
        input_size: as for ``create``.
        pooling: as for ``create``.
        seed: as for ``create``.
        root: a folder, by default the current one.
        projection: as for ``create``.

    Returns:
        The backbone, and the exact origin of its weights.

    Raises:
        UnknownNameError: timm has no such architecture or tag.
        ConfigError: ``source`` is of an unknown form.
        MissingExtraError: the package is not installed.
        DataError: the weights cannot be fetched or read, or do not fit the backbone.
    """
    model = _create(
        name, input_size, pooling, seed, pretrained=source == "hub", projection=projection
    )
    if source == "hub":
        return model, _hub_origin(model)
    if source == "random":
        return model, f"random seed {seed}"
    path, origin = weights.locate(source, root or Path())
    origin += f" sha256 {file_sha256(path)}" if origin.startswith("file:") else ""
    notes = _load_file(
        model,
        path,
        f"weights '{source}' for {name}",
        lambda: _create(name, input_size, pooling, seed, num_classes=None).state_dict(),
    )
    return model, f"{origin} ({'; '.join(notes)})" if notes else origin


def check_name(name: str) -> None:
    """Check that timm has a backbone.

    Raises:
        UnknownNameError: timm has no such architecture or tag.
    """
    architecture, tag = split_model_name_tag(name)
    if not timm.is_model(architecture):
        raise UnknownNameError("timm backbone", name, timm.list_models())
    trained = [n.partition(".")[2] for n in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in trained:
        raise UnknownNameError("tag", tag, trained, f"timm's {architecture}")


def data_config(model: nn.Module, input_size: int | None = None) -> Preprocessing:
    """Return timm's preprocessing of ``model``, at another input size if given."""
    args = None if input_size is None else {"input_size": (3, input_size, input_size)}
    return Preprocessing(**resolve_model_data_config(model, args=args))  # type: ignore[no-untyped-call]


def pixel_transform(config: Preprocessing) -> PixelTransform:
    """Return a picklable function from an RGB image to pixels (height, width, 3), uint8.

    The result is timm's evaluation transform without the conversion to normalised floats, which
    an encoder does for a whole batch.
    """
    # With use_prefetcher timm's transform ends in uint8, but as (channels, height, width).
    steps = create_transform(**config.model_dump(), is_training=False, use_prefetcher=True)
    return PixelSteps(type(steps)(steps.transforms[:-1]))


def embedding_dim(model: nn.Module, config: Preprocessing) -> int:
    """Return the length of the vectors of ``model``.

    Raises:
        ConfigError: the model does not give one vector per image, or does not support the
            input size.
    """
    device = next((p.device for p in model.parameters()), None)
    try:
        with torch.inference_mode():
            vectors = model(torch.zeros(1, *config.input_size, device=device))
    except (RuntimeError, AssertionError, ValueError, ArithmeticError) as error:
        size = config.input_size[1]
        raise ConfigError(
            f"the backbone does not support input_size {size}: {error}"
        ) from error
    if not isinstance(vectors, torch.Tensor) or vectors.ndim != 2:
        is_tensor = isinstance(vectors, torch.Tensor)
        shape = tuple(vectors.shape) if is_tensor else type(vectors).__name__
        raise ConfigError(
            f"the backbone returns {shape} instead of one vector per image; set pooling"
        )
    return int(vectors.shape[1])


def pooled_width(trunk: nn.Module, input_size: int | None = None) -> int:
    """Return the length of the pooled vectors of a backbone.

    Raises:
        ConfigError: the backbone does not give one vector per image.
    """
    training = trunk.training
    width = embedding_dim(trunk.eval(), data_config(trunk, input_size))
    trunk.train(training)
    return width


def sync_batch_norms(model: nn.Module) -> nn.Module:
    """Make batch norms use the batches of all processes; changes the model in place.

    torch's own function would lose the activation that timm's batch norms include.
    """
    return cast("nn.Module", convert_sync_batchnorm(model))  # type: ignore[no-untyped-call]


def resize_input(trunk: nn.Module, input_size: int | None, name: str) -> nn.Module:
    """Change the input size of a backbone; position embeddings are resampled.

    Raises:
        ConfigError: the size is fixed.
    """
    if input_size is None or not _fixed(name):
        return trunk
    if not hasattr(trunk, "set_input_size"):
        raise ConfigError(f"backbone {name!r} does not support input_size {input_size}")
    try:
        cast("Any", trunk).set_input_size(img_size=input_size)
    except (AssertionError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"backbone {name!r} does not support input_size {input_size}: {error}"
        ) from error
    return trunk


def imagenet_names() -> list[str]:
    """Return the names of the classes of ImageNet-1k with synonyms, such as violin, fiddle."""
    return list(ImageNetInfo().label_descriptions())


def _create(
    name: str,
    input_size: int | None,
    pooling: str | None,
    seed: int,
    *,
    projection: bool = False,
    **timm_options: Any,
) -> nn.Module:
    check_name(name)
    options = {"num_classes": _projection(name) if projection else 0, **timm_options}
    if pooling is not None:
        options["global_pool"] = pooling
    if input_size is not None and _fixed(name):
        options["img_size"] = input_size
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return timm.create_model(name, **options).eval()
    except (TypeError, ValueError, AssertionError, NotImplementedError) as error:
        raise ConfigError(
            f"backbone {name!r} does not support input_size {input_size}, pooling "
            f"{pooling!r}: {error}"
        ) from error
    except (OSError, RuntimeError) as error:
        if not options.get("pretrained"):
            raise
        message = str(error).split("\n", 1)[0]
        raise DataError(
            f"the weights of {name!r} cannot be fetched ({message}); {_OTHER_SOURCES}"
        ) from error


def _fixed(name: str) -> bool:
    """Return whether the input size is part of the model, not only of its preprocessing."""
    config = timm.models.get_pretrained_cfg(name, allow_unregistered=True)
    return bool(config is not None and config.fixed_input_size)


def _projection(name: str) -> int:
    """Return the length of the vectors of a CLIP model's projection.

    Raises:
        ConfigError: the weights of that name end in a classifier, or in no linear layer.
    """
    config = timm.models.get_pretrained_cfg(name, allow_unregistered=True)
    outputs = 0 if config is None else int(config.num_classes)
    if outputs in (0, _IMAGENET_CLASSES) or outputs > _MAX_PROJECTION:
        fault = f"a classifier of {counted(outputs, 'class')}" if outputs else "no projection"
        raise ConfigError(
            f"backbone {name!r} has {fault}; leave projection out, or choose a CLIP model such "
            "as vit_base_patch16_clip_224.openai"
        )
    return outputs


def _hub_origin(model: nn.Module) -> str:
    """Return the exact origin of the weights that timm has fetched for ``model``."""
    config = cast("dict[str, Any]", model.pretrained_cfg)
    repository = config.get("hf_hub_id")
    if not repository:
        return f"url {config.get('url')}"
    revision = _revision(repository)
    return f"hub {repository}@{revision}" if revision else f"hub {repository}"


def _revision(repository: str) -> str | None:
    for file in ("model.safetensors", "pytorch_model.bin"):
        path = try_to_load_from_cache(repository, file)
        if isinstance(path, str):
            return Path(path).parent.name
    return None


def _load_file(
    model: nn.Module,
    path: Path,
    where: str,
    with_classifier: Callable[[], weights.Tensors],
) -> list[str]:
    """Load a file into ``model``; return what was chosen and left out, for people."""
    tensors, which = checkpoint_layouts.find_weights(
        checkpoint_layouts.read_checkpoint(path, where), where
    )
    own = model.state_dict()
    head = cast("dict[str, Any]", model.pretrained_cfg).get("classifier") or ()
    heads = (head,) if isinstance(head, str) else tuple(head)
    part = checkpoint_layouts.backbone_part(tensors, own, heads)
    ordered = path.suffix != ".safetensors"  # safetensors sorts its tensors
    classified = with_classifier if ordered else None
    by_order = weights.load_into(model, part.tensors, where, classified, heads)
    notes = [which, *part.notes, weights.BY_ORDER if by_order else ""]
    return [note for note in notes if note]
