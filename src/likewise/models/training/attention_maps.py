"""Attention maps of vision transformers: weights, mean distances and saliency per head."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from likewise.errors import DataError

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Attention:
    """The attention weights of one image.

    Attributes:
        layers: the names of the layers, from input to output.
        weights: (layers, heads, tokens, tokens); rows sum to 1.
        grid: number of patches, (down, across).
        patch: (height, width) of a patch in pixels of the model's input.
    """

    layers: list[str]
    weights: Weights
    grid: tuple[int, int]
    patch: tuple[int, int]

    @property
    def prefix(self) -> int:
        """The number of tokens before the patches: class token and registers."""
        return int(self.weights.shape[-1]) - self.grid[0] * self.grid[1]

    def distances(self) -> Weights:
        """Return mean attention distances (layers, heads), in pixels of the model's input.

        The mean over patches of the distance to other patches' centres, weighted by attention.
        Source: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021
        (arXiv:2010.11929), appendix D.7.
        """
        rows, columns = (side.ravel() for side in np.indices(self.grid))
        centres = np.stack([rows * self.patch[0], columns * self.patch[1]], axis=1)
        distance = np.linalg.norm(centres[:, None] - centres[None], axis=2).astype(np.float32)
        patches = self.weights[..., self.prefix :, self.prefix :]
        shares = patches / patches.sum(axis=-1, keepdims=True)
        mean: Weights = (shares * distance).sum(axis=-1).mean(axis=-1)
        return mean

    def saliency(self) -> Weights:
        """Return the attention of the last layer's class token: (heads, rows, columns), max 1.

        Without a class token it is the mean attention of all patches.
        """
        last = self.weights[-1]
        attention = last[:, 0] if self.prefix else last.mean(axis=1)
        patches = attention[:, self.prefix :].reshape(-1, *self.grid)
        scaled: Weights = patches / patches.max(axis=(1, 2), keepdims=True)
        return scaled


def attend(model: nn.Module, pixels: torch.Tensor) -> Attention:
    """Return the attention of a vision transformer for one image (1, 3, h, w).

    Raises:
        DataError: the model has no attention between all pairs of patches.
    """
    patches = getattr(model, "patch_embed", None)
    grid, patch = (getattr(patches, name, None) for name in ("grid_size", "patch_size"))
    by_layer: dict[str, torch.Tensor] = {}
    with torch.inference_mode(), _recorded(model, by_layer):
        model(pixels)
    if grid is None or patch is None or not _is_global(by_layer, grid):
        raise DataError(
            f"{type(model).__name__} has no attention between all pairs of patches; "
            "choose a vision transformer (vit_..., deit_..., DINOv2)"
        )
    stacked = torch.cat(list(by_layer.values())).float().cpu().numpy()
    return Attention(list(by_layer), stacked, tuple(grid), tuple(patch))


def _is_global(by_layer: dict[str, torch.Tensor], grid: Any) -> bool:
    """Return whether all layers attend over the whole image, not over windows."""
    shapes = {tuple(weights.shape) for weights in by_layer.values()}
    return len(shapes) == 1 and all(s[0] == 1 and s[-1] >= grid[0] * grid[1] for s in shapes)


@contextmanager
def _recorded(model: nn.Module, by_layer: dict[str, torch.Tensor]) -> Iterator[None]:
    """Record the attention weights of each layer in ``by_layer`` while the model runs."""
    layers = {n: m for n, m in model.named_modules() if hasattr(m, "attn_drop")}
    fused = {name: getattr(layer, "fused_attn", None) for name, layer in layers.items()}
    hooks = []
    for name, layer in layers.items():
        if fused[name]:
            layer.fused_attn = False  # the fused kernel does not store the weights
        drop = layer.attn_drop
        if isinstance(drop, nn.Module):
            hooks.append(drop.register_forward_pre_hook(_record(by_layer, name)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for name, layer in layers.items():
            if fused[name]:
                layer.fused_attn = True


def _record(by_layer: dict[str, torch.Tensor], name: str) -> Any:
    def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        by_layer[name] = inputs[0].detach()

    return hook
