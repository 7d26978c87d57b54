"""The training loop: every recipe that learns goes through it.

Nothing in a batch hangs on what ran before: samplers and random changes count steps. So a
checkpoint is the weights, the optimiser, torch's random numbers and a step, and a training that
was killed goes on bit for bit on a CPU.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import nn

from likewise.errors import DataError
from likewise.models.training import devices
from likewise.models.training.batch_loader import Fed, Feed
from likewise.models.training.checkpoint import (
    Checkpoints,
    Position,
    random_state,
    restore_random,
)
from likewise.models.training.interrupt import Interrupt
from likewise.models.training.objective import Task, plain
from likewise.models.training.optimiser import Average, optimiser
from likewise.models.training.options import Plan
from likewise.models.training.out_of_memory import enough
from likewise.models.training.progress import Progress
from likewise.models.training.schedule import share
from likewise.models.training.training_log import TrainingLog

LOOKED_AT = 20
"""Steps between two looks at the loss on a GPU, which would wait for each of them."""

Validate = Callable[[Task], dict[str, float]]
"""The numbers of a task on what was held out; the first is the one to choose by."""


@dataclass(frozen=True)
class Setting:
    """All that surrounds a training: who reads, who keeps, who is told, who judges."""

    feed: Feed
    checkpoints: Checkpoints
    log: TrainingLog
    validate: Validate | None
    seed: int


class Loop:
    """One training."""

    def __init__(self, task: Task, plan: Plan, setting: Setting) -> None:
        """Put ``task`` on the devices that there are; nothing is trained yet."""
        self.accelerator = devices.accelerator(plan)
        self.plan, self.setting = plan, setting
        self.steps = setting.feed.sampler.steps * plan.epochs
        devices.check_batch(self.accelerator, plan, setting.feed.sampler)
        task = devices.synced(task, plan, self.accelerator)
        with enough(plan):
            moving = Average(task, plan.ema).to(self.accelerator.device) if plan.ema else None
            self.task, self.optimiser = self.accelerator.prepare(task, optimiser(task, plan))
        self.average = moving
        self.position = Position()
        self._unseen: list[tuple[int, torch.Tensor, torch.Tensor]] = []
        self._saved = time.monotonic()

    @property
    def kept(self) -> Task:
        """The task whose weights count: the moving average, where there is one."""
        return plain(self.average.module if self.average else self.task)

    def run(self) -> Position:
        """Train to the end, or to the best; the task then has the weights that are kept.

        Raises:
            Stopped: the process was asked to end; all is saved.
            DataError: the loss is no number, a picture cannot be read, or memory is short.
            ConfigError: torch.compile failed.
        """
        self._resume()
        began = time.monotonic() - self.position.seconds
        rank = self.accelerator.process_index, self.accelerator.num_processes
        batches = self.setting.feed(
            self.position.step,
            self.steps,
            plain(self.task).views,
            self.setting.seed,
            (*rank, self.accelerator.device.type == "cuda"),
        )
        with (
            enough(self.plan),
            devices.compiled(),
            Interrupt() as interrupt,
            self._progress() as bar,
            contextlib.closing(batches),
        ):
            self._learning()
            for fed in batches:
                self._step(fed)
                bar.update(fed.rows.numel() * self.accelerator.num_processes)
                self.position.seconds = time.monotonic() - began
                ended = self._between(bar)
                asked = self._agreed(interrupt)
                self._save_if(asked)
                if asked:
                    interrupt.stop(self.position.step, self.steps)
                if ended:
                    break
        self._keep_best()
        self.accelerator.wait_for_everyone()  # the first process moves the checkpoints away
        return self.position

    def close(self) -> None:
        """Leave the other processes, where there are any."""
        self.accelerator.end_training()

    def _learning(self) -> None:
        """Have the task in training, but batch norms that are to stay as they were."""
        self.task.train()
        if self.plan.freeze_norm:
            for module in self.task.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001
                    module.eval()

    def _step(self, fed: Fed) -> None:
        """Move the weights once."""
        progress = share(self.plan, self.position.step, self.setting.feed.sampler.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.lr * progress
        loss = self._backward(fed)
        if self.plan.clip_grad_norm:
            self.accelerator.clip_grad_norm_(self.task.parameters(), self.plan.clip_grad_norm)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        plain(self.task).after_step(self.position.step / self.steps)
        if self.average:
            self.average.update(plain(self.task), self.position.step)
        self._unseen.append((self.position.step, fed.rows, loss))
        self.position.step += 1
        if self.accelerator.device.type == "cpu" or len(self._unseen) == LOOKED_AT:
            self._look()

    def _backward(self, fed: Fed) -> torch.Tensor:
        """The gradient of a batch, worked off in parts; its mean loss."""
        losses = []
        last = 0
        task = plain(self.task)
        for rows in fed.rows.chunk(self.plan.accumulate):
            first, last = last, last + rows.numel()
            final = last == fed.rows.numel()
            # Processes share their gradients once, after the last part.
            alone = contextlib.nullcontext() if final else self.accelerator.no_sync(self.task)
            with alone:
                parts = fed.pixels[first:last], task.known(rows), fed.draws[:, first:last]
                # Any other copy to a GPU would first wait for all that it has to do.
                loss = self.task(
                    *(part.to(self.accelerator.device, non_blocking=True) for part in parts)
                )
                weight = len(rows) / len(fed.rows)
                self.accelerator.backward(loss * weight)
            losses.append(loss.detach() * weight)
        return torch.stack(losses).sum()

    def _look(self) -> None:
        """Look at the losses since the last look; all processes stop where one is no number."""
        if not self._unseen:
            return
        losses = torch.stack([loss for _, _, loss in self._unseen])
        seen = cast("torch.Tensor", self.accelerator.reduce(losses, "mean")).tolist()
        for (step, rows, _), loss in zip(self._unseen, seen, strict=True):
            if loss != loss:  # noqa: PLR0124 (only a NaN differs from itself)
                raise DataError(
                    f"the loss is no number at step {step:,}, with "
                    f"{self.setting.feed.ids(rows)}; lower lr, set "
                    "clip_grad_norm: 1, or look at these"
                )
            rate = self.plan.lr * share(self.plan, step, self.setting.feed.sampler.steps)
            self.setting.log.step(step, loss, rate)
        self._unseen.clear()

    def _between(self, bar: Progress) -> bool:
        """What is due after a step; whether the training ends here."""
        epoch, rest = divmod(self.position.step, self.setting.feed.sampler.steps)
        if rest:
            return False
        self._look()
        loss = self.setting.log.mean_loss()
        row = {"epoch": float(epoch), "loss": loss}
        due = epoch % self.plan.validate_every == 0 or epoch == self.plan.epochs
        if self.setting.validate and due:
            row |= self._validate(epoch)
        self.position.history.append(row)
        self.setting.log.epoch(row)
        bar.epoch(row)
        self._save()
        ended = bool(self.plan.patience) and self.position.stale >= self.plan.patience
        if ended:
            best = self.position.best_epoch
            bar.say(f"ends after epoch {epoch}, for nothing was better than after epoch {best}")
        return ended

    def _validate(self, epoch: int) -> dict[str, float]:
        found = cast("Validate", self.setting.validate)(self.kept)
        found = devices.agreed(self.accelerator, found)
        self._learning()
        value = next(iter(found.values()))
        if value > self.position.best:
            self.position.best, self.position.best_epoch = value, epoch
            self.position.stale = 0
            if self.accelerator.is_main_process:
                self.setting.checkpoints.save("best", {"model": self.kept.model.state_dict()})
        else:
            self.position.stale += 1
        return found

    def _agreed(self, interrupt: Interrupt) -> bool:
        """Whether to end here: several processes ask each other when they look at losses.

        Each hears a signal at a step of its own, and would wait for ever for the others.
        """
        if self.accelerator.num_processes == 1:
            return interrupt.asked
        if self._unseen:  # not looked at yet
            return False
        heard = torch.tensor(float(interrupt.asked), device=self.accelerator.device)
        return bool(cast("torch.Tensor", self.accelerator.reduce(heard, "sum")) > 0)

    def _save_if(self, asked: bool) -> None:  # noqa: FBT001 (said by the signal)
        if asked or self.position.step % self.plan.save_every == 0:
            self._look()
            self._save()
        elif not self._unseen and time.monotonic() - self._saved >= 60 * self.plan.save_minutes:
            self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        if not self.accelerator.is_main_process:
            return
        self.setting.checkpoints.save(
            "last",
            {
                "task": plain(self.task).state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "average": self.average.state_dict() if self.average else None,
                "random": random_state(),
                "position": asdict(self.position),
                "losses": self.setting.log.losses,
            },
        )

    def _resume(self) -> None:
        state = self.setting.checkpoints.load("last")
        devices.check_step(self.accelerator, state["position"]["step"] if state else 0)
        if state is None:
            return
        plain(self.task).load_state_dict(state["task"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.average:
            self.average.load_state_dict(state["average"])
        restore_random(state["random"])
        self.position = Position(**state["position"])
        self.setting.log.resume(self.position.step, state["losses"])

    def _keep_best(self) -> None:
        state = self.setting.checkpoints.load("best") if self.setting.validate else None
        if state:
            self.kept.model.load_state_dict(cast("Mapping[str, Any]", state["model"]))
        self.kept.eval()

    def _progress(self) -> Progress:
        images = self.setting.feed.sampler.epoch(0)[0].size
        done, total = self.position.step * images, self.steps * images
        return Progress(done, total, main=self.accelerator.is_main_process)
