"""The only door to timm: backbones, their preprocessing, their weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import timm
import torch
from huggingface_hub import try_to_load_from_cache
from PIL import Image
from safetensors import SafetensorError
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from timm.layers.norm_act import convert_sync_batchnorm
from timm.models import load_state_dict, split_model_name_tag
from torch import nn

from likewise.errors import ConfigError, DataError, UnknownNameError, bounded
from likewise.models.passport import Preprocessing
from likewise.models.training import weights

Pixels = npt.NDArray[np.uint8]

_ELSEWHERE = "give weights: file:PATH (a local .safetensors or .pth) or package:NAME"


class Transform(Protocol):
    """A picture (RGB) to the pixels that a model looks at: (height, width, 3), uint8."""

    def __call__(self, image: Image.Image) -> Pixels:
        """The pixels, not yet normalised."""
        ...


def create(
    name: str, *, input_size: int | None = None, pooling: str | None = None, seed: int = 0
) -> nn.Module:
    """The timm backbone ``name`` without its classifier, its weights random by ``seed``.

    ``name`` is an architecture, or an architecture and the tag of a training
    (``resnet18.a1_in1k``), which chooses the preprocessing too. ``input_size`` is the side of
    the square input in pixels, ``pooling`` what timm calls global_pool.

    Raises:
        UnknownNameError: timm has no such architecture or tag.
        ConfigError: the architecture does not take that pooling or input size.
    """
    return _create(name, input_size, pooling, seed)


def with_weights(
    name: str,
    source: str,
    *,
    input_size: int | None = None,
    pooling: str | None = None,
    seed: int = 0,
) -> tuple[nn.Module, str]:
    """The backbone ``name`` with the weights of ``source``, and where exactly they came from.

    ``source`` is ``hub`` (timm's own), ``random``, ``file:PATH`` (safetensors or a torch
    checkpoint; relative to the current folder) or ``package:NAME`` (an installed distribution
    that carries one such file). A classifier among the weights is dropped.

    Raises:
        UnknownNameError: timm has no such architecture or tag.
        ConfigError: no such kind of source.
        MissingExtraError: the package is not installed.
        DataError: the weights cannot be had, cannot be read, or do not fit the backbone.
    """
    if source == "hub":
        return _from_hub(name, input_size, pooling, seed)
    model = _create(name, input_size, pooling, seed)
    kind, _, rest = source.partition(":")
    if source == "random":
        return model, f"random seed {seed}"
    if kind == "file" and rest:
        path = Path(rest).expanduser()
        said = f"file:{path.name}"
        if not path.is_file():
            raise DataError(f"weights '{source}': there is no such file; correct the path")
        said = f"{said} sha256 {weights.sha256(path)}"
    elif kind == "package" and rest:
        path, version = weights.packaged(rest)
        said = f"package {rest} {version}"
    else:
        raise ConfigError(f"weights {source!r}: give hub, random, file:PATH or package:NAME")
    by_order = _load_file(
        model,
        path,
        f"weights '{source}' for {name}",
        lambda: _create(name, input_size, pooling, seed, num_classes=None).state_dict(),
    )
    return model, f"{said} ({weights.IN_ORDER})" if by_order else said


def data_config(model: nn.Module, input_size: int | None = None) -> Preprocessing:
    """The preprocessing that timm records for ``model``, at another input size if given."""
    args = None if input_size is None else {"input_size": (3, input_size, input_size)}
    return Preprocessing(**resolve_model_data_config(model, args=args))  # type: ignore[no-untyped-call]


def transform(config: Preprocessing) -> Transform:
    """What turns a picture into the pixels that a model looks at; it can be pickled.

    It is timm's own evaluation transform up to the point where pixels become floats; an
    encoder does the rest, for a whole batch.
    """
    # With use_prefetcher timm ends in uint8 as well, but (channels, height, width) a picture.
    steps = create_transform(**config.model_dump(), is_training=False, use_prefetcher=True)
    return _Steps(type(steps)(steps.transforms[:-1]))


def dimension(model: nn.Module, config: Preprocessing) -> int:
    """The length of the vectors of ``model``.

    Raises:
        ConfigError: it gives something else than one vector an image, or nothing at all.
    """
    place = next((p.device for p in model.parameters()), None)
    try:
        with torch.inference_mode():
            out = model(torch.zeros(1, *config.input_size, device=place))
    except (RuntimeError, AssertionError, ValueError, ArithmeticError) as error:
        size = config.input_size[1]
        raise ConfigError(f"the backbone does not take input_size {size}: {error}") from error
    if not isinstance(out, torch.Tensor) or out.ndim != 2:
        shape = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
        raise ConfigError(f"the backbone gives no vector an image but {shape}; set pooling")
    return int(out.shape[1])


def width(trunk: nn.Module, input_size: int | None = None) -> int:
    """The length of the pooled vectors of a backbone.

    Raises:
        ConfigError: it gives something else than one vector an image.
    """
    was = trunk.training
    found = dimension(trunk.eval(), data_config(trunk, input_size))
    trunk.train(was)
    return found


def channels(trunk: nn.Module) -> int:
    """The depth of a backbone's last map; some lengthen what is pooled (MobileNetV3, say)."""
    return int(cast("Any", trunk).num_features)


def synced(model: nn.Module) -> nn.Module:
    """The model with batch norms that see the batches of all processes; changed in place.

    torch's own way would lose what timm's batch norms do besides: the activation.
    """
    return cast("nn.Module", convert_sync_batchnorm(model))  # type: ignore[no-untyped-call]


def features(trunk: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    """The last map of a backbone, before pooling: (n, tokens, c), or maps of any layout."""
    return cast("torch.Tensor", cast("Any", trunk).forward_features(pixels))


def places(trunk: nn.Module, found: torch.Tensor) -> torch.Tensor:
    """A last map as (n, places, channels): without class tokens, whatever timm's layout is."""
    if found.ndim == 3:
        return found[:, int(getattr(trunk, "num_prefix_tokens", 0)) :]
    depth = channels(trunk)
    if found.shape[1] != depth and found.shape[-1] == depth:
        return found.flatten(1, 2)
    return found.flatten(2).transpose(1, 2)


def tokens(trunk: nn.Module, input_size: int | None = None) -> tuple[int, int]:
    """How many patches a vision transformer cuts a picture into, down and across.

    Raises:
        ConfigError: the backbone has no class token before its patches.
    """
    grid = getattr(getattr(trunk, "patch_embed", None), "grid_size", None)
    if grid is None or getattr(trunk, "num_prefix_tokens", 0) != 1:
        raise ConfigError(
            "the backbone is no vision transformer with one class token, as recycling needs; "
            "choose one such as vit_base_patch16_224"
        )
    return int(grid[0]), int(grid[1])


def resized(trunk: nn.Module, input_size: int | None, name: str) -> nn.Module:
    """The same backbone for pictures of another size; position embeddings are resampled.

    Raises:
        ConfigError: its size is fixed.
    """
    if input_size is None or not _fixed(name):
        return trunk
    if not hasattr(trunk, "set_input_size"):
        raise ConfigError(f"backbone {name!r} does not take input_size {input_size}")
    try:
        cast("Any", trunk).set_input_size(img_size=input_size)
    except (AssertionError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"backbone {name!r} does not take input_size {input_size}: {error}"
        ) from error
    return trunk


class _Steps:
    """timm's steps from a picture to a picture, then its pixels."""

    def __init__(self, steps: Callable[[Image.Image], Image.Image]) -> None:
        self._steps = steps

    def __call__(self, image: Image.Image) -> Pixels:
        return np.asarray(self._steps(image), dtype=np.uint8)


def _create(
    name: str, input_size: int | None, pooling: str | None, seed: int, **timm_options: Any
) -> nn.Module:
    architecture, tag = split_model_name_tag(name)
    if not timm.is_model(architecture):
        raise UnknownNameError("timm backbone", name, timm.list_models())
    trained = [n.partition(".")[2] for n in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in trained:
        raise UnknownNameError("tag", tag, trained, f"timm's {architecture}")
    options = {"num_classes": 0, **timm_options}
    if pooling is not None:
        options["global_pool"] = pooling
    if input_size is not None and _fixed(name):
        options["img_size"] = input_size
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return timm.create_model(name, **options).eval()
    except (TypeError, ValueError, AssertionError, NotImplementedError) as error:
        what = f"input_size {input_size}, pooling {pooling!r}"
        raise ConfigError(f"backbone {name!r} does not take {what}: {error}") from error


def _fixed(name: str) -> bool:
    """Whether the input size is built into the model, not only into its preprocessing."""
    config = timm.models.get_pretrained_cfg(name, allow_unregistered=True)
    return bool(config is not None and config.fixed_input_size)


def _from_hub(
    name: str, input_size: int | None, pooling: str | None, seed: int
) -> tuple[nn.Module, str]:
    try:
        model = _create(name, input_size, pooling, seed, pretrained=True)
    except (OSError, RuntimeError) as error:
        said = str(error).split("\n", 1)[0]
        raise DataError(
            f"the weights of {name!r} cannot be fetched ({said}); {_ELSEWHERE}"
        ) from error
    config = cast("dict[str, Any]", model.pretrained_cfg)
    place = config.get("hf_hub_id")
    if not place:
        return model, f"url {config.get('url')}"
    revision = _revision(place)
    return model, f"hub {place}@{revision}" if revision else f"hub {place}"


def _revision(place: str) -> str | None:
    for file in ("model.safetensors", "pytorch_model.bin"):
        found = try_to_load_from_cache(place, file)
        if isinstance(found, str):
            return Path(found).parent.name
    return None


def _load_file(
    model: nn.Module, path: Path, where: str, full: Callable[[], weights.Tensors]
) -> bool:
    """Load ``path`` into ``model``; whether its names had to be matched by order."""
    found = _read(path, where)
    wanted = model.state_dict()
    head = cast("dict[str, Any]", model.pretrained_cfg).get("classifier") or ()
    heads = (head,) if isinstance(head, str) else tuple(head)
    ordered = path.suffix != ".safetensors"  # which keeps its tensors sorted
    fitted = weights.fit(found, wanted, full if ordered else None, heads)
    if fitted is None:
        raise weights.misfit(found, wanted, heads, where)
    tensors, by_order = fitted
    model.load_state_dict({**wanted, **tensors})
    return by_order


def _read(path: Path, where: str) -> weights.Tensors:
    try:
        found = load_state_dict(str(path), weights_only=True)
    except (RuntimeError, ValueError, EOFError, OSError, SafetensorError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{where} cannot be read: {said}") from error
    if not found or not all(isinstance(t, torch.Tensor) for t in found.values()):
        raise DataError(f"{where} holds no state dict; it has {bounded(found, len(found))}")
    return cast("weights.Tensors", found)
