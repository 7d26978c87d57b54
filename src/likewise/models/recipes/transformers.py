"""A model of transformers: an image tower and, if it has one, a text tower."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from likewise.errors import DataError
from likewise.models.model_files import CONFIG, check_files, digests
from likewise.models.passport import WEIGHTS, Passport, TextTower, libraries
from likewise.models.recipes.base import Recipe
from likewise.models.recipes.tower_options import TowerOptions, without_folders
from likewise.models.training.training_data import TrainingContext

if TYPE_CHECKING:
    from likewise.models.text_encoder import TextEncoder
    from likewise.models.training.encode import Encoder


class Transformers(TowerOptions, Recipe):
    """CLIP, SigLIP, DINOv2, DINOv3, ViT and others, as transformers loads them.

    Attributes:
        model: ``ORGANISATION/NAME`` of the hub, optionally with ``@REVISION``, or
            ``folder:PATH`` with ``config.json``.
        weights: ``own``, ``random``, or ``file:PATH``: other weights of the architecture.
        pooling: of an image model: its pooled output (pooler), the first token (cls) or the
            mean of all tokens; by default the pooled output, or cls without one.
    """

    model: str = Field(pattern=r"^(folder:.+|[^:/]+/[^:/]+)$")
    weights: str = Field(default="own", pattern=r"^(own|random|file:.+)$")
    pooling: Literal["pooler", "cls", "mean"] | None = None

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
            ConfigError: the model does not support these options.
            DataError: a file is missing or damaged, cannot be fetched, or does not fit.
        """
        from likewise.models.towers import hub_files
        from likewise.models.towers import transformers_inputs as inputs
        from likewise.models.towers import transformers_models as library
        from likewise.models.training import backbones, weights

        files = (library.CONFIGURATION, *inputs.PROCESSOR_FILES, *hub_files.TOKENIZER_FILES)
        groups = library.WEIGHTS_FILES if self.weights == "own" else ()
        source = hub_files.find(self.model, root, files, groups)
        where = f"model {self.model!r}"
        model, pooling, origin = self._model(source, seed, root)
        names = (library.CONFIGURATION, *inputs.PROCESSOR_FILES)
        hub_files.copy_files(hub_files.existing(source.path, names), folder / CONFIG)
        tower = None
        if self.text and library.has_text_tower(model):
            tokenizer = hub_files.tokenizer_files(source.path, self.model)
            hub_files.copy_files(tokenizer, folder / CONFIG)
            length = inputs.context_length(folder / CONFIG)
            tower = TextTower(
                context_length=length, tokenizer="huggingface", templates=self.templates
            )
        config = inputs.preprocessing_of(folder / CONFIG, where, self)
        entry = without_folders({"kind": "transformers", **self.model_dump(mode="json")})
        height, width = config.input_size[1:]
        image_tower = library.TransformersImages(model, pooling, (height, width))
        passport = Passport(
            recipe=self.without_defaults({**entry, "pooling": pooling}),
            backbone=entry["model"],
            dim=backbones.embedding_dim(image_tower, config),
            weights_sha256=weights.save(model, folder / WEIGHTS),
            weights_source=origin,
            preprocessing=config,
            precision=self.precision,
            libraries=libraries("transformers", "tokenizers"),
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
        from likewise.models.towers import transformers_inputs as inputs
        from likewise.models.towers import transformers_models as library
        from likewise.models.training.encode import Encoder

        passport, model = self._restored(folder)
        config = passport.image_preprocessing
        height, width = config.input_size[1:]
        tower = library.TransformersImages(model, self.pooling, (height, width))
        transform = inputs.pixel_transform(folder / CONFIG, config, self)
        return Encoder(tower, transform, passport)

    def load_text(self, folder: Path) -> "TextEncoder":
        """Load the text tower of the model in ``folder``; no network is used.

        Raises:
            MissingArtefactError: a file of the model is missing.
            DataError: the model is damaged, or has no text tower.
        """
        from likewise.models.text_encoder import check_text_tower
        from likewise.models.towers import transformers_inputs as inputs
        from likewise.models.towers import transformers_models as library
        from likewise.models.towers.tower_text import TowerText

        passport, model = self._restored(folder)
        facts = check_text_tower(passport, folder.name)
        tokens = inputs.TransformersTokens(folder, facts)
        return TowerText(library.TransformersTexts(model), tokens, passport)

    def _model(self, source: Any, seed: int, root: Path | None) -> tuple[Any, Any, str]:
        """Return the model, its pooling and the origin of its weights."""
        from likewise.formats.file_hashes import file_sha256
        from likewise.models.towers import transformers_models as library

        where = f"model {self.model!r}"
        if self.weights == "random":
            model = library.create(source.path, self.pooling, seed)
            return model, self.pooling, f"random seed {seed}"
        if self.weights == "own":
            return *library.load(source.path, None, self.pooling, where), source.origin
        path = (root or Path()) / Path(self.weights.removeprefix("file:")).expanduser()
        if not path.is_file():
            raise DataError(
                f"weights {self.weights!r}: the file does not exist; correct the path"
            )
        loaded = library.load(source.path, path, self.pooling, f"weights {self.weights!r}")
        return *loaded, f"file:{path.name} sha256 {file_sha256(path)}"

    def _restored(self, folder: Path) -> tuple[Passport, Any]:
        from likewise.models.towers import transformers_models as library
        from likewise.models.training import weights

        passport = Passport.read(folder)
        check_files(folder, passport)
        model = library.create(folder / CONFIG, self.pooling)
        weights.restore(model, folder / WEIGHTS)
        return passport, model
