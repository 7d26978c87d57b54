"""A share of the initial weights in the backbone that a training keeps."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from likewise.models.training.descriptor import Descriptor


class InitialShare:
    """The initial weights of the backbones of a model, to be mixed into the trained ones.

    Layers on top of a backbone have no initial weights that mean anything, and stay as trained.

    Source: Wortsman et al., Robust Fine-Tuning of Zero-Shot Models, CVPR 2022
    (arXiv:2109.01903), equation 1; ``share`` is 1 - alpha there.
    """

    def __init__(self, model: nn.Module, share: float) -> None:
        """Copy the weights of the backbones.

        Args:
            model: the model before the first step.
            share: the share of the initial weights; 0 copies nothing and mixes nothing.
        """
        self._share = share
        self._initial = (
            {name: values.detach().clone() for name, values in _backbone_weights(model)}
            if share
            else {}
        )

    @torch.no_grad()
    def mix(self, model: nn.Module) -> None:
        """Set each weight to (1 - share) x its value + share x its initial value; in place."""
        if self._initial:
            for name, values in _backbone_weights(model):
                values.lerp_(self._initial[name].to(values.device), self._share)

    @contextmanager
    def mixed(self, model: nn.Module) -> Iterator[None]:
        """Mix the weights of ``model``; afterwards it has the trained ones again."""
        trained = [values.detach().clone() for _, values in self._mixed_weights(model)]
        self.mix(model)
        try:
            yield
        finally:
            with torch.no_grad():
                for (_, values), kept in zip(self._mixed_weights(model), trained, strict=True):
                    values.copy_(kept)

    def _mixed_weights(self, model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
        return _backbone_weights(model) if self._initial else iter(())


def _backbone_weights(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield names and values of the backbones, with the statistics of batch norms."""
    for name, part in model.named_modules():
        if isinstance(part, Descriptor):
            for key, values in part.trunk.state_dict(prefix=f"{name}.trunk.").items():
                if values.is_floating_point():
                    yield key, values
