"""Training of a part of a backbone: learning rates by layer, frozen blocks, LoRA."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from timm.optim._param_groups import param_groups_layer_decay
from torch import nn

import likewise
from learning import LEARNED, learn, write
from likewise.errors import ConfigError
from likewise.models import recipes
from likewise.models.passport import WEIGHTS, Architecture
from likewise.models.recipes import RECIPES
from likewise.models.training import backbones
from likewise.models.training.backbone_blocks import backbone_blocks
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.optimiser import RATE, build_optimiser
from likewise.models.training.options import TrainingOptions
from likewise.models.training.partial_training import (
    merge_low_rank,
    prepare_backbone,
    set_training_mode,
)

pytestmark = pytest.mark.torch


def options(**given: Any) -> TrainingOptions:
    return TrainingOptions(init="x", data="y", **given)


def vit() -> nn.Module:
    """Six blocks of two heads."""
    return backbones.create("test_vit", input_size=32)


def trained(module: nn.Module) -> set[str]:
    return {name for name, values in module.named_parameters() if values.requires_grad}


def test_rates_fall_from_block_to_block_as_in_timm() -> None:
    trunk = vit()
    model = Descriptor(trunk, Architecture(input_size=32, projection_dim=8))
    theirs: dict[int, float] = {}
    for group in param_groups_layer_decay(trunk, layer_decay=0.5):
        theirs |= {id(values): group["lr_scale"] for values in group["params"]}
    ours: dict[int, float] = {}
    for kind in ("adamw", "adam", "sgd"):
        made = build_optimiser(model, options(layer_decay=0.5, optimiser=kind))
        ours = {id(v): group[RATE] for group in made.param_groups for v in group["params"]}
        assert {key: ours[key] for key in theirs} == theirs
        assert {ours[id(v)] for v in model.get_submodule("project").parameters()} == {1.0}
    blocks = backbone_blocks(trunk)
    assert blocks.count == 6
    assert ours[id(trunk.get_parameter("blocks.4.mlp.fc1.weight"))] == 0.5
    assert ours[id(trunk.get_parameter("pos_embed"))] == 0.5**6


def test_the_groups_of_equal_rates_are_those_of_earlier_versions() -> None:
    model = Descriptor(vit(), Architecture(input_size=32))
    made = build_optimiser(model, options())
    matrices = [p for p in model.parameters() if p.ndim > 1]
    assert len(made.param_groups[0]["params"]) == len(matrices)
    assert [g["weight_decay"] for g in made.param_groups] == [0.01, 0.0]
    assert len(build_optimiser(model, options(optimiser="sgd")).param_groups) == 1


@pytest.mark.parametrize(
    ("backbone", "count", "behind"),
    [
        ("test_vit", 6, set()),
        ("test_convnext", 9, {"head.norm.weight", "head.norm.bias"}),
        ("test_resnet", 4, set()),
        ("test_efficientnet", 5, set()),
    ],
)
def test_the_first_blocks_are_frozen_or_the_last_ones_trained(
    backbone: str, count: int, behind: set[str]
) -> None:
    by_option, trunk = [], backbones.create(backbone)
    blocks = backbone_blocks(trunk)
    for given in ({"freeze_blocks": count - 1}, {"train_blocks": 1}):
        trunk = backbones.create(backbone)
        prepare_backbone(trunk, options(**given), backbone)
        by_option.append(trained(trunk))
    assert blocks.count == count
    last = {name for name, number in blocks.numbers.items() if number >= count}
    assert by_option == [last, last]
    assert {name for name, number in blocks.numbers.items() if number > count} == behind
    prepare_backbone(trunk, options(train_blocks=0), backbone)
    assert not trained(trunk)


def test_frozen_blocks_keep_the_statistics_of_their_norms() -> None:
    trunk = backbones.create("test_efficientnet")
    prepare_backbone(trunk, options(freeze_blocks=1), "test_efficientnet")
    set_training_mode(trunk, options(freeze_blocks=1))
    norms = {n: m for n, m in trunk.named_modules() if isinstance(m, nn.BatchNorm2d)}
    assert {n for n, norm in norms.items() if not norm.training} == {
        name for name in norms if name.startswith(("bn1", "blocks.0."))
    }
    set_training_mode(trunk, options(freeze_norm=True))
    assert not any(norm.training for norm in norms.values())


def test_matrices_of_low_rank_are_trained_and_added_to_the_weights() -> None:
    pytest.importorskip("peft")
    trunk = vit().eval()
    plain = list(trunk.state_dict())
    images = torch.rand(2, 3, 32, 32)
    before = trunk(images)
    given = options(lora_rank=2, lora_alpha=4, train_blocks=1)
    prepare_backbone(trunk, given, "test_vit")
    assert torch.equal(trunk(images), before)  # B is zero
    layers = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    assert trained(trunk) == {
        f"blocks.5.{layer}.lora_{side}.default.weight" for layer in layers for side in "AB"
    }
    layer: Any = trunk.get_submodule("blocks.5.attn.proj")
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    with torch.no_grad():
        for name, values in trunk.named_parameters():
            if "lora_B" in name:
                values.normal_()
    weight = layer.base_layer.weight + 4 / 2 * b @ a
    after = trunk(images)
    merge_low_rank(trunk)
    assert list(trunk.state_dict()) == plain
    assert torch.allclose(trunk.get_parameter("blocks.5.attn.proj.weight"), weight)
    assert torch.allclose(trunk(images), after, atol=1e-5)
    assert not torch.allclose(after, before, atol=1e-2)


def test_a_model_trained_by_lora_embeds_without_peft(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("peft")
    write(
        workspace,
        "models",
        "vit",
        {"kind": "timm", "backbone": "test_vit", "weights": "random"},
    )
    likewise.load("vit", workspace=workspace)
    entry = {**LEARNED, "init": "vit", "head": "none", "epochs": 1}
    passport = learn(workspace, {**entry, "lora_rank": 2, "train_blocks": 2})
    assert passport.recipe["lora_rank"] == 2
    assert not {"layer_decay", "freeze_blocks", "lora_alpha"} & set(passport.recipe)
    before = load_file(workspace / "models/vit" / WEIGHTS)
    after = load_file(workspace / "models/learned" / WEIGHTS)
    changed = {
        name
        for name in before
        if name != "pos_embed" and not torch.equal(before[name], after[name])
    }
    assert changed == {
        f"blocks.{block}.{layer}.weight"
        for block in (4, 5)
        for layer in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    }
    name = "blocks.5.attn.proj.weight"
    sizes = np.linalg.svd((after[name] - before[name]).numpy(), compute_uv=False)
    assert sizes[2] < 1e-3 * sizes[0]
    monkeypatch.setitem(sys.modules, "peft", None)
    image = likewise.open("emoji", workspace=workspace).images(["0_twemoji.jpg"])
    assert recipes.load(workspace / "models/learned").encode(image).shape == (1, passport.dim)


def test_the_first_layers_learn_at_a_lower_rate(workspace: Path) -> None:
    learn(workspace, {**LEARNED, "epochs": 1, "layer_decay": 0.01, "ema": 0.0})
    before = load_file(workspace / "models/tiny" / WEIGHTS)
    after = load_file(workspace / "models/learned" / WEIGHTS)
    steps = {
        name: (after[f"trunk.{name}"] - before[name]).abs().max().item()
        for name in ("conv1.0.weight", "layer4.0.conv1.weight")
    }
    assert 0 < steps["conv1.0.weight"] < 1e-3 * steps["layer4.0.conv1.weight"]


def test_options_that_exclude_each_other_or_do_not_fit_are_refused() -> None:
    entry = {"kind": "metric", "init": "a", "data": "b"}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"freeze_blocks": 1, "train_blocks": 2}, "exclude each other"),
        ({"lora_alpha": 8}, "lora_alpha needs lora_rank"),
        ({"layer_decay": 0}, "layer_decay"),
        ({"kind": "arnet", "weights": "file:x.pth", "lora_rank": 4}, "an entry with epochs: 0"),
        ({"kind": "contrastive-text", "layer_decay": 0.5}, "set image: trained"),
    ]
    for given, message in refused:
        with pytest.raises(ConfigError, match=message):
            RECIPES.build({**entry, **given}, "params.yaml")
    for option in ("freeze_blocks", "train_blocks"):
        with pytest.raises(ConfigError, match=f"{option}: 7, but the backbone 'b' has 6"):
            prepare_backbone(vit(), options(**{option: 7}), "b")
    with pytest.raises(ConfigError, match="'b' has no linear layers in the blocks"):
        prepare_backbone(backbones.create("test_resnet"), options(lora_rank=4), "b")
    with pytest.raises(ConfigError, match="is not divided into blocks"):
        backbone_blocks(nn.Linear(2, 2))


def test_a_frozen_backbone_needs_a_layer_on_top(workspace: Path) -> None:
    entry = {**LEARNED, "epochs": 1, "train_blocks": 0, "head": "none"}
    with pytest.raises(ConfigError, match=r"nothing is left to train.*set dim or head"):
        learn(workspace, entry)
    assert learn(workspace, {**entry, "dim": 4}).dim == 4
