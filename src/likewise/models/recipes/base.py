"""Base classes of recipes."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from likewise.errors import ConfigError
from likewise.models.passport import Passport
from likewise.models.training.options import (
    PARTIAL,
    DataOptions,
    FitOptions,
    TrainingOptions,
)
from likewise.models.training.training_data import TrainingContext, TrainingData
from likewise.registry import Part

if TYPE_CHECKING:
    from likewise.models.text_encoder import TextEncoder
    from likewise.models.training.encode import Encoder
    from likewise.models.training.image_encoder import ImageEncoder
    from likewise.models.training.trainer import ModelBuilder, TrainingSetup


class Recipe(Part, ABC):
    """A way to make a model; the fields are its options in params.yaml."""

    section: ClassVar[str] = "models"
    """The section of params.yaml for entries of this recipe; its stage depends on it."""

    runs_code: ClassVar[bool] = False
    """True if the models run code of the catalogue's author."""

    def check_inputs(self, root: Path) -> None:
        """Check that what the options name exists, such as a file of weights; nothing is made.

        Args:
            root: the folder that relative paths in options start from.

        Raises:
            ConfigError: an option names something that does not exist.
            DataError: a file does not exist.
        """

    @abstractmethod
    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Write ``model.safetensors`` and ``passport.json`` into the empty ``folder``.

        Args:
            folder: the model's folder.
            seed: the seed of all random numbers.
            context: initial model and training data; a frozen model ignores it.
            root: the folder that relative paths in options start from; by default the current
                folder.
        """

    @abstractmethod
    def load(self, folder: Path, role: str | None = None) -> "ImageEncoder":
        """Load the model in ``folder``; no network is used.

        Args:
            folder: the model's folder.
            role: the role of the items to embed: "query" (the default) or "gallery". Some
                models embed queries and gallery items differently.

        Raises:
            MissingArtefactError: the folder contains no model.
            StaleArtefactError: the model was made with other options than these.
            DataError: the model is damaged.
        """

    def load_text(self, folder: Path) -> "TextEncoder":
        """Load the text tower of the model in ``folder``; no network is used.

        A recipe whose passports have the field ``text`` overrides this method.

        Raises:
            DataError: the model has no text tower, or is damaged.
            MissingArtefactError: the folder contains no model.
        """
        from likewise.models.text_encoder import no_text_tower

        raise no_text_tower(folder.name)


LATER_OPTIONS = ("merge_labels", "order", *PARTIAL)
"""Options that older passports lack, so a passport has them only if they are set."""


class LearnedRecipe(DataOptions, Recipe):
    """A recipe that reads training data, with or without images."""

    kind: ClassVar[str]
    """The name under which the recipe is registered."""

    vectors_option: ClassVar[str] = "teacher"
    """The option, if given, that names a model whose stored vectors are read."""

    def entry(self) -> dict[str, object]:
        """Return the kind and all options, for the passport; of LATER_OPTIONS those set."""
        entry = {"kind": self.kind, **self.model_dump(mode="json")}
        unset = {
            name
            for name, option in type(self).model_fields.items()
            if name in LATER_OPTIONS and getattr(self, name) == option.default
        }
        return {name: value for name, value in entry.items() if name not in unset}

    def require(self, context: TrainingContext | None) -> TrainingContext:
        """Return ``context``.

        Raises:
            ConfigError: ``context`` is None.
        """
        if context is None:
            raise ConfigError(
                f"a model of kind {self.kind!r} needs training data; move its entry to "
                f"{self.section!r} in params.yaml"
            )
        return context


class FittedRecipe(FitOptions, LearnedRecipe):
    """A recipe that learns from images, with or without gradient steps."""

    def load(self, folder: Path, role: str | None = None) -> "Encoder":
        """Load the model in ``folder``, by its passport alone."""
        from likewise.models.training import trainer

        return trainer.load_encoder(folder, role)


class TrainedRecipe(TrainingOptions, FittedRecipe):
    """A recipe that trains by gradient steps; its fields include those of the training loop."""

    section: ClassVar[str] = "trained"
    has_original: ClassVar[bool] = False
    """True if the recipe supports ``original``."""
    reads_packs: ClassVar[bool] = False
    """True if the recipe supports ``order: packs``: each of its units is one item."""

    @model_validator(mode="after")
    def _check_original(self) -> Self:
        """Refuse ``original`` for recipes without an original program."""
        if self.original and not self.has_original:
            raise ValueError("original is an option of arnet and arnet-mstr; leave it out")
        return self

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        """Refuse ``order: packs`` for recipes whose batches have several items of a class."""
        if self.order == "packs" and not self.reads_packs:
            raise ValueError(
                "order: packs is an option of classify, distill and ssl, whose batches are any "
                "items; leave it out"
            )
        return self

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Train the model, or resume a stopped training, and write it into ``folder``.

        Raises:
            ConfigError: ``context`` is None.
            DataError: the data do not fit the recipe, the loss is NaN, or memory is too small.
            Stopped: the process received SIGTERM; the training was saved.
        """
        required = self.require(context)
        from likewise.models.training import trainer

        return trainer.train(self, self.setup, self.entry(), (folder, seed, required))

    @abstractmethod
    def setup(self, builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
        """Build the model with its loss, choose the training and validation items."""
