"""From a recipe and what it is given to a model in its folder: begin, train, write, load."""

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from likewise.models.passport import (
    LEARNING,
    Architecture,
    Passport,
    Preprocessing,
    libraries,
)
from likewise.models.training import backbones, descriptor
from likewise.models.training.augment import Views
from likewise.models.training.batch_loader import Feed
from likewise.models.training.checkpoint import Checkpoints, Position
from likewise.models.training.descriptor import Branches, Descriptor
from likewise.models.training.encode import Encoder, Vectors
from likewise.models.training.loop import Loop, Setting, Validate
from likewise.models.training.objective import Task
from likewise.models.training.options import Plan, Source
from likewise.models.training.samplers import Sampler
from likewise.models.training.training_data import Material, Study
from likewise.models.training.training_log import TrainingLog, device


@dataclass(frozen=True)
class Bench:
    """What a lesson is built on: the backbone to begin with, and how pictures are seen.

    Attributes:
        trunk: the backbone, with the weights of the model that it starts from.
        passport: that model's passport, with this training's preprocessing.
        base: how the backbone is created.
        seed: of everything random.
    """

    trunk: nn.Module
    passport: Passport
    base: Architecture
    seed: int

    @property
    def config(self) -> Preprocessing:
        """How pictures are prepared for the model."""
        return self.passport.preprocessing

    def views(self, plan: Plan) -> Views:
        """What turns pixels into the model's input while it learns by ``plan``."""
        return Views(plan.augment, _learned_at(self.config, plan))

    def descriptor(self, architecture: Architecture) -> Descriptor:
        """The backbone with ``architecture`` on it."""
        return _reached(Descriptor(self.trunk, architecture), self.config)

    def another(self, architecture: Architecture) -> Descriptor:
        """The same once more, with a backbone of its own that begins alike."""
        return _reached(Descriptor(copy.deepcopy(self.trunk), architecture), self.config)

    def vectors(self, model: Descriptor | Branches, material: Material) -> Vectors:
        """The vectors of all items of ``material`` by a model in the making: (items, dim).

        Raises:
            DataError: a picture cannot be decoded.
        """
        roles = material.items["role"].to_list()
        out = np.empty((len(material), 0), np.float32)
        for role in sorted({role or "" for role in roles}):
            rows = [n for n, found in enumerate(roles) if (found or "") == role]
            chosen = replace(material, items=material.items[rows])
            where = str(next(model.parameters()).device)  # it goes on learning there
            encoder = _encoder(model, self.passport, role or None, where)
            for numbers, found in encoder.encode_stream(chosen.reader()):
                if not out.size:
                    out = np.empty((len(material), found.shape[1]), np.float32)
                out[[rows[n] for n in numbers]] = found
        return out


@dataclass(frozen=True)
class Lesson:
    """What there is to learn.

    Attributes:
        task: the model and its loss.
        sampler: who makes the batches.
        material: the items that they are made of.
        architecture: what stands on the backbone.
        validate: who judges, where something was held out.
    """

    task: Task
    sampler: Sampler
    material: Material
    architecture: Architecture
    validate: Validate | None = None


def make(
    plan: Plan,
    lesson: Callable[[Bench, Material], Lesson],
    entry: dict[str, Any],
    given: tuple[Path, int, Study],
) -> Passport:
    """Train what ``lesson`` says by ``plan`` and write the model; see ``Trained.make``.

    ``given`` are the model's folder, the seed, and what there is to learn from.
    """
    folder, seed, study = given
    torch.manual_seed(seed)
    bench = prepare(plan, study.start, seed)
    taught = lesson(bench, study.material.part(plan.split))
    task = taught.task.to(memory_format=torch.channels_last)
    start = Passport.read(study.start)
    checkpoints = Checkpoints(study.checkpoints)
    feed = Feed(taught.material, _read_at(bench.config, plan), taught.sampler, plan.workers)
    log = TrainingLog(study.report, main=os.environ.get("RANK", "0") == "0")
    loop = Loop(task, plan, Setting(feed, checkpoints, log, taught.validate, seed))
    position = loop.run()
    log.finish(**_made(loop, position, taught))
    loop.close()
    return write(loop.kept.model, bench, taught.architecture, entry, (folder, study, start))


def prepare(plan: Source, start: Path, seed: int) -> Bench:
    """The backbone of the model in ``start``, ready to learn by ``plan``.

    Raises:
        MissingArtefactError: there is no such model.
        DataError: it is damaged.
        ConfigError: its backbone does not take the plan's input size.
    """
    passport = Passport.read(start)
    base = descriptor.architecture_of(passport)
    base = Architecture(input_size=plan.input_size or base.input_size, pooling=base.pooling)
    trunk = descriptor.trunk_of(start, passport, plan.input_size)
    config = _config(passport.preprocessing, plan)
    passport = passport.model_copy(
        update={"preprocessing": config, "precision": plan.precision}
    )
    return Bench(trunk, passport, base, seed)


def load(folder: Path, role: str | None) -> Encoder:
    """What embeds items of ``role`` by the model in ``folder``.

    Raises:
        MissingArtefactError: there is no model.
        DataError: it is damaged.
    """
    passport = Passport.read(folder)
    return _encoder(descriptor.restore(folder, passport), passport, role or "query")


def _reached(model: Descriptor, config: Preprocessing) -> Descriptor:
    """The model, in which what no vector hangs on is not to learn.

    Another head than the backbone's own leaves layers of that aside (the norm that follows
    ConvNeXt's pooling, say), and several processes wait for the gradient of all that learns.
    """
    was = model.training
    model.eval()(torch.zeros(1, *config.input_size)).sum().backward()
    for parameter in model.parameters():
        parameter.requires_grad_(parameter.grad is not None)
        parameter.grad = None
    return model.train(was)


def _encoder(
    model: Descriptor | Branches,
    passport: Passport,
    role: str | None,
    device: str | None = None,
) -> Encoder:
    chosen = descriptor.branch(model, role, passport.preprocessing)
    return Encoder(chosen, backbones.transform(passport.preprocessing), passport, device)


def _config(config: Preprocessing, plan: Source) -> Preprocessing:
    wanted: dict[str, Any] = {}
    if plan.input_size is not None:
        wanted["input_size"] = (3, plan.input_size, plan.input_size)
    if plan.crop_pct is not None:
        wanted["crop_pct"] = plan.crop_pct
    if plan.crop_mode is not None:
        wanted["crop_mode"] = plan.crop_mode
    return config.model_copy(update=wanted)


def _read_at(config: Preprocessing, plan: Plan) -> Preprocessing:
    """How pictures are read: larger than the model's input where random parts are looked at."""
    config = _learned_at(config, plan)
    channels, height, width = config.input_size
    zoom = plan.augment.zoom
    size = (channels, round(height * zoom), round(width * zoom))
    return config.model_copy(update={"input_size": size})


def _learned_at(config: Preprocessing, plan: Plan) -> Preprocessing:
    if plan.train_size is None:
        return config
    size = (config.input_size[0], plan.train_size, plan.train_size)
    return config.model_copy(update={"input_size": size})


def _made(loop: Loop, position: Position, taught: Lesson) -> dict[str, Any]:
    images = position.step * taught.sampler.epoch(0)[0].size
    return {
        "hours": round(position.seconds / 3600, 4),
        "images_per_second": round(images / max(position.seconds, 1e-9), 1),
        "processes": loop.accelerator.num_processes,
        "steps": position.step,
        "items": len(taught.material),
        "best_epoch": position.best_epoch or None,
        "history": position.history,
    }


def write(
    model: Descriptor | Branches,
    bench: Bench,
    architecture: Architecture,
    entry: dict[str, Any],
    given: tuple[Path, Study, Passport],
) -> Passport:
    """Write a model and its passport into a folder; that passport.

    ``given`` are the folder, what was learned from, and the passport of the start.
    """
    folder, study, start = given
    model = model.to("cpu").eval()
    chosen = model if isinstance(model, Descriptor) else model.query
    size = bench.config.input_size
    with torch.inference_mode():
        dim = chosen(torch.zeros(1, *size)).shape[1]
    passport = bench.passport.model_copy(
        update={
            "recipe": entry,
            "dim": dim,
            "weights_sha256": descriptor.save(model, folder),
            "weights_source": f"trained from {study.start_name} on {study.material.name}",
            "libraries": libraries(*LEARNING),
            "data": study.material.digests,
            "seed": bench.seed,
            "architecture": architecture,
            "start": start.weights_sha256,
            "device": device(),
        }
    )
    passport.write(folder)
    return passport
