"""Random augmentation of whole batches, on the device of the model.

All geometric changes are one affine sampling. The random numbers of an image depend only on the
seed, the step and its position in the batch of all processes, so that resumed trainings and
those on several processes draw the same numbers.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from likewise.models.passport import Preprocessing
from likewise.models.training.mixed_precision import full_precision
from likewise.models.training.options import AugmentOptions

RANDOM_NUMBERS = 18
"""Uniform numbers per image and view; the last one is for the objective."""

_ASPECT = math.log(4 / 3)


def random_numbers(seed: int, step: int, view: int, count: int) -> torch.Tensor:
    """Draw numbers for ``count`` images at ``step``: (count, RANDOM_NUMBERS), 0 to 1."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + step) * 17 + view)
    return torch.rand(count, RANDOM_NUMBERS, generator=generator)


class Normalisation(nn.Module):
    """Normalisation by the mean and standard deviation of each channel."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        for name, values in (("mean", preprocessing.mean), ("std", preprocessing.std)):
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1), persistent=False)

    def normalised(self, images: torch.Tensor) -> torch.Tensor:
        """Normalise images (n, 3 or 1, h, w) in 0 to 1: (n, 3, h, w)."""
        normalised = (images - self.mean) / self.std
        return normalised.contiguous(memory_format=torch.channels_last)

    def grey(self, normalised: torch.Tensor) -> torch.Tensor:
        """Return the grey version of normalised images: (n, 1, h, w) in 0 to 1."""
        return (normalised * self.std + self.mean).mean(dim=1, keepdim=True)


class Augmenter(nn.Module):
    """Turns pixels into the input of a model, with or without augmentation, in float32."""

    def __init__(
        self, augment: AugmentOptions, preprocessing: Preprocessing, max_crop: float = 1.0
    ) -> None:
        """Prepare the augmentation.

        Args:
            augment: its options.
            preprocessing: size and normalisation of the model's input.
            max_crop: maximum area of a random crop as a share of the image.
        """
        super().__init__()
        self.augment = augment
        self._preprocessing, self._max_crop = preprocessing, max_crop
        self.size = preprocessing.input_size[1]
        self.normalisation = Normalisation(preprocessing)

    def for_local_views(self, size: int) -> "Augmenter":
        """Return an augmenter of small crops at another size: as in DINO, up to a third."""
        preprocessing = self._preprocessing.model_copy(update={"input_size": (3, size, size)})
        augment = self.augment.model_copy(update={"crop": min(self.augment.crop, 0.05)})
        return Augmenter(augment, preprocessing, 1 / 3)

    def prepared(self, pixels: torch.Tensor) -> torch.Tensor:
        """Resize and normalise pixels (n, h, w, 3), uint8: (n, 3, size, size)."""
        with full_precision(pixels.device):
            return self.normalisation.normalised(self._resized(_scaled(pixels)))

    def augmented(self, pixels: torch.Tensor, random: torch.Tensor) -> torch.Tensor:
        """Augment pixels (n, h, w, 3) by numbers (n, RANDOM_NUMBERS): (n, 3, size, size)."""
        with full_precision(pixels.device):
            images = _scaled(pixels)
            if self._is_geometric():
                images = self._warped(images, random)
            images = self._coloured(self._resized(images), random)
            return self.normalisation.normalised(images)

    def _resized(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[-1] == self.size and images.shape[-2] == self.size:
            return images
        return functional.interpolate(
            images, (self.size, self.size), mode="bilinear", antialias=True
        )

    def _is_geometric(self) -> bool:
        a = self.augment
        return any((a.rotate, a.scale, a.stretch, a.shift, a.flip)) or a.crop < 1

    def _warped(self, images: torch.Tensor, random: torch.Tensor) -> torch.Tensor:
        # The sampler reads 0 outside the image; shifting by the fill level turns 0 into it.
        fill = self.augment.fill
        grid = functional.affine_grid(
            self._theta(random), [len(images), 3, self.size, self.size], align_corners=False
        )
        warped: torch.Tensor = functional.grid_sample(images - fill, grid, align_corners=False)
        return warped + fill

    def _theta(self, random: torch.Tensor) -> torch.Tensor:
        """Return affine maps (n, 2, 3) from output to input positions, each in -1 to 1."""
        a = self.augment
        even = random * 2 - 1
        angle = even[:, 0] * math.radians(a.rotate)
        scale = torch.exp(even[:, 1] * math.log1p(a.scale))
        stretch = torch.exp(even[:, 2] * math.log1p(a.stretch) / 2)
        area = a.crop + (self._max_crop - a.crop) * random[:, 6]
        aspect = torch.exp(even[:, 7] * _ASPECT / 2) if a.crop < 1 else torch.ones_like(area)
        wide, high = ((area.sqrt() * r).clamp(max=1) for r in (aspect, 1 / aspect))
        x = even[:, 3] * a.shift + even[:, 8] * (1 - wide)
        y = even[:, 4] * a.shift + even[:, 9] * (1 - high)
        mirror = torch.where(random[:, 5] < a.flip, -1.0, 1.0)
        across, down = wide * scale * stretch * mirror, high * scale / stretch
        cos, sin = torch.cos(angle), torch.sin(angle)
        rows = (cos * across, -sin * down, x), (sin * across, cos * down, y)
        return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)

    def _coloured(self, images: torch.Tensor, random: torch.Tensor) -> torch.Tensor:
        a, even = self.augment, (random * 2 - 1)[:, :, None, None]
        if a.colour:
            mean = images.mean(dim=(1, 2, 3), keepdim=True)
            images = (images - mean) * (1 + even[:, 11:12] * a.colour) + mean
            images = images * (1 + even[:, 10:11] * a.colour)
            images = (images + even[:, 12:15] * a.colour / 2).clamp(0, 1)
        if a.grey:
            selected = random[:, 15, None, None, None] < a.grey
            images = torch.where(selected, images.mean(dim=1, keepdim=True), images)
        if a.blur:
            selected = random[:, 16, None, None, None] < a.blur
            blurred = functional.avg_pool2d(
                images, 5, stride=1, padding=2, count_include_pad=False
            )
            images = torch.where(selected, blurred, images)
        return images


def pseudo_sketches(grey: torch.Tensor) -> torch.Tensor:
    """Draw the edges of grey images (n, 1, h, w) in 0 to 1, dark on white.

    Darkness is the magnitude of the Sobel gradient, relative to its 99th percentile in each
    image.
    """
    step = torch.arange(-1, 2, device=grey.device, dtype=grey.dtype)
    across = (2 - step.abs())[:, None] * step  # created on the device: nothing is copied to it
    kernel = torch.stack([across, across.T])[:, None]
    with full_precision(grey.device):
        padded = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
        gradient = functional.conv2d(padded, kernel)
    magnitude = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
    top = torch.quantile(magnitude.flatten(1), 0.99, dim=1)[:, None, None, None]
    dark: torch.Tensor = (1.5 * magnitude / top.clamp(min=1e-6)).clamp(max=1)
    return 1 - dark


def _scaled(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.permute(0, 3, 1, 2).float() / 255
