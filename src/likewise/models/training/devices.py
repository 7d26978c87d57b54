"""The devices of a training, and the agreement of its processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast

from likewise.errors import ConfigError, DataError
from likewise.formats.counted_nouns import counted
from likewise.models.training import backbones
from likewise.models.training.objective import Objective
from likewise.models.training.options import TrainingOptions
from likewise.models.training.samplers import Sampler


def accelerator(options: TrainingOptions) -> Accelerator:
    """Create the accelerator, for the available GPUs or else the CPU."""
    # The state is shared within a process; a second training may need another precision.
    AcceleratorState._reset_state()  # noqa: SLF001 (accelerate has no public way)
    gpu = torch.cuda.is_available()
    return Accelerator(
        # By default accelerate treats torchrun's CPU processes as single ones, and uses Apple's
        # GPUs, which have no float64.
        cpu=not gpu,
        mixed_precision="bf16" if gpu and options.precision == "bfloat16" else "no",
        dynamo_backend="inductor" if options.compile else None,
    )


def sync_batch_norms(
    objective: Objective, options: TrainingOptions, processes: Accelerator
) -> Objective:
    """Make batch norms use the batch of all processes.

    torch synchronises batch norms only on GPUs; on CPUs, each process uses its own part of the
    batch.
    """
    if processes.num_processes == 1 or processes.device.type != "cuda" or options.freeze_norm:
        return objective
    return cast("Objective", backbones.sync_batch_norms(objective))


@contextmanager
def explain_compile_errors() -> Iterator[None]:
    """Turn errors of torch.compile into one line.

    Raises:
        ConfigError: torch.compile failed, for example without a C++ compiler.
    """
    try:
        yield
    except RuntimeError as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        message = str(error).split("\n", 1)[0][:200]
        raise ConfigError(f"torch.compile failed ({message}); set compile: false") from error


def broadcast_scores(processes: Accelerator, scores: dict[str, float]) -> dict[str, float]:
    """Return the scores of rank 0 in every process.

    With scores of their own, processes could stop at different epochs and wait for each other
    forever, because batch norms (on CPUs) and rounding differ between processes.
    """
    values = torch.tensor(list(scores.values()), dtype=torch.float64, device=processes.device)
    return dict(zip(scores, cast("torch.Tensor", broadcast(values)).tolist(), strict=True))


def any_process(processes: Accelerator, *, flag: bool) -> bool:
    """Return whether ``flag`` is true in any process."""
    value = torch.tensor(float(flag), device=processes.device)
    return bool(cast("torch.Tensor", processes.reduce(value, "sum")) > 0)


def check_step(processes: Accelerator, step: int) -> None:
    """Check that all processes start at the same step.

    Raises:
        DataError: only some processes found a checkpoint.
    """
    own = torch.tensor([step], device=processes.device)
    steps = sorted(set(cast("torch.Tensor", processes.gather(own)).tolist()))
    if len(steps) > 1:
        raise DataError(
            f"the processes would resume at different steps ({steps[0]:,} and {steps[-1]:,}); "
            "they need the same catalogue, including .likewise/trainings"
        )


def check_batch(processes: Accelerator, options: TrainingOptions, sampler: Sampler) -> None:
    """Check that a batch can be divided among processes and parts.

    Raises:
        DataError: the batch cannot be divided; the message names a size that can.
    """
    world, batch, parts = (
        processes.num_processes,
        sampler.epoch(0).shape[1],
        options.accumulate,
    )
    if batch % world or batch // world < parts:
        raise DataError(
            f"a batch of {batch} cannot be divided among {counted(world, 'process')} in "
            f"{counted(parts, 'part')} each; set batch to a multiple of {world * parts}"
        )
    samples = sampler.group
    if samples > 1 and (batch % (world * parts * samples) or batch < 2 * parts * samples):
        raise DataError(
            f"a batch of {counted(batch // samples, 'class')} of {counted(samples, 'item')} "
            f"cannot be divided into {counted(parts, 'part')} by {counted(world, 'process')}: "
            "each needs complete classes, and all together need at least two; set batch to a "
            f"multiple of {max(2, world) * parts * samples}"
        )
