"""The blocks of a backbone, numbered from input to output by timm's own groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from timm.models import group_parameters
from torch import nn

from likewise.errors import ConfigError

_BEHIND = "~"
"""A name that no group matches; timm puts it with the layers behind the blocks."""


@dataclass(frozen=True)
class BackboneBlocks:
    """The place of every parameter of a backbone.

    Attributes:
        numbers: name of a parameter -> 0 for the stem, 1 to ``count`` for the blocks, and
            ``count`` + 1 for layers behind them.
        count: number of blocks.
    """

    numbers: dict[str, int]
    count: int


def backbone_blocks(trunk: nn.Module) -> BackboneBlocks:
    """Return the blocks of a backbone of timm: layers of transformers, blocks of stages.

    A final norm counts as a part of the last block if timm groups it so.

    Raises:
        ConfigError: timm defines no groups for the backbone.
    """
    matcher = getattr(trunk, "group_matcher", None)
    if matcher is None:
        raise ConfigError(
            f"{type(trunk).__name__} is not divided into blocks; leave out layer_decay, "
            "freeze_blocks, train_blocks and lora_rank"
        )
    numbers = cast(
        "dict[str, int]",
        group_parameters(
            cast("Any", _WithOneBehind(trunk)), matcher(coarse=False), reverse=True
        ),
    )
    return BackboneBlocks(numbers, numbers.pop(_BEHIND) - 1)


class _WithOneBehind:
    """The parameters of a backbone and one more, whose number is that behind the blocks."""

    def __init__(self, trunk: nn.Module) -> None:
        self._trunk = trunk

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter | None]]:
        """Yield all names, and the further one."""
        yield from self._trunk.named_parameters()
        yield _BEHIND, None
