"""Attention maps of vision transformers: weights, distances, saliency, variance of tokens."""

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
        variances: (layers,) variance of the patch tokens after each layer's block: over the
            patches, averaged over the channels.
        squares: (layers,) mean square of the same tokens.
    """

    layers: list[str]
    weights: Weights
    grid: tuple[int, int]
    patch: tuple[int, int]
    variances: Weights
    squares: Weights

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
        distance = self._between()
        patches = self.weights[..., self.prefix :, self.prefix :]
        shares = patches / patches.sum(axis=-1, keepdims=True)
        mean: Weights = (shares * distance).sum(axis=-1).mean(axis=-1)
        return mean

    def uniform_distance(self) -> float:
        """Return the distance in pixels of attention that is equal for all patches."""
        return float(self._between().mean())

    def _between(self) -> Weights:
        """Return the distances (patches, patches) of the patches' centres in pixels."""
        rows, columns = (side.ravel() for side in np.indices(self.grid))
        centres = np.stack([rows * self.patch[0], columns * self.patch[1]], axis=1)
        between: Weights = np.linalg.norm(centres[:, None] - centres[None], axis=2).astype(
            np.float32
        )
        return between

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

    A model with several passes, such as one that sees a photograph and its edges, is measured
    in its first pass.

    Raises:
        DataError: the model has no attention between all pairs of patches.
    """
    transformer = _transformer(model)
    patches = getattr(transformer, "patch_embed", None)
    grid, patch = (getattr(patches, name, None) for name in ("grid_size", "patch_size"))
    layers = _AttentionLayers(transformer)
    with torch.inference_mode(), layers.recorded():
        model(pixels)
    if grid is None or patch is None or not _is_global(layers.weights, grid):
        raise DataError(
            f"{type(transformer).__name__} has no attention between all pairs of patches; "
            "choose a vision transformer (vit_..., deit_..., DINOv2)"
        )
    stacked = torch.cat(list(layers.weights.values())).float().cpu().numpy()
    tokens = [layers.tokens[name][0, -grid[0] * grid[1] :].double() for name in layers.weights]
    return Attention(
        list(layers.weights),
        stacked,
        tuple(grid),
        tuple(patch),
        np.array([_variance(one) for one in tokens], np.float32),
        np.array([one.square().mean().item() for one in tokens], np.float32),
    )


def _variance(tokens: torch.Tensor) -> float:
    """Return the variance over patches, averaged over channels, of tokens (n, c)."""
    return tokens.var(dim=0, unbiased=False).mean().item()


def _transformer(model: nn.Module) -> nn.Module:
    """Return the backbone of ``model`` that cuts images into patches, or ``model`` itself."""
    parts = model.modules()
    return next((part for part in parts if hasattr(part, "patch_embed")), model)


def _is_global(by_layer: dict[str, torch.Tensor], grid: Any) -> bool:
    """Return whether all layers attend over the whole image, not over windows."""
    shapes = {tuple(weights.shape) for weights in by_layer.values()}
    return len(shapes) == 1 and all(s[0] == 1 and s[-1] >= grid[0] * grid[1] for s in shapes)


class _AttentionLayers:
    """The attention weights and the tokens of each layer, in the first pass of a model."""

    def __init__(self, model: nn.Module) -> None:
        self._layers = {n: m for n, m in model.named_modules() if hasattr(m, "attn_drop")}
        self._model = model
        self.weights: dict[str, torch.Tensor] = {}
        self.tokens: dict[str, torch.Tensor] = {}

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record weights and tokens while the model runs."""
        fused = {name: getattr(one, "fused_attn", None) for name, one in self._layers.items()}
        hooks = []
        for name, layer in self._layers.items():
            if fused[name]:
                layer.fused_attn = False  # the fused kernel does not store the weights
            drop = layer.attn_drop
            if isinstance(drop, nn.Module):
                block = self._model.get_submodule(name.rpartition(".")[0])
                hooks.append(drop.register_forward_pre_hook(_keep_input(self.weights, name)))
                hooks.append(block.register_forward_hook(_keep_output(self.tokens, name)))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for name, layer in self._layers.items():
                if fused[name]:
                    layer.fused_attn = True


def _keep_input(kept: dict[str, torch.Tensor], name: str) -> Any:
    def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        kept.setdefault(name, inputs[0].detach())

    return hook


def _keep_output(kept: dict[str, torch.Tensor], name: str) -> Any:
    def hook(_: nn.Module, inputs: object, output: Any) -> None:
        kept.setdefault(name, output.detach() if isinstance(output, torch.Tensor) else output)

    return hook
