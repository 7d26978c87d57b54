"""Contrastive image-text training: a small text tower for the vectors of a backbone."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from likewise.models.passport import Passport
from likewise.models.recipes.base import TrainedRecipe
from likewise.models.training.text_options import TextOptions
from likewise.models.training.training_data import TrainingContext, TrainingData

if TYPE_CHECKING:
    from likewise.models.text_encoder import TextEncoder
    from likewise.models.training.trainer import ModelBuilder, TrainingSetup


class ContrastiveText(TextOptions, TrainedRecipe):
    """Learn a text tower on the texts of items, for search by words.

    A text is the sum of the vectors of its words and their character n-grams, and two layers,
    or one with ``text_init: regression``.
    The tokenizer is learned from the training texts and stored with the model. Items with the
    same text are positives of each other. With ``image: locked``, the backbone is frozen (LiT):
    its vectors are computed once, and a training takes seconds. Validation holds out whole
    texts, which no tower sees, and searches all items by them.

    Sources: CLIP: arXiv:2103.00020. LiT: 2111.07991. SigLIP: 2303.15343. Subwords: Bojanowski
    et al., TACL 2017 (1607.04606).
    """

    kind: ClassVar[str] = "contrastive-text"
    section: ClassVar[str] = "aligned"

    def entry(self) -> dict[str, object]:
        """Return the kind and all options, without the folder of a file of weights."""
        entry = super().entry()
        kind, _, path = (self.classifier or "").partition(":")
        if kind == "file":
            entry["classifier"] = f"file:{Path(path).name}"
        return entry

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Train the text tower and write both towers into ``folder``.

        Raises:
            ConfigError: ``context`` is None.
            DataError: no item has a text, or the texts do not fit the recipe.
        """
        required = self.require(context)
        from likewise.models.training import text_training

        return text_training.make_model(self, self.entry(), (folder, seed, required), root)

    def setup(self, builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
        """Train both towers; see ``text_training``."""
        from likewise.models.training import text_training

        return text_training.setup(self, builder, data)[0]

    def load_text(self, folder: Path) -> "TextEncoder":
        """Load the text tower of the model in ``folder``.

        Raises:
            DataError: a file is missing, or differs from the passport.
        """
        from likewise.models.training.text_tower import PieceEncoder

        return PieceEncoder(folder, Passport.read(folder))
