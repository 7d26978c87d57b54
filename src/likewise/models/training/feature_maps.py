"""Feature maps of timm backbones: their layout, depth and grid of patches."""

from typing import Any, cast

import torch
from torch import nn

from likewise.errors import ConfigError


def feature_map(trunk: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the last feature map, before pooling: (n, tokens, c) or a map in timm's layout."""
    return cast("torch.Tensor", cast("Any", trunk).forward_features(images))


def flatten_map(trunk: nn.Module, features: torch.Tensor) -> torch.Tensor:
    """Convert a feature map of any layout to (n, positions, channels), without class tokens."""
    if features.ndim == 3:
        return features[:, int(getattr(trunk, "num_prefix_tokens", 0)) :]
    depth = channels(trunk)
    if features.shape[1] != depth and features.shape[-1] == depth:
        return features.flatten(1, 2)
    return features.flatten(2).transpose(1, 2)


def channels(trunk: nn.Module) -> int:
    """Return the channels of the last feature map; pooled vectors may be longer."""
    return int(cast("Any", trunk).num_features)


def patch_grid(trunk: nn.Module, input_size: int | None = None) -> tuple[int, int]:
    """Return the number of patches of a vision transformer, (down, across).

    Raises:
        ConfigError: the backbone is not a vision transformer with one class token.
    """
    grid = getattr(getattr(trunk, "patch_embed", None), "grid_size", None)
    if grid is None or getattr(trunk, "num_prefix_tokens", 0) != 1:
        raise ConfigError(
            "token recycling needs a vision transformer with one class token; choose a "
            "backbone such as vit_base_patch16_224"
        )
    return int(grid[0]), int(grid[1])
