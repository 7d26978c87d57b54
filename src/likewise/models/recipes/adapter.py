"""Adapters: layers that are learned on the stored vectors of another model."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from likewise.models.passport import Passport
from likewise.models.recipes.base import LearnedRecipe
from likewise.models.training.adapter_options import AdapterOptions
from likewise.models.training.training_data import TrainingContext

if TYPE_CHECKING:
    from likewise.models.training.image_encoder import ImageEncoder


class AdapterTraining(AdapterOptions, LearnedRecipe):
    """Metric learning of a linear layer, or of a small perceptron, on stored vectors.

    No pixels are read, so a training takes seconds on a CPU. Losses, miners and validation are
    those of the recipe metric. At the start, the layer keeps the cosines of the initial model.
    The model contains a copy of the initial model, for images without stored vectors.
    """

    kind: ClassVar[str] = "adapter"
    section: ClassVar[str] = "adapted"
    vectors_option: ClassVar[str] = "init"

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Train the layers, or resume a stopped training, and write the model.

        Raises:
            ConfigError: ``context`` is None, or the initial model is a function.
            StaleArtefactError: the stored vectors are those of another version of the model.
            DataError: the data do not fit the recipe, or the loss is NaN.
            Stopped: the process received SIGTERM; the training was saved.
        """
        required = self.require(context)
        from likewise.models.training import adapter_training

        return adapter_training.make_model(self, self.entry(), (folder, seed, required))

    def load(self, folder: Path, role: str | None = None) -> "ImageEncoder":
        """Load the model in ``folder``, by its passport alone."""
        from likewise.models.recipes import load
        from likewise.models.training.adapter_encoder import BASE, AdapterEncoder, load_layers

        layers = load_layers(folder)
        return AdapterEncoder(load(folder / BASE, role), layers, Passport.read(folder))
