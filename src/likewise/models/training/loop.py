"""The training loop of all recipes that learn by gradient steps.

A batch depends only on its step: samplers and augmentation count steps and have no state. A
checkpoint therefore needs the weights, the optimiser, torch's random numbers and the step, and
a killed training resumes bit for bit on a CPU.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch

from likewise.errors import DataError
from likewise.models.training import devices
from likewise.models.training.batch_loader import Loader, TrainingBatch
from likewise.models.training.checkpoint import (
    Checkpoints,
    Position,
    random_state,
    restore_random,
)
from likewise.models.training.initial_share import InitialShare
from likewise.models.training.interrupt import Interrupt
from likewise.models.training.objective import Objective, unwrap
from likewise.models.training.optimiser import RATE, MovingAverage, build_optimiser
from likewise.models.training.options import TrainingOptions
from likewise.models.training.out_of_memory import explain_memory_errors
from likewise.models.training.partial_training import set_training_mode
from likewise.models.training.progress import Progress
from likewise.models.training.schedule import learning_rate_factor
from likewise.models.training.training_log import TrainingLog

LOSS_EVERY = 20
"""Steps between two reads of the losses on a GPU; each read waits for the GPU."""

Validate = Callable[[Objective], dict[str, float]]
"""Returns the scores of an objective on held-out items; the first one chooses the weights."""


@dataclass(frozen=True)
class LoopResources:
    """The inputs and outputs of a training loop.

    Attributes:
        loader: loads batches.
        checkpoints: saves and loads checkpoints.
        log: writes metrics and curves.
        validate: computes validation scores; None if nothing is held out.
        seed: the seed of the random numbers of batches.
    """

    loader: Loader
    checkpoints: Checkpoints
    log: TrainingLog
    validate: Validate | None
    seed: int


class TrainingLoop:
    """One training."""

    def __init__(
        self, objective: Objective, options: TrainingOptions, resources: LoopResources
    ) -> None:
        """Move ``objective`` to the available devices; nothing is trained yet."""
        self.accelerator = devices.accelerator(options)
        self.options, self.resources = options, resources
        self.initial = InitialShare(objective.model, options.init_share)
        self.sampler = resources.loader.sampler
        self.steps = self.sampler.steps * options.epochs
        devices.check_batch(self.accelerator, options, self.sampler)
        objective = devices.sync_batch_norms(objective, options, self.accelerator)
        with explain_memory_errors(options):
            average = MovingAverage(objective, options.ema) if options.ema else None
            self.average = average.to(self.accelerator.device) if average else None
            self.objective, self.optimiser = self.accelerator.prepare(
                objective, build_optimiser(objective, options)
            )
        self.position = Position()
        self._unread: list[tuple[int, torch.Tensor, torch.Tensor]] = []
        self._saved = time.monotonic()

    @property
    def kept(self) -> Objective:
        """The objective whose weights are kept: the moving average, if computed."""
        return unwrap(self.average.module if self.average else self.objective)

    def run(self) -> Position:
        """Train; afterwards ``kept`` has the final or the best weights.

        Raises:
            Stopped: the process received SIGTERM; the training was saved.
            DataError: the loss is NaN, an image cannot be read, or memory is too small.
            ConfigError: torch.compile failed.
        """
        self._resume()
        began = time.monotonic() - self.position.seconds
        rank = self.accelerator.process_index, self.accelerator.num_processes
        batches = self.resources.loader.batches(
            self.position.step,
            self.steps,
            unwrap(self.objective).views,
            self.resources.seed,
            (*rank, self.accelerator.device.type == "cuda"),
        )
        with (
            explain_memory_errors(self.options),
            devices.explain_compile_errors(),
            Interrupt() as interrupt,
            self._progress() as progress,
            contextlib.closing(batches),
        ):
            set_training_mode(self.objective, self.options)
            for batch in batches:
                self._step(batch)
                progress.update(batch.rows.numel() * self.accelerator.num_processes)
                self.position.seconds = time.monotonic() - began
                finished = self._end_epoch(progress)
                stop = self._stop_requested(interrupt)
                self._save_if_due(stop=stop)
                if stop:
                    interrupt.stop(self.position.step, self.steps)
                if finished:
                    break
        self._restore_best()
        self.accelerator.wait_for_everyone()  # rank 0 moves the checkpoints away
        return self.position

    def close(self) -> None:
        """Leave the process group, if there is one."""
        self.accelerator.end_training()

    def _step(self, batch: TrainingBatch) -> None:
        """Take one optimiser step."""
        factor = learning_rate_factor(self.options, self.position.step, self.sampler.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.lr * factor * group.get(RATE, 1.0)
        loss = self._backward(batch)
        if self.options.clip_grad_norm:
            self.accelerator.clip_grad_norm_(
                self.objective.parameters(), self.options.clip_grad_norm
            )
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        unwrap(self.objective).after_step(self.position.step / self.steps)
        if self.average:
            self.average.update(unwrap(self.objective), self.position.step)
        self._unread.append((self.position.step, batch.rows, loss))
        self.position.step += 1
        if self.accelerator.device.type == "cpu" or len(self._unread) == LOSS_EVERY:
            self._read_losses()

    def _backward(self, batch: TrainingBatch) -> torch.Tensor:
        """Compute the gradient of a batch, part by part; return the mean loss."""
        losses = []
        last = 0
        objective = unwrap(self.objective)
        for rows in batch.rows.chunk(self.options.accumulate):
            first, last = last, last + rows.numel()
            final = last == batch.rows.numel()
            # Processes share their gradients once, after the last part.
            sync = (
                contextlib.nullcontext() if final else self.accelerator.no_sync(self.objective)
            )
            with sync:
                inputs = (
                    batch.pixels[first:last],
                    objective.targets(rows),
                    batch.random[:, first:last],
                )
                # Any other copy to a GPU would first wait for all its pending work.
                loss = self.objective(
                    *(one.to(self.accelerator.device, non_blocking=True) for one in inputs)
                )
                weight = len(rows) / len(batch.rows)
                self.accelerator.backward(loss * weight)
            losses.append(loss.detach() * weight)
        return torch.stack(losses).sum()

    def _read_losses(self) -> None:
        """Log the losses since the last call; all processes fail together on a NaN."""
        if not self._unread:
            return
        losses = torch.stack([loss for _, _, loss in self._unread])
        means = cast("torch.Tensor", self.accelerator.reduce(losses, "mean")).tolist()
        for (step, rows, _), loss in zip(self._unread, means, strict=True):
            if loss != loss:  # noqa: PLR0124 (only a NaN differs from itself)
                ids = self.resources.loader.ids(rows)
                raise DataError(
                    f"the loss is NaN at step {step:,}, with {ids}; lower lr, "
                    "set clip_grad_norm: 1, or inspect these images"
                )
            factor = learning_rate_factor(self.options, step, self.sampler.steps)
            self.resources.log.step(step, loss, self.options.lr * factor)
        self._unread.clear()

    def _end_epoch(self, progress: Progress) -> bool:
        """Log, validate and save at the end of an epoch; return whether to stop early."""
        epoch, rest = divmod(self.position.step, self.sampler.steps)
        if rest:
            return False
        self._read_losses()
        row = {"epoch": float(epoch), "loss": self.resources.log.mean_loss()}
        due = epoch % self.options.validate_every == 0 or epoch == self.options.epochs
        if self.resources.validate and due:
            row |= self._validate(epoch)
        self.position.history.append(row)
        self.resources.log.epoch(row)
        progress.epoch(row)
        self._save()
        stop = 0 < self.options.patience <= self.position.stale
        if stop:
            best = self.position.best_epoch
            progress.message(f"stops after epoch {epoch}: no improvement since epoch {best}")
        return stop

    def _validate(self, epoch: int) -> dict[str, float]:
        with self.initial.mixed(self.kept.model):
            scores = cast("Validate", self.resources.validate)(self.kept)
            scores = devices.broadcast_scores(self.accelerator, scores)
            score = next(iter(scores.values()))
            better = score > self.position.best
            if better and self.accelerator.is_main_process:
                self.resources.checkpoints.save("best", {"model": self.kept.model.state_dict()})
        set_training_mode(self.objective, self.options)
        self.position.stale = 0 if better else self.position.stale + 1
        if better:
            self.position.best, self.position.best_epoch = score, epoch
        return scores

    def _stop_requested(self, interrupt: Interrupt) -> bool:
        """Return whether to stop; processes agree whenever they read the losses.

        Each process receives a signal at a step of its own; without agreement the others would
        wait for it forever.
        """
        if self.accelerator.num_processes == 1:
            return interrupt.requested
        if self._unread:
            return False
        return devices.any_process(self.accelerator, flag=interrupt.requested)

    def _save_if_due(self, *, stop: bool) -> None:
        if stop or self.position.step % self.options.save_every == 0:
            self._read_losses()
            self._save()
            return
        seconds = time.monotonic() - self._saved
        if not self._unread and seconds >= 60 * self.options.save_minutes:
            self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        if not self.accelerator.is_main_process:
            return
        self.resources.checkpoints.save(
            "last",
            {
                "task": unwrap(self.objective).state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "average": self.average.state_dict() if self.average else None,
                "random": random_state(),
                "position": asdict(self.position),
                **self.resources.log.state,
            },
        )

    def _resume(self) -> None:
        state = self.resources.checkpoints.load("last")
        devices.check_step(self.accelerator, state["position"]["step"] if state else 0)
        if state is None:
            return
        unwrap(self.objective).load_state_dict(state["task"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.average:
            self.average.load_state_dict(state["average"])
        restore_random(state["random"])
        self.position = Position(**state["position"])
        self.resources.log.resume(self.position.step, state)

    def _restore_best(self) -> None:
        state = self.resources.checkpoints.load("best") if self.resources.validate else None
        if state:
            self.kept.model.load_state_dict(cast("Mapping[str, Any]", state["model"]))
        else:
            self.initial.mix(self.kept.model)
        self.kept.eval()

    def _progress(self) -> Progress:
        images = self.sampler.epoch(0)[0].size
        done, total = self.position.step * images, self.steps * images
        return Progress(done, total, main=self.accelerator.is_main_process)
