"""Run a training loop with its checkpoints and its log."""

import os
from typing import Any

from torch import nn

from likewise.models.training.batch_loader import Loader
from likewise.models.training.checkpoint import Checkpoints, Position
from likewise.models.training.loop import LoopResources, TrainingLoop, Validate
from likewise.models.training.memory_reuse import reused_memory
from likewise.models.training.objective import Objective
from likewise.models.training.options import TrainingOptions
from likewise.models.training.training_data import TrainingContext
from likewise.models.training.training_log import TrainingLog


def learn(
    objective: Objective,
    options: TrainingOptions,
    loader: Loader,
    validate: Validate | None,
    run: tuple[int, int, TrainingContext],
) -> nn.Module:
    """Run the training loop, or resume a stopped one; return the model with the kept weights.

    Args:
        objective: the model and its loss.
        options: the options of the training loop.
        loader: loads the batches.
        validate: computes validation scores; None if nothing is held out.
        run: (number of training items, seed, context).
    """
    items, seed, context = run
    checkpoints = Checkpoints(context.checkpoints, context.workspace)
    log = TrainingLog(context.report, main=os.environ.get("RANK", "0") == "0")
    resources = LoopResources(loader, checkpoints, log, validate, seed)
    loop = TrainingLoop(objective, options, resources)
    with reused_memory(loop.accelerator.device.type):
        position = loop.run()
    log.finish(**_summary(loop, position, items))
    loop.close()
    return loop.kept.model


def _summary(loop: TrainingLoop, position: Position, items: int) -> dict[str, Any]:
    images = position.step * loop.sampler.epoch(0)[0].size
    return {
        "hours": round(position.seconds / 3600, 4),
        "images_per_second": round(images / max(position.seconds, 1e-9), 1),
        "processes": loop.accelerator.num_processes,
        "steps": position.step,
        "items": items,
        "best_epoch": position.best_epoch or None,
        "history": position.history,
    }
