"""Checkpoints of the original program of ARNet: the weights of two encoders in one file."""

from collections.abc import Mapping
from pathlib import Path

import torch

from likewise.errors import DataError, bounded
from likewise.formats.file_hashes import file_sha256
from likewise.models.training import checkpoint_layouts
from likewise.models.training.descriptor import Descriptor, DualEncoder

BRANCHES = {"query": "skt_model", "gallery": "img_model"}
"""Encoder -> its key in the file: sketches are queries, photographs the gallery."""

ENCODER, LAYER = "encoder.", "mlp_head.0."
"""Prefixes of the tensors of timm's backbone and of the linear layer."""


def load_weights(model: Descriptor | DualEncoder, path: Path, where: str) -> str:
    """Load a checkpoint of ARNet into a model with the same layers; all tensors are needed.

    The classifier of ImageNet in the file is left out.

    Args:
        model: two encoders, each with a linear layer.
        path: ``model_Best.pth`` and similar files of the original program.
        where: the option that names it, for messages.

    Returns:
        The origin of the weights, for the passport.

    Raises:
        DataError: the file is missing or damaged, has no two encoders, or other layers.
    """
    if not path.is_file():
        raise DataError(f"{where}: the file does not exist; correct the path")
    content = checkpoint_layouts.read_checkpoint(path, where)
    missing = [key for key in BRANCHES.values() if not isinstance(content.get(key), Mapping)]
    if missing:
        raise DataError(
            f"{where} is not a checkpoint of ARNet: it lacks {' and '.join(missing)}; it has "
            f"{bounded(content, len(content))}. For the weights of one backbone, set weights "
            "of the initial model"
        )
    if not isinstance(model, DualEncoder):
        raise DataError(f"{where} has two encoders; set shared_encoder: false")
    for branch, key in BRANCHES.items():
        _load(getattr(model, branch), content[key], f"{where}: {key}")
    return f"ARNet checkpoint {path.name} sha256 {file_sha256(path)}"


def _load(encoder: Descriptor, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Load one encoder."""
    layers = {"trunk.": ENCODER, "project.": LAYER}
    wanted = {}
    own = encoder.state_dict()
    for name in own:
        prefix = next((layer for layer in layers if name.startswith(layer)), "")
        wanted[name] = layers.get(prefix, "") + name.removeprefix(prefix)
    missing = [theirs for theirs in wanted.values() if theirs not in tensors]
    if missing:
        raise DataError(
            f"{where} does not fit the model: missing {bounded(missing, len(missing))}; use "
            "the backbone of the checkpoint in init, such as vit_base_patch16_224"
        )
    shapes = [
        f"{theirs} is {tuple(tensors[theirs].shape)}, not {tuple(own[name].shape)}"
        for name, theirs in wanted.items()
        if tensors[theirs].shape != own[name].shape
    ]
    if shapes:
        raise DataError(
            f"{where} does not fit the model: {bounded(shapes, len(shapes))}; set dim and the "
            "backbone of init to those of the checkpoint"
        )
    surplus = [
        name
        for name in tensors
        if name not in wanted.values() and not name.startswith(f"{ENCODER}head.")
    ]
    if surplus:
        raise DataError(
            f"{where} does not fit the model: unknown {bounded(surplus, len(surplus))}"
        )
    encoder.load_state_dict({name: tensors[theirs] for name, theirs in wanted.items()})
