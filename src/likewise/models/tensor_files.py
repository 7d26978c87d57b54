"""Read vectors from tensors that torch has saved."""

from pathlib import Path

import torch

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray
from likewise.formats.pickles import DAMAGE_ERRORS
from likewise.formats.vector_files import VECTOR_COLUMNS


def read_tensor(path: Path) -> tuple[AnyArray, list[str] | None]:
    """Read a tensor (n, d), or a dictionary of one and a list ``ids``.

    Only tensors and plain values are read, no code is executed (``weights_only``).

    Returns:
        The numbers, and the ids if there are any.

    Raises:
        DataError: the file is missing or damaged, or has no such tensor.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, *DAMAGE_ERRORS) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise DataError(f"{path}: cannot be read: {reason}") from error
    ids = None
    if isinstance(content, dict):
        tensors = [str(k) for k, v in content.items() if isinstance(v, torch.Tensor)]
        name = next((n for n in VECTOR_COLUMNS if n in tensors), None)
        if name is None and len(tensors) == 1:
            name = tensors[0]
        if name is None:
            raise DataError(
                f"{path}: has {bounded(tensors, len(tensors)) or 'no tensor'}; expected one "
                f"tensor with the name {' or '.join(VECTOR_COLUMNS[:3])}"
            )
        given = content.get("ids")
        ids = None if given is None else [str(one) for one in given]
        content = content[name]
    if not isinstance(content, torch.Tensor):
        raise DataError(f"{path}: has a {type(content).__name__}; expected a tensor")
    if content.dtype == torch.bfloat16:
        content = content.float()
    return content.detach().numpy(), ids
