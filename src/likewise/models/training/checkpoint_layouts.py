"""Checkpoints of other programs: where their weights are, and what belongs to a backbone.

Files of ImageNet trainings, DINO, MoCo, SimCLR, MAE, timm, Lightning, DistributedDataParallel
and moving averages differ in two ways: the key under which the weights are, and the prefix of
the names of the backbone's tensors. Everything else in a file is left out, and named.
"""

import argparse
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy._core.multiarray import scalar as _scalar
from safetensors import SafetensorError
from safetensors.torch import load_file

from likewise.errors import DataError, bounded
from likewise.formats.pickles import DAMAGE_ERRORS

Tensors = dict[str, torch.Tensor]

CONTAINERS = {
    "state_dict_ema": "moving average",
    "model_ema": "moving average",
    "ema_state_dict": "moving average",
    "teacher": "DINO's teacher",
    "state_dict": "",
    "model_state_dict": "",
    "model_state": "",
    "model": "",
    "student": "DINO's student",
    "backbone": "",
    "net": "",
    "network": "",
}
"""Keys under which a file has its weights, the best first -> what the weights are."""

WRAPPERS = ("", "module.", "_orig_mod.", "model.", "network.", "module.model.", "model.module.")
"""Prefixes of DistributedDataParallel, torch.compile and Lightning."""

ENCODERS = (
    "",
    "encoder_q.",  # MoCo; its copy is encoder_k
    "base_encoder.",  # MoCo v3; its copy is momentum_encoder
    "teacher.backbone.",  # DINO in one module
    "teacher.",
    "backbone.",  # DINO, SimCLR
    "encoder.",  # SimCLR, BYOL
    "online_encoder.",
    "convnet.",
    "trunk.",
    "visual.",
    "student.backbone.",
    "student.",
    "momentum_encoder.",
    "encoder_k.",
)
"""Prefixes of the encoder that is kept, within a wrapper; the first of equal ones is used."""

_PARTS = re.compile(
    r"(mask_token$|decoder_\w+|decoder\.|projector\.|projection|proj_head\.|mlp_head\.|"
    r"predictor\.|prototypes|queue)"
)
"""Parts of trainings, next to the tensors of a backbone, that embed nothing."""

_DEEPEST = 3

_SAFE: list[Any] = [
    argparse.Namespace,
    np.dtype,
    _scalar,
    *{type(np.dtype(name)) for name in ("float32", "float64", "int32", "int64", "bool")},
]
"""Types in checkpoints of MAE and DINO (options, scores), whose reading runs no code."""


@dataclass(frozen=True)
class CheckpointPart:
    """The tensors of a file that belong to a backbone.

    Attributes:
        tensors: the tensors by the names of the backbone, with a classifier if there is one.
        notes: what was chosen and left out, for people.
    """

    tensors: Tensors
    notes: tuple[str, ...]


def read_checkpoint(path: Path, where: str) -> Mapping[str, Any]:
    """Read a file of torch (``weights_only``) or safetensors; no code in it is executed.

    Args:
        path: the file.
        where: the option that names it, for messages.

    Raises:
        DataError: the file is damaged, or has objects of other types than tensors and numbers.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(_SAFE):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, SafetensorError, OSError, *DAMAGE_ERRORS) as error:
        message = " ".join(str(error).split())
        unsafe = re.search(r"Unsupported (?:global: GLOBAL|class) ([\w.]+)", message)
        reason = (
            f"it has an object of {unsafe[1]}, and reading one may run code; save only its "
            "state dict"
            if unsafe
            else message[:200]
        )
        raise DataError(f"{where} cannot be read: {reason}") from error
    if not isinstance(content, Mapping):
        raise DataError(f"{where} contains a {type(content).__name__}, no state dict")
    return content


def find_weights(content: Mapping[str, Any], where: str) -> tuple[Tensors, str]:
    """Return the tensors of a checkpoint, and what they are if that is not obvious.

    Raises:
        DataError: there are no tensors under a known key; the message lists the keys.
    """
    weights = dict(content)
    notes = []
    for _ in range(_DEEPEST):
        inner = next(
            (key for key in CONTAINERS if _has_tensors(weights.get(key), _DEEPEST - 1)), None
        )
        if inner is None:
            break
        notes += [CONTAINERS[inner]] if CONTAINERS[inner] else []
        weights = dict(weights[inner])
    if not weights or not all(isinstance(one, torch.Tensor) for one in weights.values()):
        names = bounded(weights, len(weights)) if weights else "nothing"
        hint = (
            "; it is a checkpoint of ARNet: name it in weights of the recipe arnet"
            if {"img_model", "skt_model"} <= weights.keys()
            else ""
        )
        raise DataError(f"{where} contains no state dict; it has {names}{hint}")
    return cast("Tensors", weights), ", ".join(notes)


def backbone_part(
    tensors: Tensors, backbone: Mapping[str, torch.Tensor], heads: Collection[str]
) -> CheckpointPart:
    """Remove the prefix of the backbone's tensors, and leave out other parts of the model.

    Args:
        tensors: all tensors of a checkpoint.
        backbone: the tensors of the backbone.
        heads: the names of the classifiers, which stay.

    Returns:
        The tensors; all of them, if none has the name of one of the backbone.
    """
    prefix = _prefix(tensors, backbone)
    inside = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    classifier = tuple(f"{head}." for head in heads)
    kept = {
        name: tensor
        for name, tensor in inside.items()
        if name in backbone or name.startswith(classifier) or not _PARTS.match(name)
    }
    notes = [f"tensors {prefix}*"] if prefix not in ("", "module.") else []
    outside = [name for name in tensors if not name.startswith(prefix)]
    left_out = dict.fromkeys(
        [*(_part(name) for name in outside), *(_part(n) for n in inside if n not in kept)]
    )
    if left_out:
        notes.append(f"without {bounded(left_out, len(left_out))}")
    return CheckpointPart(kept, tuple(notes))


def _prefix(tensors: Tensors, backbone: Mapping[str, torch.Tensor]) -> str:
    """Return the known prefix with which most tensors of the backbone are in a file."""
    counts = {prefix: _matches(tensors, backbone, prefix) for prefix in _prefixes()}
    most = max(counts.values())
    return next(prefix for prefix, count in counts.items() if count == most)


def _prefixes() -> Iterator[str]:
    yield from dict.fromkeys(
        wrapper + encoder for encoder, wrapper in product(ENCODERS, WRAPPERS)
    )


def _matches(tensors: Tensors, backbone: Mapping[str, torch.Tensor], prefix: str) -> int:
    return sum(
        prefix + name in tensors and tensors[prefix + name].shape == tensor.shape
        for name, tensor in backbone.items()
    )


def _has_tensors(value: object, depth: int) -> bool:
    """Return whether a value is a mapping with tensors, or with such a mapping."""
    if not isinstance(value, Mapping):
        return False
    if any(isinstance(one, torch.Tensor) for one in value.values()):
        return True
    return depth > 0 and any(_has_tensors(value.get(key), depth - 1) for key in CONTAINERS)


def _part(name: str) -> str:
    """Return the part of a model that a tensor belongs to: decoder_blocks, module.queue."""
    words = name.split(".")
    return ".".join(words[:2]) if words[0] in ("module", "model") else words[0]
