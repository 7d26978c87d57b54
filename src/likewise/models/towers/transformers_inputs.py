"""The inputs of models of transformers: pixels by their image processors, and tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from transformers import AutoImageProcessor

from likewise.errors import ConfigError, DataError
from likewise.formats.array_types import AnyArray
from likewise.models.image_options import ImageOptions
from likewise.models.model_files import CONFIG
from likewise.models.passport import Preprocessing, TextTower
from likewise.models.towers import transformers_files
from likewise.models.towers.tower_text import Inputs
from likewise.models.training import backbones
from likewise.models.training.image_batches import PixelTransform

PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")
"""Files of an image processor."""

_INTERPOLATIONS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Pillow's number of a filter -> timm's name."""

_PADDED = ("siglip", "siglip2")
"""Types of models that were trained on texts padded to the context (so in transformers' own
pipeline of zero-shot classification); other texts have a mask, and need no padding."""

_TOLERANCE = 1e-5
"""Maximum difference of normalised pixels that rounding to 8 bits may cause."""


def read_processor(folder: Path, where: str) -> Any:
    """Return the image processor in ``folder``.

    Raises:
        DataError: it is missing or damaged.
    """
    try:
        return AutoImageProcessor.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        message = " ".join(str(error).split())[:200]
        raise DataError(
            f"{where}: its image processor ({PROCESSOR_FILES[0]}) is missing or damaged: "
            f"{message}"
        ) from error


class ProcessorPixels:
    """The pixels that an image processor makes of an image.

    They are uint8, before normalisation, if the processor resizes images of 8 bits; processors
    that scale before they resize give normalised floats.
    """

    def __init__(self, processor: Any, preprocessing: Preprocessing) -> None:
        """Compare both ways on noise, and use uint8 if it changes nothing."""
        self._processor = processor
        self._eight_bits = False
        noise = np.random.default_rng(0).integers(0, 256, (331, 257, 3), np.uint8)
        image = Image.fromarray(noise)
        exact = self(image)
        self._eight_bits = True
        rounded = (self(image) / np.float32(255) - preprocessing.mean) / preprocessing.std
        same = rounded.shape == exact.shape and np.abs(rounded - exact).max() <= _TOLERANCE
        self._eight_bits = bool(same)

    def __call__(self, image: Image.Image) -> AnyArray:
        """Return (height, width, 3): uint8, or normalised float32."""
        off = {"do_rescale": False, "do_normalize": False} if self._eight_bits else {}
        values = self._processor(images=image, return_tensors="pt", **off)["pixel_values"][0]
        pixels = np.moveaxis(np.asarray(values), 0, -1)
        if self._eight_bits:
            pixels = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
        return pixels


def preprocessing_of(folder: Path, where: str, options: ImageOptions) -> Preprocessing:
    """Return the preprocessing of the model in ``folder``, with the parts that are replaced.

    Raises:
        DataError: its image processor is missing or damaged.
        ConfigError: the size of its inputs depends on the image.
    """
    return options.preprocessing(_described(read_processor(folder, where), where))


def pixel_transform(
    folder: Path, preprocessing: Preprocessing, options: ImageOptions
) -> PixelTransform:
    """Return a picklable function from an RGB image to its pixels.

    The function is the model's own image processor, or timm's transform if options replace a
    part of the geometry.

    Raises:
        DataError: the image processor is missing or damaged.
    """
    if options.has_own_geometry:
        return backbones.pixel_transform(preprocessing)
    processor = read_processor(folder, f"the model in {folder.parent.name}")
    for name, values in (("image_mean", preprocessing.mean), ("image_std", preprocessing.std)):
        setattr(processor, name, list(values))
    return ProcessorPixels(processor, preprocessing)


def _described(processor: Any, where: str) -> Preprocessing:
    """Describe an image processor in the terms of timm.

    Raises:
        ConfigError: the size of its output depends on the image.
    """
    shapes = set()
    for size in ((300, 200), (200, 300)):
        values = processor(images=Image.new("RGB", size), return_tensors="pt")["pixel_values"]
        shapes.add(tuple(np.asarray(values).shape[1:]))
    shape = shapes.pop()
    if shapes or len(shape) != 3:
        raise ConfigError(
            f"{where}: its image processor ({type(processor).__name__}) gives inputs whose "
            "size depends on the image; choose a model of a fixed size, or set input_size"
        )
    channels, height, width = shape
    normalises = bool(getattr(processor, "do_normalize", True))
    crop_mode, crop_pct = _crop(processor, height)
    return Preprocessing(
        input_size=(channels, height, width),
        interpolation=_INTERPOLATIONS.get(
            int(getattr(processor, "resample", 3) or 0), "bicubic"
        ),
        crop_pct=crop_pct,
        crop_mode=crop_mode,
        mean=_channels(processor.image_mean if normalises else 0.0),
        std=_channels(processor.image_std if normalises else 1.0),
    )


def _crop(processor: Any, height: int) -> tuple[str, float]:
    """Return crop_mode and crop_pct."""
    size = getattr(processor, "size", None) or {}
    shortest = size.get("shortest_edge") if hasattr(size, "get") else None
    side = shortest or (size.get("height") if hasattr(size, "get") else None) or height
    return ("center" if shortest else "squash"), min(height / side, 1.0)


def _channels(value: float | Sequence[float]) -> tuple[float, ...]:
    return (float(value),) * 3 if isinstance(value, int | float) else tuple(map(float, value))


class TransformersTokens:
    """The tokenizer of a model in ``folder``."""

    def __init__(self, folder: Path, tower: TextTower) -> None:
        """Read the tokenizer.

        Raises:
            DataError: its files are damaged.
        """
        place = folder / CONFIG
        self._tokenizer = transformers_files.read_tokenizer(place)
        padded = transformers_files.read_config(place).model_type in _PADDED
        self._options = {
            "padding": "max_length" if padded else False,
            "max_length": tower.context_length,
            "truncation": True,
            "return_tensors": "pt",
        }

    def inputs(self, sentence: str) -> Inputs:
        """Return the tokens of a sentence, cut to the context: (1, tokens) each."""
        return dict(self._tokenizer([sentence], **self._options))

    def count(self, sentence: str) -> int:
        """Return the number of tokens of the uncut sentence, with the special tokens."""
        return len(self._tokenizer(sentence)["input_ids"])


def context_length(folder: Path) -> int:
    """Return the maximum number of tokens of a text, by the model and its tokenizer."""
    config = transformers_files.read_config(folder)
    text = getattr(config, "text_config", config)
    longest = int(getattr(text, "max_position_embeddings", 77))
    return min(longest, int(transformers_files.read_tokenizer(folder).model_max_length))
