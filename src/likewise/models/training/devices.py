"""The devices that a training runs on, and what its processes have to agree on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast

from likewise.errors import ConfigError, DataError
from likewise.models.training import backbones
from likewise.models.training.objective import Task
from likewise.models.training.options import Plan
from likewise.models.training.samplers import Sampler


def accelerator(plan: Plan) -> Accelerator:
    """What puts a task on the GPUs that there are, or on the processor."""
    # The state is one a process; a second training in it may want another precision.
    AcceleratorState._reset_state()  # noqa: SLF001 (accelerate has no public way)
    gpu = torch.cuda.is_available()
    return Accelerator(
        # Without a word, accelerate takes torchrun's processes on CPUs for single ones, and
        # Apple's GPUs, which have no float64, for ours.
        cpu=not gpu,
        mixed_precision="bf16" if gpu and plan.precision == "bfloat16" else "no",
        dynamo_backend="inductor" if plan.compile else None,
    )


def synced(task: Task, plan: Plan, processes: Accelerator) -> Task:
    """The task, its batch norms seeing the batch of all processes, as one would see it.

    Those of torch do so on GPUs alone; on processors each sees its own part.
    """
    if processes.num_processes == 1 or processes.device.type != "cuda" or plan.freeze_norm:
        return task
    return cast("Task", backbones.synced(task))


@contextmanager
def compiled() -> Iterator[None]:
    """Turn what torch.compile cannot do into one line.

    Raises:
        ConfigError: it failed: there is no C++ compiler, say, or it knows no way.
    """
    try:
        yield
    except RuntimeError as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        said = str(error).split("\n", 1)[0][:200]
        raise ConfigError(f"torch.compile failed ({said}); set compile: false") from error


def agreed(processes: Accelerator, found: dict[str, float]) -> dict[str, float]:
    """The first process's numbers for all: by them they stop at one epoch, or wait for ever.

    Batch norms of processors have seen different parts, and rounding is no one's promise.
    """
    values = torch.tensor(list(found.values()), dtype=torch.float64, device=processes.device)
    return dict(zip(found, cast("torch.Tensor", broadcast(values)).tolist(), strict=True))


def check_step(processes: Accelerator, step: int) -> None:
    """Refuse processes that do not begin at the same step.

    Raises:
        DataError: some found a checkpoint, others none.
    """
    own = torch.tensor([step], device=processes.device)
    steps = sorted(set(cast("torch.Tensor", processes.gather(own)).tolist()))
    if len(steps) > 1:
        raise DataError(
            f"the processes would go on at different steps ({steps[0]:,} and {steps[-1]:,}); "
            "they need one catalogue in common, .likewise/trainings with it"
        )


def check_batch(processes: Accelerator, plan: Plan, sampler: Sampler) -> None:
    """Refuse a batch that cannot be shared, or whose parts have nothing to compare.

    Raises:
        DataError: it says which batch to set.
    """
    world, batch, parts = processes.num_processes, sampler.epoch(0).shape[1], plan.accumulate
    if batch % world or batch // world < parts:
        raise DataError(
            f"a batch of {batch} cannot be shared by {world} processes in "
            f"{parts} parts each; set batch to a multiple of {world * parts}"
        )
    each = sampler.group
    if each > 1 and (batch % (world * parts * each) or batch < 2 * parts * each):
        raise DataError(
            f"a batch of {batch // each} classes of {each} items cannot be worked off in "
            f"{parts} parts by {world} processes: each of them needs whole classes, and "
            f"all together two; set batch to a multiple of {max(2, world) * parts * each}"
        )
