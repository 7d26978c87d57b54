"""Multi-scale token recycling (MSTR): patch tokens at several scales join the class token.

The algorithm is the one that the successor of ARNet describes. Three things differ from its
published program: the transformers are registered (there they lay in a plain list, and were
neither trained nor saved nor put into evaluation), attention runs over the tokens of one
picture (there over the pictures of a batch), and tokens are averaged over windows of the
picture (there over consecutive tokens in reading order). A vector hangs on its picture alone.
"""

import torch
from torch import nn
from torch.nn import functional

from likewise.models.training.mixed_precision import exact

SCALES = (1, 2, 7)
"""Sides of the windows that tokens are averaged over, in tokens."""

SHARE = 0.1
"""The recycled part of the vector; the rest is the class token."""

_CHANNELS = 48


class Recycle(nn.Module):
    """Tokens (n, 1 + side * side, width) to vectors (n, width).

    f = 0.9 * class + 0.1 * r; r is a learned mix of the tokens of all scales, each scale
    after two transformer layers of its own (8 heads, 2,048 hidden, dropout 0.1 in training).
    """

    def __init__(self, width: int, tokens: tuple[int, int]) -> None:
        """Take the tokens' width, and how many patches a picture has, down and across."""
        super().__init__()
        self.grid = tokens
        self.scales = tuple(s for s in SCALES if s <= min(tokens))
        # Two layers a scale, as described; registered, and batch first.
        self.layers = nn.ModuleList(
            nn.TransformerEncoder(
                nn.TransformerEncoderLayer(width, 8, 2048, 0.1, batch_first=True),
                2,
                enable_nested_tensor=False,
            )
            for _ in self.scales
        )
        self.counts = [_count(tokens, scale) for scale in self.scales]
        self._seen: torch.Tensor | None = None
        self.mix = nn.Linear(sum(self.counts), 1)
        self.register_buffer(
            "target", decorrelation_target(tokens, self.scales), persistent=False
        )

    def tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """The patch tokens at all scales: (n, sum of counts, width)."""
        n, _, width = tokens.shape
        picture = tokens[:, 1:].transpose(1, 2).reshape(n, width, *self.grid)
        found = []
        for scale, layers in zip(self.scales, self.layers, strict=True):
            windows = functional.avg_pool2d(picture, scale, ceil_mode=True)
            found.append(layers(windows.flatten(2).transpose(1, 2)))
        return torch.cat(found, dim=1)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens of the backbone, the class token first, to vectors."""
        recycled = self.tokens(tokens)
        if self.training:
            self._seen = recycled
        return self.joined(tokens, recycled)

    def loss(self) -> torch.Tensor:
        """The decorrelation of the tokens that were recycled last, while it learns."""
        seen, self._seen = self._seen, None
        if seen is None:
            raise RuntimeError("nothing was recycled since the last loss")
        return self.decorrelation(seen)

    def joined(self, tokens: torch.Tensor, recycled: torch.Tensor) -> torch.Tensor:
        """The class token with its share of the ``recycled`` tokens."""
        mixed: torch.Tensor = self.mix(recycled.transpose(1, 2)).squeeze(2)
        return (1 - SHARE) * tokens[:, 0].float() + SHARE * mixed.float()

    def decorrelation(self, recycled: torch.Tensor) -> torch.Tensor:
        """How far the tokens' Gram matrix is from its target: a scalar.

        Tokens are averaged over runs of 48 channels first, and normalised, so that the target's
        diagonal of 1 can be reached.
        """
        with exact(recycled.device):
            short = functional.avg_pool1d(recycled.float(), min(_CHANNELS, recycled.shape[2]))
            units = functional.normalize(short, dim=2)
            gram = units @ units.transpose(1, 2)
        target = self.get_buffer("target")
        return functional.mse_loss(gram, target.expand_as(gram))


def decorrelation_target(grid: tuple[int, int], scales: tuple[int, ...]) -> torch.Tensor:
    """(tokens, tokens): 1 on the diagonal, 0.5 between a window and the patches in it, else 0.

    Symmetric, unlike the published program's, where a second loop writes into the wrong block.
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
