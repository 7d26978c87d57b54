"""Multi-scale token recycling (MSTR): adds patch tokens at several scales to the class token.

The algorithm follows the description of ARNet's successor. It corrects three faults of the
published program: that program keeps the transformers in a plain list, which are therefore not
trained, saved or set to evaluation mode; its attention runs over the images of a batch instead
of the tokens of an image; and it averages consecutive tokens instead of windows of the image.
Here a vector depends on its image alone.
"""

import torch
from torch import nn
from torch.nn import functional

from likewise.models.training.mixed_precision import full_precision

SCALES = (1, 2, 7)
"""Sides of the windows over which tokens are averaged, in tokens."""

SHARE = 0.1
"""Weight of the recycled tokens in the vector; the weight of the class token is 1 minus this
value.
"""

_CHANNELS = 48


class TokenRecycling(nn.Module):
    """Pools tokens (n, 1 + down * across, width) to vectors (n, width).

    f = 0.9 * class + 0.1 * r, where r is a learned linear combination of the tokens of all
    scales. Each scale has two transformer layers (8 heads, 2,048 hidden, dropout 0.1).
    """

    def __init__(self, width: int, grid: tuple[int, int]) -> None:
        """Create the layers.

        Args:
            width: length of a token.
            grid: number of patches, (down, across).
        """
        super().__init__()
        self.grid = grid
        self.scales = tuple(s for s in SCALES if s <= min(grid))
        self.layers = nn.ModuleList(
            nn.TransformerEncoder(
                nn.TransformerEncoderLayer(width, 8, 2048, 0.1, batch_first=True),
                2,
                enable_nested_tensor=False,
            )
            for _ in self.scales
        )
        self.counts = [_count(grid, scale) for scale in self.scales]
        self._recycled: torch.Tensor | None = None
        self.mix = nn.Linear(sum(self.counts), 1)
        self.register_buffer(
            "target", decorrelation_target(grid, self.scales), persistent=False
        )

    def tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the recycled tokens of all scales: (n, sum of counts, width)."""
        n, _, width = tokens.shape
        patches = tokens[:, 1:].transpose(1, 2).reshape(n, width, *self.grid)
        recycled = []
        for scale, layers in zip(self.scales, self.layers, strict=True):
            windows = functional.avg_pool2d(patches, scale, ceil_mode=True)
            recycled.append(layers(windows.flatten(2).transpose(1, 2)))
        return torch.cat(recycled, dim=1)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Pool the tokens of the backbone, the class token first."""
        recycled = self.tokens(tokens)
        if self.training:
            self._recycled = recycled
        return self.joined(tokens, recycled)

    def loss(self) -> torch.Tensor:
        """Return the decorrelation loss of the last forward pass in training mode."""
        recycled, self._recycled = self._recycled, None
        if recycled is None:
            raise RuntimeError("no forward pass in training mode since the last loss")
        return self.decorrelation(recycled)

    def joined(self, tokens: torch.Tensor, recycled: torch.Tensor) -> torch.Tensor:
        """Combine the class token with the recycled tokens."""
        mixed: torch.Tensor = self.mix(recycled.transpose(1, 2)).squeeze(2)
        return (1 - SHARE) * tokens[:, 0].float() + SHARE * mixed.float()

    def decorrelation(self, recycled: torch.Tensor) -> torch.Tensor:
        """Return the mean squared difference of the tokens' Gram matrix to its target.

        Tokens are first averaged over groups of 48 channels and L2-normalised, so that the
        diagonal can reach the target of 1.
        """
        with full_precision(recycled.device):
            short = functional.avg_pool1d(recycled.float(), min(_CHANNELS, recycled.shape[2]))
            units = functional.normalize(short, dim=2)
            gram = units @ units.transpose(1, 2)
        target = self.get_buffer("target")
        return functional.mse_loss(gram, target.expand_as(gram))


def decorrelation_target(grid: tuple[int, int], scales: tuple[int, ...]) -> torch.Tensor:
    """Return the target of the Gram matrix: (tokens, tokens).

    The matrix is 1 on the diagonal, 0.5 between a window and the patches in it, and 0
    elsewhere. The matrix is symmetric, unlike in the published program, where a loop writes
    into the wrong block.
    """
    counts = [_count(grid, scale) for scale in scales]
    target = torch.eye(sum(counts))
    down, across = (torch.arange(size) for size in grid)
    start = counts[0]
    for scale, count in zip(scales[1:], counts[1:], strict=True):
        columns = -(-grid[1] // scale)
        window = (down[:, None] // scale * columns + across[None] // scale).flatten() + start
        fine = torch.arange(len(window))
        target[window, fine] = target[fine, window] = 0.5
        start += count
    return target


def _count(grid: tuple[int, int], scale: int) -> int:
    return -(-grid[0] // scale) * -(-grid[1] // scale)
