"""Train the text tower of the recipe contrastive-text, and write both towers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from likewise.errors import DataError
from likewise.formats.array_types import Float32Array
from likewise.models.passport import Passport
from likewise.models.training import text_tower, trainer
from likewise.models.training.checkpoint import seeded_random
from likewise.models.training.class_anchors import class_anchors
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.image_text_loss import (
    ImageTextLoss,
    ImageTextObjective,
)
from likewise.models.training.locked_training import HeldOutTexts, LockedTraining
from likewise.models.training.samplers import ShuffledSampler
from likewise.models.training.text_options import TextOptions
from likewise.models.training.text_regression import examples, fit
from likewise.models.training.text_tower import PieceTower
from likewise.models.training.trainer import ModelBuilder, TrainingSetup
from likewise.models.training.training_data import TrainingContext, TrainingData
from likewise.models.training.training_log import TrainingLog
from likewise.models.training.word_pieces import WordPieces

Target = tuple[Path, int, TrainingContext]
"""The model's folder, the seed and the context."""

MOST_PIECES = 50_000
"""Maximum number of pieces of a tokenizer."""


@dataclass(frozen=True)
class Texts:
    """The distinct texts of training items, and the number of each item's text."""

    names: list[str]
    codes: list[int]

    @classmethod
    def of(cls, data: TrainingData) -> "Texts":
        """Number the texts of some items."""
        names = data.items["text"].unique().sort().to_list()
        number = {name: code for code, name in enumerate(names)}
        return cls(names, [number[text] for text in data.items["text"]])


def make_model(
    options: TextOptions, entry: dict[str, Any], target: Target, root: Path | None = None
) -> Passport:
    """Train the model and write it; see the recipe contrastive-text.

    Args:
        options: the recipe.
        entry: its kind and options, for the passport.
        target: as for ``trainer.train``.
        root: the folder that the path of the classifier starts from.

    Raises:
        DataError: there are fewer than two distinct texts, or the classifier does not fit.
    """
    folder, seed, context = target
    if options.image == "trained":
        return _trained(options, entry, target)
    with seeded_random(seed):
        builder = trainer.model_builder(options, context.init, seed)
        data = options.with_texts(context.data).in_split(options.split)
        training, held_out = data.hold_out("text", options.validation, seed, least=1)
        architecture = options.architecture(builder.base)
        model = builder.descriptor(architecture)
        texts = Texts.of(training)
        names, anchors = _anchors(options, model.width, root)
        pieces, tower, loss = _towers(options, training.name, model.width, texts, names)
        for parameter in model.trunk.parameters():
            parameter.requires_grad_(False)  # noqa: FBT003
        fixed = builder.embed(Descriptor(builder.trunk, builder.base).eval(), data)
        places = dict(zip(data.ids, range(len(data)), strict=True))
        rows = [places[item] for item in training.ids]
        if options.text_init == "regression":
            given = examples(texts.names, texts.codes, fixed[rows], names, anchors)
            fit(tower, pieces, given, options.ridge)
        search = _search(fixed, pieces, held_out, data)
        log = TrainingLog(context.report)
        learning = LockedTraining(options, model, loss, search, log)
        codes = [*texts.codes, *range(len(texts.names), len(texts.names) + len(names))]
        summary = learning.run(np.concatenate([fixed[rows], anchors]), codes, seed)
        log.finish(**summary, items=len(training), processes=1)
        init = Passport.read(context.init)
        written = (folder, context, init)
        passport = trainer.write_model(model, builder, architecture, entry, written)
        return text_tower.save(tower, pieces, folder, passport)


def _trained(options: TextOptions, entry: dict[str, Any], target: Target) -> Passport:
    """Train both towers by the training loop; the last weights are kept."""
    made: list[tuple[PieceTower, WordPieces]] = []

    def kept(builder: ModelBuilder, data: TrainingData) -> TrainingSetup:
        parts, tower, pieces = setup(options, builder, data)
        made.append((tower, pieces))
        return parts

    passport = trainer.train(options, kept, entry, target)
    [(tower, pieces)] = made
    return text_tower.save(tower.cpu().eval(), pieces, target[0], passport)


def setup(
    options: TextOptions, builder: ModelBuilder, data: TrainingData
) -> tuple[TrainingSetup, PieceTower, WordPieces]:
    """Return the parts of a training of both towers, with the text tower and its tokenizer.

    Raises:
        DataError: no item has a text, or all have the same.
    """
    data = options.with_texts(data)
    architecture = options.architecture(builder.base)
    model, texts = builder.descriptor(architecture), Texts.of(data)
    pieces, tower, loss = _towers(options, data.name, model.width, texts, [])
    objective = ImageTextObjective(model, builder.augmenter(options), texts.codes, loss)
    sampler = ShuffledSampler(len(data), options.batch, builder.seed)
    return TrainingSetup(objective, sampler, data, architecture), tower, pieces


def _anchors(
    options: TextOptions, width: int, root: Path | None
) -> tuple[list[str], Float32Array]:
    """Return the names of the classifier's classes and their directions; none without one."""
    if options.classifier is None:
        return [], np.empty((0, width), np.float32)
    return class_anchors(options.classifier, width, root)


def _towers(
    options: TextOptions, data: str, width: int, texts: Texts, further: list[str]
) -> tuple[WordPieces, PieceTower, ImageTextLoss]:
    """Learn the tokenizer from the training texts and further ones, and create the text tower.

    Raises:
        DataError: there are fewer than two distinct texts.
    """
    if len(texts.names) < 2:
        raise DataError(
            f"{data} has only one distinct text in its training items; at least two are needed"
        )
    names = [*texts.names, *further]
    pieces = WordPieces.learn(names, options.ngrams, MOST_PIECES)
    dim = options.dim or width
    linear = options.text_init == "regression"
    tower = PieceTower(len(pieces), options.width, dim, options.piece_dropout, linear=linear)
    encoded = [pieces.encode(text) for text in names]
    return pieces, tower, ImageTextLoss(tower, encoded, options.loss)


def _search(
    fixed: Float32Array, pieces: WordPieces, held_out: TrainingData, data: TrainingData
) -> HeldOutTexts | None:
    """Return the search of all items by the held-out texts; None if none are held out."""
    if not len(held_out):
        return None
    texts = Texts.of(held_out)
    number = {name: code for code, name in enumerate(texts.names)}
    owners = [number.get(text, -1) for text in data.items["text"]]
    return HeldOutTexts(fixed, [pieces.encode(text) for text in texts.names], owners)
