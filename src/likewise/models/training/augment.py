"""Pictures changed at random, a whole batch at once, on the device where the model is.

Every change of shape is one affine sampling. The random numbers of a picture hang on the seed,
the step and its place in the batch of all processes, and on nothing that ran before, so that a
resumed training, and one on several processes, draws the very same.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from likewise.models.passport import Preprocessing
from likewise.models.training.mixed_precision import exact
from likewise.models.training.options import Augment

DRAWS = 18
"""Uniform numbers that a picture's changes take; the last is for whoever asks."""

_ASPECT = math.log(4 / 3)


def draws(seed: int, step: int, view: int, count: int) -> torch.Tensor:
    """The random numbers of ``count`` pictures at ``step``: (count, DRAWS), from 0 to 1."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + step) * 17 + view)
    return torch.rand(count, DRAWS, generator=generator)


class Levels(nn.Module):
    """The mean and the deviation of a model's input, a value a channel."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: Preprocessing) -> None:
        super().__init__()
        for name, values in (("mean", config.mean), ("std", config.std)):
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1), persistent=False)

    def normalised(self, picture: torch.Tensor) -> torch.Tensor:
        """A model's input of pictures (n, 3 or 1, h, w) from 0 to 1: (n, 3, h, w)."""
        ready = (picture - self.mean) / self.std
        return ready.contiguous(memory_format=torch.channels_last)

    def grey(self, pixels: torch.Tensor) -> torch.Tensor:
        """The pictures that became a model's input, in grey: (n, 1, h, w) from 0 to 1."""
        return (pixels * self.std + self.mean).mean(dim=1, keepdim=True)


class Views(nn.Module):
    """Turns pixels as they are read into what a model looks at, changed at random or not.

    All of it is computed in float32; see ``exact``.
    """

    def __init__(self, augment: Augment, config: Preprocessing, most: float = 1.0) -> None:
        """Take the changes, the size and normalisation, and the greatest area looked at."""
        super().__init__()
        self.augment = augment
        self._config, self._most = config, most
        self.size = config.input_size[1]
        self.levels = Levels(config)

    def smaller(self, size: int) -> "Views":
        """The same at another size, of small parts of a picture: as in DINO, up to a third."""
        config = self._config.model_copy(update={"input_size": (3, size, size)})
        part = self.augment.model_copy(update={"crop": min(self.augment.crop, 0.05)})
        return Views(part, config, 1 / 3)

    def plain(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels (n, h, w, 3) uint8 as they are: (n, 3, size, size), normalised."""
        with exact(pixels.device):
            return self.levels.normalised(self._fitted(_unit(pixels)))

    def changed(self, pixels: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """Pixels changed as the random ``numbers`` (n, DRAWS) say."""
        with exact(pixels.device):
            picture = _unit(pixels)
            if self._moves():
                picture = self._moved(picture, numbers)
            picture = self._coloured(self._fitted(picture), numbers)
            return self.levels.normalised(picture)

    def _fitted(self, picture: torch.Tensor) -> torch.Tensor:
        if picture.shape[-1] == self.size and picture.shape[-2] == self.size:
            return picture
        return functional.interpolate(
            picture, (self.size, self.size), mode="bilinear", antialias=True
        )

    def _moves(self) -> bool:
        a = self.augment
        return any((a.rotate, a.scale, a.stretch, a.shift, a.flip)) or a.crop < 1

    def _moved(self, picture: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        # Outside is 0 for the sampler, so that what lies there is moved to 0 and back.
        fill = self.augment.fill
        grid = functional.affine_grid(
            self._theta(drawn), [len(picture), 3, self.size, self.size], align_corners=False
        )
        moved: torch.Tensor = functional.grid_sample(picture - fill, grid, align_corners=False)
        return moved + fill

    def _theta(self, drawn: torch.Tensor) -> torch.Tensor:
        """(n, 2, 3): from places in the new picture to places in the old one, -1 to 1 each."""
        a = self.augment
        even = drawn * 2 - 1
        angle = even[:, 0] * math.radians(a.rotate)
        scale = torch.exp(even[:, 1] * math.log1p(a.scale))
        stretch = torch.exp(even[:, 2] * math.log1p(a.stretch) / 2)
        area = a.crop + (self._most - a.crop) * drawn[:, 6]
        aspect = torch.exp(even[:, 7] * _ASPECT / 2) if a.crop < 1 else torch.ones_like(area)
        wide, high = ((area.sqrt() * r).clamp(max=1) for r in (aspect, 1 / aspect))
        x = even[:, 3] * a.shift + even[:, 8] * (1 - wide)
        y = even[:, 4] * a.shift + even[:, 9] * (1 - high)
        mirror = torch.where(drawn[:, 5] < a.flip, -1.0, 1.0)
        across, down = wide * scale * stretch * mirror, high * scale / stretch
        cos, sin = torch.cos(angle), torch.sin(angle)
        rows = (cos * across, -sin * down, x), (sin * across, cos * down, y)
        return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)

    def _coloured(self, picture: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        a, even = self.augment, (drawn * 2 - 1)[:, :, None, None]
        if a.colour:
            middle = picture.mean(dim=(1, 2, 3), keepdim=True)
            picture = (picture - middle) * (1 + even[:, 11:12] * a.colour) + middle
            picture = picture * (1 + even[:, 10:11] * a.colour)
            picture = (picture + even[:, 12:15] * a.colour / 2).clamp(0, 1)
        if a.grey:
            chosen = drawn[:, 15, None, None, None] < a.grey
            picture = torch.where(chosen, picture.mean(dim=1, keepdim=True), picture)
        if a.blur:
            chosen = drawn[:, 16, None, None, None] < a.blur
            soft = functional.avg_pool2d(
                picture, 5, stride=1, padding=2, count_include_pad=False
            )
            picture = torch.where(chosen, soft, picture)
        return picture


def edges(grey: torch.Tensor) -> torch.Tensor:
    """Pseudo-sketches of grey pictures (n, 1, h, w) from 0 to 1: dark edges on white.

    The gradient's length (Sobel's) against its 99th percentile in each picture.
    """
    step = torch.arange(-1, 2, device=grey.device, dtype=grey.dtype)
    across = (2 - step.abs())[:, None] * step  # made where it is used: nothing is sent there
    kernel = torch.stack([across, across.T])[:, None]
    with exact(grey.device):
        padded = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
        found = functional.conv2d(padded, kernel)
    length = torch.linalg.vector_norm(found, dim=1, keepdim=True)
    top = torch.quantile(length.flatten(1), 0.99, dim=1)[:, None, None, None]
    dark: torch.Tensor = (1.5 * length / top.clamp(min=1e-6)).clamp(max=1)
    return 1 - dark


def _unit(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.permute(0, 3, 1, 2).float() / 255
