"""Train a part of a backbone: its last blocks, or matrices of low rank (LoRA)."""

from typing import Any, cast

from torch import nn

from likewise.errors import ConfigError, extras_named
from likewise.formats.counted_nouns import counted
from likewise.models.training.backbone_blocks import BackboneBlocks, backbone_blocks
from likewise.models.training.options import TrainingOptions

FROZEN = "frozen_in_training"
"""Attribute of modules that stay in evaluation mode in a training."""


def prepare_backbone(trunk: nn.Module, options: TrainingOptions, name: str) -> None:
    """Freeze blocks of a backbone and add matrices of low rank, as ``options`` say; in place.

    Frozen modules stay in evaluation mode: their batch norms keep their statistics.

    Args:
        trunk: the backbone.
        options: the options of the training.
        name: name of the backbone, for messages.

    Raises:
        ConfigError: the backbone has no such blocks, or no linear layers for LoRA.
        MissingExtraError: peft is not installed.
    """
    if not (options.freeze_blocks or options.train_blocks is not None or options.lora_rank):
        return
    blocks = backbone_blocks(trunk)
    frozen = _frozen_blocks(blocks, options, name)
    for parameter, values in trunk.named_parameters():
        if options.lora_rank or frozen == blocks.count or blocks.numbers[parameter] <= frozen:
            values.requires_grad_(False)  # noqa: FBT003 (torch has it positional)
    if options.lora_rank:
        _add_low_rank(trunk, _linear_layers(trunk, blocks, frozen, name), options)
    for part in trunk.modules():
        parameters = list(part.parameters())
        if parameters and not any(values.requires_grad for values in parameters):
            setattr(part, FROZEN, True)


def merge_low_rank(model: nn.Module) -> None:
    """Add the matrices of low rank to the weights of their layers; in place.

    The layers are then those of a model that was trained without LoRA.
    """
    for name, layer in list(model.named_modules()):
        if hasattr(layer, "lora_A") and hasattr(layer, "get_base_layer"):
            cast("Any", layer).merge()
            parent = model.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], cast("Any", layer).get_base_layer())


def set_training_mode(objective: nn.Module, options: TrainingOptions) -> None:
    """Set an objective to training mode, except frozen modules and batch norms."""
    objective.train()
    for part in objective.modules():
        norm = isinstance(part, nn.modules.batchnorm._BatchNorm)  # noqa: SLF001
        if getattr(part, FROZEN, False) or (norm and options.freeze_norm):
            part.eval()


def _frozen_blocks(blocks: BackboneBlocks, options: TrainingOptions, name: str) -> int:
    """Return the number of first blocks that are frozen; 0 for none, with the stem.

    Raises:
        ConfigError: the backbone has fewer blocks.
    """
    option, number = "freeze_blocks", options.freeze_blocks
    if options.train_blocks is not None:
        option, number = "train_blocks", options.train_blocks
    if number > blocks.count:
        raise ConfigError(
            f"{option}: {number}, but the backbone {name!r} has "
            f"{counted(blocks.count, 'block')}; set a smaller number"
        )
    return blocks.count - number if option == "train_blocks" else number


def _linear_layers(
    trunk: nn.Module, blocks: BackboneBlocks, frozen: int, name: str
) -> list[str]:
    """Return the names of the linear layers of the blocks behind the first ``frozen`` ones.

    Raises:
        ConfigError: there are none.
    """
    layers = [
        layer
        for layer, module in trunk.named_modules()
        if isinstance(module, nn.Linear)
        and frozen < blocks.numbers.get(f"{layer}.weight", 0) <= blocks.count
    ]
    if not layers:
        raise ConfigError(
            f"lora_rank: the backbone {name!r} has no linear layers in the blocks that are "
            "trained; choose a transformer such as vit_base_patch16_224, or train_blocks"
        )
    return layers


def _add_low_rank(trunk: nn.Module, layers: list[str], options: TrainingOptions) -> None:
    """Add B A to the weight of each layer; B is zero at the start.

    Source: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022
    (arXiv:2106.09685).
    """
    with extras_named():
        from peft import LoraConfig, inject_adapter_in_model
    scaled: Any = {"r": options.lora_rank, "lora_alpha": options.lora_alpha}
    config = LoraConfig(**scaled, target_modules=layers)
    inject_adapter_in_model(config, trunk)
