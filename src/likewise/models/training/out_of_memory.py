"""Errors of a training that runs out of memory: they suggest a smaller batch."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from likewise.errors import DataError
from likewise.models.training.options import TrainingOptions

_MESSAGES = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")

# oneDNN's, which computes on CPUs; followed by more text, they mean something else.
_WHOLE_MESSAGES = ("could not create a primitive", "could not create a memory object")


@contextmanager
def explain_memory_errors(options: TrainingOptions) -> Iterator[None]:
    """Turn the out-of-memory errors of any library into one line.

    Raises:
        DataError: memory is too small for ``options.batch``, or a part of a batch is a single
            image, for which batch norms cannot compute mean and variance.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise DataError(
            f"batch norms cannot learn from a single image (batch: {options.batch}, "
            f"accumulate: {options.accumulate}); use at least two, or set freeze_norm: true"
        ) from error
    except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError
        if isinstance(error, MemoryError | torch.OutOfMemoryError):
            raise _too_little(options) from error
        # The CPU allocator, C++ and cuBLAS have no exception classes, only messages.
        text = str(error)
        if text in _WHOLE_MESSAGES or any(m in text for m in (*_MESSAGES, "bad_alloc")):
            raise _too_little(options) from error
        raise


def _too_little(options: TrainingOptions) -> DataError:
    batch, parts = options.batch, options.accumulate
    device = "the GPU" if torch.cuda.is_available() else "this machine"
    advice = "a smaller input_size or train_size"
    if batch > 1:
        advice = f"batch: {batch // 2}"
    if batch >= 2 * parts:
        advice = f"accumulate: {2 * parts} (the same batch in smaller parts), or {advice}"
    in_parts = f" in {parts} parts" if parts > 1 else ""
    return DataError(
        f"{device} has too little memory for a batch of {batch}{in_parts}; set {advice}"
    )
