"""What every recipe promises."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from likewise.errors import ConfigError
from likewise.models.passport import Passport
from likewise.models.training.options import Plan
from likewise.models.training.training_data import Material, Study
from likewise.registry import Part

if TYPE_CHECKING:
    from likewise.models.training.encode import Encoder
    from likewise.models.training.trainer import Bench, Lesson


class Recipe(Part, ABC):
    """A way to come by a model; the fields are its options in params.yaml."""

    section: ClassVar[str] = "models"
    """Where in params.yaml it belongs: what its stage in dvc.yaml depends on."""

    @abstractmethod
    def make(self, folder: Path, seed: int, study: Study | None = None) -> Passport:
        """Write ``model.safetensors`` and ``passport.json`` into the empty ``folder``.

        ``study`` is what a model that learns is given; a frozen one takes no notice.
        """

    @abstractmethod
    def load(self, folder: Path, role: str | None = None) -> "Encoder":
        """What embeds images by the model in ``folder``; no hub is ever asked.

        Some models embed items of the ``role`` gallery differently; by default it is query.

        Raises:
            MissingArtefactError: there is no model.
            StaleArtefactError: the model there was made by other options than these.
            DataError: it is damaged.
        """


class Learned(Recipe):
    """A recipe that reads data, whether it goes by steps or not."""

    kind: ClassVar[str]
    """The name under which the recipe is registered."""

    def load(self, folder: Path, role: str | None = None) -> "Encoder":
        """What embeds images by the model in ``folder``, as its passport says."""
        from likewise.models.training import trainer

        return trainer.load(folder, role)

    def entry(self) -> dict[str, object]:
        """The options as the passport keeps them."""
        return {"kind": self.kind, **self.model_dump(mode="json")}

    def need(self, study: Study | None) -> Study:
        """What there is to learn from.

        Raises:
            ConfigError: nothing was given.
        """
        if study is None:
            raise ConfigError(
                f"a model of kind {self.kind!r} learns; it belongs under {self.section!r} in "
                "params.yaml"
            )
        return study


class Trained(Plan, Learned):
    """A recipe that learns by steps; its fields are its own options and those of the plan."""

    section: ClassVar[str] = "trained"
    has_original: ClassVar[bool] = False
    """Whether ``original`` says anything."""

    @model_validator(mode="after")
    def _say_what_original_is(self) -> Self:
        """Refuse to claim a program's behaviour that there is none of."""
        if self.original and not self.has_original:
            raise ValueError("original is an option of arnet and arnet-mstr; leave it out")
        return self

    def make(self, folder: Path, seed: int, study: Study | None = None) -> Passport:
        """Train the model, or go on where a killed training was, and write it into ``folder``.

        Raises:
            ConfigError: nothing is given to learn from.
            DataError: the data do not serve, the loss is no number, or memory is short.
            Stopped: the process was asked to end; all is saved.
        """
        given = self.need(study)
        from likewise.models.training import trainer

        return trainer.make(self, self.lesson, self.entry(), (folder, seed, given))

    @abstractmethod
    def lesson(self, bench: "Bench", material: Material) -> "Lesson":
        """What there is to learn, and by which loss."""
