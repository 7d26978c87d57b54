"""What a training says where memory is short: which batch to try."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from likewise.errors import DataError
from likewise.models.training.options import Plan

_SAID = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")

# oneDNN's, which computes on processors; with more behind it, it means something else.
_SAID_ALONE = ("could not create a primitive", "could not create a memory object")


@contextmanager
def enough(plan: Plan) -> Iterator[None]:
    """Turn any library's way to say that memory is short into one line.

    Raises:
        DataError: memory was too short for ``plan.batch``, or a part of it is one picture, of
            which a batch norm cannot tell mean and variance.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise DataError(
            f"batch norms cannot learn from one picture at a time (batch: {plan.batch}, "
            f"accumulate: {plan.accumulate}); give them two, or set freeze_norm: true"
        ) from error
    except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError
        if isinstance(error, MemoryError | torch.OutOfMemoryError):
            raise _short(plan) from error
        # A processor's allocator has no class of its own, C++ and cuBLAS have their own words.
        words = str(error)
        if words in _SAID_ALONE or any(said in words for said in (*_SAID, "bad_alloc")):
            raise _short(plan) from error
        raise


def _short(plan: Plan) -> DataError:
    batch, parts = plan.batch, plan.accumulate
    place = "the GPU" if torch.cuda.is_available() else "this machine"
    tries = "a smaller input_size or train_size"
    if batch > 1:
        tries = f"batch: {batch // 2}"
    if batch >= 2 * parts:
        tries = f"accumulate: {2 * parts} (the same batch in smaller parts), or {tries}"
    split = f" in {parts} parts" if parts > 1 else ""
    return DataError(
        f"{place} has too little memory for a batch of {batch}{split}; set {tries}"
    )
