"""Models of transformers: image towers, and text towers of models that have one."""

import contextlib
import inspect
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast

import torch
import transformers
from torch import nn

from likewise.errors import ConfigError, DataError, bounded
from likewise.formats.counted_nouns import counted
from likewise.models.towers import hub_files, transformers_files

Pooling = Literal["pooler", "cls", "mean"]

CONFIGURATION = "config.json"
WEIGHTS_FILES = (
    ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*.bin"),
)
"""Files of weights, the preferred ones first."""

_POOLER = "pooler."
"""Beginning of the names of weights of a pooling layer."""

_OTHER_KINDS = {"timm_wrapper": "timm", "open_clip": "open_clip"}
"""model_type -> the kind of recipe for such models."""


def create(folder: Path, pooling: Pooling | None, seed: int = 0) -> nn.Module:
    """Create the model of the configuration in ``folder``, with random weights, in float32.

    Raises:
        DataError: transformers has no such model.
    """
    config = transformers_files.read_config(folder)
    other = _OTHER_KINDS.get(config.model_type)
    if other:
        raise DataError(
            f"a model of the type {config.model_type!r} is loaded by kind: {other}, not by "
            "transformers"
        )
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            options = _options(config, pooling)
            model = _class(config)._from_config(config, dtype=torch.float32, **options)  # noqa: SLF001 (the constructor that sets the number format)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise _not_a_model(folder, error) from error
    return cast("nn.Module", model.eval())


def load(
    folder: Path, checkpoint: Path | None, pooling: Pooling | None, where: str
) -> tuple[nn.Module, Pooling | None]:
    """Create the model in ``folder`` with its weights, or with those of another file.

    Args:
        folder: a folder with ``config.json`` and, without ``checkpoint``, the weights.
        checkpoint: a file of weights (safetensors, or a checkpoint of torch).
        pooling: as for ``create``.
        where: the model, for messages.

    Returns:
        The model, and its pooling: "cls" if the weights have no pooling layer.

    Raises:
        DataError: the weights are missing, damaged, or do not fit.
    """
    config = transformers_files.read_config(folder)
    with _folder_of(folder, checkpoint) as place:
        model, missing = _pretrained(config, place, pooling, where)
        if missing and pooling is None and all(name.startswith(_POOLER) for name in missing):
            pooling = "cls"
            model, missing = _pretrained(config, place, pooling, where)
    if missing:
        raise DataError(
            f"{where}: the weights lack {counted(len(missing), 'tensor')} of the architecture: "
            f"{bounded(missing, len(missing))}; they would be random"
        )
    return model.eval(), pooling


def has_text_tower(model: nn.Module) -> bool:
    """Return True if the model embeds images and texts in one space."""
    return hasattr(model, "get_image_features") and hasattr(model, "get_text_features")


class TransformersImages(nn.Module):
    """The image tower of a model, with its projection if there is one."""

    def __init__(
        self, model: nn.Module, pooling: Pooling | None, input_size: tuple[int, int]
    ) -> None:
        """Embed images by ``model``.

        Args:
            model: a model of transformers.
            pooling: of an image model: its pooled output, its first token, or the mean of its
                tokens; by default the pooled output, or the first token without one.
            input_size: (height, width) of the images; position embeddings are interpolated if
                the model was trained with another size.
        """
        super().__init__()
        self.model = model
        self._pooling = pooling
        self._has_text = has_text_tower(model)
        embed = cast("Any", model).get_image_features if self._has_text else model.forward
        self._options: dict[str, bool] = {}
        other_size = _image_size(cast("Any", model).config) not in (None, input_size)
        if other_size and "interpolate_pos_encoding" in inspect.signature(embed).parameters:
            self._options["interpolate_pos_encoding"] = True

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images (n, 3, h, w): (n, dim).

        Raises:
            ConfigError: the model does not give one vector per image.
        """
        model = cast("Any", self.model)
        if self._has_text:
            output = model.get_image_features(pixel_values=images, **self._options)
            return output if isinstance(output, torch.Tensor) else output.pooler_output
        output = model(pixel_values=images, **self._options)
        projected = getattr(output, "image_embeds", None)
        if projected is not None:
            return cast("torch.Tensor", projected)
        pooled = getattr(output, "pooler_output", None)
        if self._pooling == "pooler" and pooled is None:
            raise ConfigError("the model has no pooled output; set pooling: cls or mean")
        if pooled is not None and self._pooling in (None, "pooler"):
            return cast("torch.Tensor", pooled.flatten(1))
        states = getattr(output, "last_hidden_state", None)
        if states is None:
            raise ConfigError(f"{type(self.model).__name__} gives no vector of an image")
        return _pooled(states, self._pooling)


class TransformersTexts(nn.Module):
    """The text tower of a model, with its projection."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """Embed the outputs of the tokenizer: (n, dim)."""
        output = cast("Any", self.model).get_text_features(**inputs)
        return output if isinstance(output, torch.Tensor) else output.pooler_output


def _pooled(states: torch.Tensor, pooling: Pooling | None) -> torch.Tensor:
    """Pool tokens (n, tokens, dim) or feature maps (n, dim, h, w)."""
    if states.ndim == 4:
        return states.mean(dim=(2, 3))
    return states.mean(dim=1) if pooling == "mean" else states[:, 0]


def _class(config: Any) -> Any:
    """Return the class of a model: an image tower with a projection, or transformers' own."""
    name = next(iter(config.architectures or ()), "")
    own = getattr(transformers, name, None) if name.endswith("ModelWithProjection") else None
    if isinstance(own, type) and issubclass(own, transformers.PreTrainedModel):
        return own
    return transformers.AutoModel._model_mapping[type(config)]  # noqa: SLF001 (no public way)


def _options(config: Any, pooling: Pooling | None) -> dict[str, Any]:
    has_option = "add_pooling_layer" in inspect.signature(_class(config).__init__).parameters
    return {"add_pooling_layer": False} if has_option and pooling in ("cls", "mean") else {}


def _pretrained(
    config: Any, folder: Path, pooling: Pooling | None, where: str
) -> tuple[nn.Module, list[str]]:
    """Return a model with the weights in ``folder``, and the weights that are missing."""
    safe = bool(hub_files.existing(folder, WEIGHTS_FILES[0]))
    if not safe and not hub_files.existing(folder, WEIGHTS_FILES[1]):
        raise DataError(f"{where} has no file of weights, such as {WEIGHTS_FILES[0][0]}")
    try:
        model, facts = _class(config).from_pretrained(
            str(folder),
            config=config,
            dtype=torch.float32,
            use_safetensors=safe,
            weights_only=True,
            local_files_only=True,
            output_loading_info=True,
            **_options(config, pooling),
        )
    except Exception as error:
        message = " ".join(str(error).split())[:200]
        raise DataError(f"{where}: the weights cannot be read: {message}") from error
    return model, sorted(str(name) for name in facts["missing_keys"])


@contextlib.contextmanager
def _folder_of(folder: Path, checkpoint: Path | None) -> Iterator[Path]:
    """Yield a folder with the configuration and the weights of ``checkpoint``, if given."""
    if checkpoint is None:
        yield folder
        return
    name = WEIGHTS_FILES[0 if checkpoint.suffix == ".safetensors" else 1][0]
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / name).symlink_to(checkpoint.resolve())
        yield Path(place)


def _image_size(config: Any) -> tuple[int, int] | None:
    """Return the (height, width) that the position embeddings of a model have."""
    size = getattr(getattr(config, "vision_config", config), "image_size", None)
    if isinstance(size, int):
        return size, size
    return tuple(size) if isinstance(size, (list, tuple)) and len(size) == 2 else None


def _not_a_model(folder: Path, error: Exception) -> DataError:
    message = " ".join(str(error).split())[:200]
    return DataError(f"{CONFIGURATION} in {folder.name} is not that of a model: {message}")
