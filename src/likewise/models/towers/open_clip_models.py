"""Models of open_clip: image and text towers with their projections."""

import copy
import json
from pathlib import Path
from typing import Any, cast

import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict
from torch import nn

from likewise.errors import ConfigError, DataError
from likewise.formats import atomic
from likewise.models.model_files import CONFIG
from likewise.models.passport import Preprocessing
from likewise.models.towers import hub_files
from likewise.models.towers.open_clip_source import CONFIGURATION, ClipSource, configuration
from likewise.models.training.image_batches import PixelSteps, PixelTransform

_CROP_MODES = {"shortest": "center", "squash": "squash", "longest": "border"}
"""open_clip's resize_mode -> timm's crop_mode."""


def make(source: ClipSource, input_size: int | None, folder: Path, seed: int) -> nn.Module:
    """Create the model with its weights, and write its configuration into ``folder``.

    Raises:
        DataError: the weights do not fit, or the configuration is not that of a model.
        ConfigError: the architecture does not support the input size.
    """
    config = copy.deepcopy(source.config)
    if input_size is not None:
        config["model_cfg"]["vision_cfg"]["image_size"] = input_size
        config["preprocess_cfg"]["size"] = input_size
    hf_model = source.text.get("hf_model_name")
    if hf_model:
        files = hub_files.find(str(hf_model), None, ["config.json"], ())
        hub_files.copy_files([files.path / "config.json"], folder / CONFIG / "text")
    (folder / CONFIG).mkdir(parents=True, exist_ok=True)
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    atomic.write_text(folder / CONFIG / CONFIGURATION, text)
    model = build(folder, seed, resized=False)
    if source.checkpoint is not None:
        try:
            open_clip.load_checkpoint(model, str(source.checkpoint), weights_only=True)
        except Exception as error:  # the library and torch raise errors of many types
            message = " ".join(str(error).split())[:200]
            raise DataError(
                f"model {source.name!r}: {source.checkpoint.name} does not fit the "
                f"architecture, or cannot be read: {message}"
            ) from error
    return _resized(model, config)


def build(folder: Path, seed: int = 0, *, resized: bool = True) -> nn.Module:
    """Create the model of the configuration in ``folder``, with random weights.

    Nothing is fetched, and no code of the model is run.

    Raises:
        DataError: the configuration is not that of a model.
    """
    config = configuration(folder / CONFIG / CONFIGURATION)
    options = copy.deepcopy(config["model_cfg"])
    text, vision = options["text_cfg"], options["vision_cfg"]
    if ":" in str(vision.get("timm_model_name") or ""):  # timm would fetch it
        raise DataError(f"{folder}: {vision['timm_model_name']!r} is not a name of timm")
    vision["timm_model_pretrained"] = False
    text["hf_model_pretrained"] = False
    custom = options.pop("custom_text", False)
    if text.get("hf_model_name"):
        text["hf_model_name"] = str(_text_config(folder))
        custom = True
    model_class: type[nn.Module] = open_clip.CLIP
    if custom:
        has_decoder = "multimodal_cfg" in options
        model_class = open_clip.CoCa if has_decoder else open_clip.CustomTextCLIP
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = model_class(**options).eval()
    except (TypeError, ValueError, AssertionError, RuntimeError, KeyError) as error:
        message = " ".join(str(error).split())[:200]
        raise DataError(f"{CONFIGURATION} is not that of a model: {message}") from error
    return _resized(model, config) if resized else model


def preprocessing(folder: Path) -> Preprocessing:
    """Return the model's own preprocessing, in the terms of timm."""
    config = _preprocess_config(folder)
    height, width = config.input_size[1:]
    return Preprocessing(
        input_size=(3, height, width),
        interpolation="bilinear" if "bilinear" in config.interpolation else "bicubic",
        crop_pct=1.0,
        crop_mode=_CROP_MODES[config.resize_mode],
        mean=tuple(config.mean),
        std=tuple(config.std),
    )


def pixel_transform(folder: Path) -> PixelTransform:
    """Return a picklable function from an RGB image to pixels: open_clip's own steps."""
    steps = image_transform_v2(_preprocess_config(folder), is_train=False)
    return PixelSteps(type(steps)(steps.transforms[:-2]))  # without tensor and normalisation


class OpenClipImages(nn.Module):
    """The image tower of a model, with its projection."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images (n, 3, h, w): (n, dim)."""
        return cast("torch.Tensor", cast("Any", self.model).encode_image(images))


class OpenClipTexts(nn.Module):
    """The text tower of a model, with its projection."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Embed tokens (n, context): (n, dim)."""
        return cast("torch.Tensor", cast("Any", self.model).encode_text(text))


def _text_config(folder: Path) -> Path:
    """Return the folder of the configuration of a text tower from transformers.

    Raises:
        DataError: it is missing, or the model needs code of its own.
    """
    from likewise.models.towers import transformers_files

    path = folder / CONFIG / "text"
    transformers_files.read_config(path, copied=True)
    return path


def _resized(model: nn.Module, config: dict[str, Any]) -> nn.Module:
    """Set the input size of a model whose image tower is timm's.

    Raises:
        ConfigError: the architecture does not support the size.
    """
    vision, visual = config["model_cfg"]["vision_cfg"], cast("Any", model.visual)
    if "timm_model_name" not in vision or not hasattr(visual, "set_input_size"):
        return model
    size = vision.get("image_size", 224)
    try:
        visual.set_input_size(size)
    except (AssertionError, ValueError, RuntimeError, AttributeError) as error:
        name = vision["timm_model_name"]
        raise ConfigError(f"{name} does not support input_size {size}: {error}") from error
    return model


def _preprocess_config(folder: Path) -> PreprocessCfg:
    """Return open_clip's preprocessing of the model in ``folder``.

    Raises:
        DataError: a part of it is unknown.
    """
    config = configuration(folder / CONFIG / CONFIGURATION)
    size = {"size": config["model_cfg"]["vision_cfg"].get("image_size", 224)}
    try:
        parts = PreprocessCfg(**merge_preprocess_dict(size, config.get("preprocess_cfg", {})))
        parts.size = size["size"]
    except (TypeError, ValueError, AssertionError) as error:
        raise DataError(f"preprocess_cfg of {CONFIGURATION} is not valid: {error}") from error
    if parts.resize_mode not in _CROP_MODES:
        raise DataError(f"{CONFIGURATION}: resize_mode {parts.resize_mode!r} is unknown")
    return parts
