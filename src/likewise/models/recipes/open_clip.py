"""A model of open_clip: image and text tower."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from likewise.models.model_files import check_files, digests
from likewise.models.passport import WEIGHTS, Passport, libraries
from likewise.models.recipes.base import Recipe
from likewise.models.recipes.tower_options import TowerOptions, without_folders
from likewise.models.training.training_data import TrainingContext

if TYPE_CHECKING:
    from likewise.models.text_encoder import TextEncoder
    from likewise.models.training.encode import Encoder


class OpenClip(TowerOptions, Recipe):
    """CLIP, SigLIP, CoCa, EVA-CLIP, MobileCLIP and others, as open_clip loads them.

    Attributes:
        model: an architecture of open_clip (ViT-B-32), ``hub:ORGANISATION/NAME``, optionally
            with ``@REVISION``, or ``folder:PATH`` with ``open_clip_config.json``.
        weights: of an architecture: a tag of open_clip (laion2b_s34b_b79k), ``file:PATH`` or
            ``random``; a model of the hub or a folder has its own.
    """

    model: str
    weights: str | None = None

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Create the model and write it, its configuration and tokenizer into ``folder``.

        Raises:
            UnknownNameError: open_clip has no such architecture or tag.
            ConfigError: the model does not support these options.
            DataError: a file is missing or damaged, cannot be fetched, or does not fit.
        """
        from likewise.models.towers import open_clip_models as library
        from likewise.models.towers import open_clip_source, open_clip_tokens
        from likewise.models.training import backbones, weights

        source = open_clip_source.find(self.model, self.weights, root, seed)
        model = library.make(source, self.input_size, folder, seed)
        config = self.preprocessing(library.preprocessing(folder))
        tower = None
        if self.text:
            tower = open_clip_tokens.write_tokenizer(source, folder, self.templates)
        entry = without_folders({"kind": "open_clip", **self.model_dump(mode="json")})
        passport = Passport(
            recipe=self.without_defaults(entry),
            backbone=entry["model"],
            dim=backbones.embedding_dim(library.OpenClipImages(model), config),
            weights_sha256=weights.save(model, folder / WEIGHTS),
            weights_source=source.origin,
            preprocessing=config,
            precision=self.precision,
            libraries=libraries("open_clip_torch", "transformers"),
            seed=seed,
            text=tower,
            files=digests(folder),
        )
        passport.write(folder)
        return passport

    def load(self, folder: Path, role: str | None = None) -> "Encoder":
        """Load the image tower of the model in ``folder``; no network is used.

        Raises:
            MissingArtefactError: a file of the model is missing.
            DataError: the model is damaged.
        """
        from likewise.models.towers import open_clip_models as library
        from likewise.models.training import backbones
        from likewise.models.training.encode import Encoder

        passport, model = self._restored(folder)
        transform = library.pixel_transform(folder)
        if self.has_own_geometry:
            transform = backbones.pixel_transform(passport.image_preprocessing)
        return Encoder(library.OpenClipImages(model), transform, passport)

    def load_text(self, folder: Path) -> "TextEncoder":
        """Load the text tower of the model in ``folder``; no network is used.

        Raises:
            MissingArtefactError: a file of the model is missing.
            DataError: the model is damaged, or its text tower was left out.
        """
        from likewise.models.text_encoder import check_text_tower
        from likewise.models.towers import open_clip_models as library
        from likewise.models.towers.open_clip_tokens import ClipTokens
        from likewise.models.towers.tower_text import TowerText

        passport, model = self._restored(folder)
        tokens = ClipTokens(folder, check_text_tower(passport, folder.name))
        del model.visual
        return TowerText(library.OpenClipTexts(model), tokens, passport)

    def _restored(self, folder: Path) -> tuple[Passport, Any]:
        from likewise.models.towers import open_clip_models as library
        from likewise.models.training import weights

        passport = Passport.read(folder)
        check_files(folder, passport)
        model = library.build(folder)
        weights.restore(model, folder / WEIGHTS)
        return passport, model
