"""Where a vision transformer looks: the attention of every head, how far, and at what."""

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
    """The attention weights of one picture.

    Attributes:
        layers: the layers' names, from the input on.
        weights: (layers, heads, tokens, tokens), each row's sum 1.
        grid: how many patches stand below and beside each other.
        patch: a patch's height and width in pixels of the model's input.
    """

    layers: list[str]
    weights: Weights
    grid: tuple[int, int]
    patch: tuple[int, int]

    @property
    def prefix(self) -> int:
        """How many tokens come before those of the patches: the class token, registers."""
        return int(self.weights.shape[-1]) - self.grid[0] * self.grid[1]

    def distances(self) -> Weights:
        """(layers, heads): how far a patch looks on average, in pixels of the model's input.

        The distance of two patches' centres, weighted by the attention that the one pays to
        the other, over all patches that look. Source: Dosovitskiy et al., An Image is Worth
        16x16 Words, ICLR 2021 (arXiv:2010.11929), appendix D.7.
        """
        rows, columns = (side.ravel() for side in np.indices(self.grid))
        places = np.stack([rows * self.patch[0], columns * self.patch[1]], axis=1)
        apart = np.linalg.norm(places[:, None] - places[None], axis=2).astype(np.float32)
        among = self.weights[..., self.prefix :, self.prefix :]
        shares = among / among.sum(axis=-1, keepdims=True)
        found: Weights = (shares * apart).sum(axis=-1).mean(axis=-1)
        return found

    def saliency(self) -> Weights:
        """(heads, rows, columns): what the last layer's class token looks at, at most 1.

        Where there is no class token, what all patches look at, on average.
        """
        last = self.weights[-1]
        looks = last[:, 0] if self.prefix else last.mean(axis=1)
        patches = looks[:, self.prefix :].reshape(-1, *self.grid)
        scaled: Weights = patches / patches.max(axis=(1, 2), keepdims=True)
        return scaled


def attend(model: nn.Module, pixels: torch.Tensor) -> Attention:
    """The attention of ``model``, a vision transformer, to one picture (1, 3, h, w).

    Raises:
        DataError: the model has no attention from every patch to every other.
    """
    patches = getattr(model, "patch_embed", None)
    grid, patch = (getattr(patches, name, None) for name in ("grid_size", "patch_size"))
    seen: dict[str, torch.Tensor] = {}
    with torch.inference_mode(), _watched(model, seen):
        model(pixels)
    if grid is None or patch is None or not _is_whole(seen, grid):
        raise DataError(
            f"{type(model).__name__} has no attention from every patch to every other; "
            "name a model with a vision transformer (vit_..., deit_..., a DINOv2)"
        )
    stacked = torch.cat(list(seen.values())).float().cpu().numpy()
    return Attention(list(seen), stacked, tuple(grid), tuple(patch))


def _is_whole(seen: dict[str, torch.Tensor], grid: Any) -> bool:
    """Whether every layer saw the one picture as a whole, and not window by window."""
    shapes = {tuple(weights.shape) for weights in seen.values()}
    return len(shapes) == 1 and all(s[0] == 1 and s[-1] >= grid[0] * grid[1] for s in shapes)


@contextmanager
def _watched(model: nn.Module, seen: dict[str, torch.Tensor]) -> Iterator[None]:
    """Put the attention weights of every layer into ``seen`` while the model runs."""
    layers = {n: m for n, m in model.named_modules() if hasattr(m, "attn_drop")}
    fused = {name: getattr(layer, "fused_attn", None) for name, layer in layers.items()}
    hooks = []
    for name, layer in layers.items():
        if fused[name]:
            layer.fused_attn = False  # the fused kernel never has the weights in memory
        drop = layer.attn_drop
        if isinstance(drop, nn.Module):
            hooks.append(drop.register_forward_pre_hook(_keep(seen, name)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for name, layer in layers.items():
            if fused[name]:
                layer.fused_attn = True


def _keep(seen: dict[str, torch.Tensor], name: str) -> Any:
    def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        seen[name] = inputs[0].detach()

    return hook
