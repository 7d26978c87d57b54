"""A share of the initial weights in the backbone that a training keeps."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from learning import LEARNED, learn
from likewise.errors import ConfigError
from likewise.models.passport import WEIGHTS, Architecture
from likewise.models.recipes import RECIPES
from likewise.models.training import backbones
from likewise.models.training.descriptor import Descriptor, DualEncoder
from likewise.models.training.initial_share import InitialShare

pytestmark = pytest.mark.torch

ENTRY: dict[str, Any] = {
    **LEARNED,
    "epochs": 2,
    "samples_per_class": 2,
    "head": "none",
    "dim": 4,
    "validation": 0.0,
}


def tower() -> Descriptor:
    trunk = backbones.create("test_resnet", input_size=32)
    return Descriptor(trunk, Architecture(input_size=32, projection_dim=4))


def values(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_backbones_are_mixed_and_the_layers_on_top_are_not() -> None:
    model = DualEncoder(tower(), tower())
    initial = values(model)
    share = InitialShare(model, 0.25)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
        model.get_buffer("query.trunk.bn1.running_mean").add_(4.0)
    trained = values(model)
    with share.mixed(model):
        mixed = values(model)
    assert all(torch.equal(tensor, trained[name]) for name, tensor in values(model).items())
    share.mix(model)
    assert all(torch.equal(tensor, mixed[name]) for name, tensor in values(model).items())
    for name, tensor in mixed.items():
        if not tensor.is_floating_point() or ".project." in name:
            assert torch.equal(tensor, trained[name])
        else:
            torch.testing.assert_close(tensor, 0.75 * trained[name] + 0.25 * initial[name])
    assert mixed["query.trunk.bn1.running_mean"].eq(3.0).all()


def test_a_training_keeps_the_share(workspace: Path) -> None:
    folder = workspace / "models/learned"
    assert "init_share" not in learn(workspace, ENTRY).recipe
    trained = load_file(folder / WEIGHTS)
    passport = learn(workspace, {**ENTRY, "init_share": 0.5})
    assert passport.recipe["init_share"] == 0.5
    mixed = load_file(folder / WEIGHTS)
    initial = load_file(workspace / "models/tiny" / WEIGHTS)
    for name, tensor in trained.items():
        if name.startswith("trunk.") and tensor.is_floating_point():
            half = (tensor + initial[name.removeprefix("trunk.")]) / 2
            torch.testing.assert_close(mixed[name], half)
        else:
            assert torch.equal(mixed[name], tensor)


def test_the_weights_that_are_validated_are_those_that_are_kept(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from likewise.models.training import loop

    scored: list[dict[str, torch.Tensor]] = []

    def validate(objective: Any) -> dict[str, float]:
        scored.append(values(objective.model))
        return {"score": {1: 0.2, 2: 0.9, 3: 0.5}[len(scored)]}

    class Resources(loop.LoopResources):
        def __init__(self, *given: Any) -> None:
            super().__init__(given[0], given[1], given[2], validate, given[4])

    monkeypatch.setattr("likewise.models.training.run_loop.LoopResources", Resources)
    learn(workspace, {**ENTRY, "epochs": 3, "validation": 0.4, "init_share": 0.5})
    kept = load_file(workspace / "models/learned" / WEIGHTS)
    assert len(scored) == 3
    assert all(torch.equal(scored[1][name], tensor) for name, tensor in kept.items())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lora_rank": 4}, "init_share and lora_rank exclude each other"),
        ({"init_share": 1.0}, "less than 1"),
        (
            {"kind": "contrastive-text", "image": "trained", "validation": 0},
            "vectors of images",
        ),
        ({"kind": "contrastive-text"}, "set image: trained"),
    ],
)
def test_a_share_that_does_not_fit_is_refused(given: dict[str, Any], message: str) -> None:
    entry = {"kind": "metric", "init": "a", "data": "b", "init_share": 0.5}
    with pytest.raises(ConfigError, match=message):
        RECIPES.build({**entry, **given}, "params.yaml")
