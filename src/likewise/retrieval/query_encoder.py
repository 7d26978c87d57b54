"""Embed pictures and texts of queries by the model that made the vectors of a data set."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from likewise.errors import MissingArtefactError, StaleArtefactError
from likewise.formats.array_types import Float32Array
from likewise.formats.progress_note import progress_note
from likewise.models import author_code, recipes
from likewise.models.passport import Passport
from likewise.retrieval.published_dataset import PublishedDataset, check_embeds_pictures
from likewise.storage import artefacts, versions
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from PIL import Image

    from likewise.models.text_encoder import TextEncoder
    from likewise.models.training.image_encoder import ImageEncoder


class QueryEncoder:
    """The model of one vector column, as it embeds queries; it is loaded at the first use.

    A model that treats roles differently is loaded once per role of queries.
    """

    def __init__(self, dataset: PublishedDataset, ws: Workspace, model: str) -> None:
        """Embed pictures by ``model``; nothing is loaded yet."""
        self._dataset = dataset
        self._ws = ws
        self._model = model
        self._encoders: dict[str | None, ImageEncoder] = {}

    @cached_property
    def by_role(self) -> bool:
        """True if the model embeds queries and gallery items differently."""
        return self._passport.by_role

    def encode(self, pictures: "Sequence[Image.Image]", role: str = "query") -> Float32Array:
        """Embed pictures as items of ``role``: (pictures, d), L2-normalised.

        Raises:
            MissingArtefactError: the model is not on this machine.
            StaleArtefactError: another version of the model made the vectors.
            DataError: the model runs code that this checkout has not run yet.
        """
        return self._encoder(role).encode(pictures)

    def encode_texts(
        self, texts: Sequence[str], templates: Sequence[str] | None = None
    ) -> Float32Array:
        """Embed texts by the text tower of the model: (texts, d), L2-normalised.

        Args:
            texts: descriptions of images.
            templates: sentences in which ``{}`` stands for the text; by default those of the
                model's passport.

        Raises:
            DataError: the model has no text tower.
            MissingArtefactError: the model is not on this machine.
            StaleArtefactError: another version of the model made the vectors.
        """
        tower = self._text_encoder
        if templates is None:
            templates = tower.passport.text.templates if tower.passport.text else ("{}",)
        return tower.encode_texts(texts, templates)

    def load_text(self) -> None:
        """Load the text tower now; the errors are those of ``encode_texts``."""
        _ = self._text_encoder

    def load(self) -> None:
        """Load the model now, not at the first picture; the errors are those of ``encode``."""
        self._encoder("query")

    def seen(self, picture: "Image.Image", role: str = "query") -> "Image.Image":
        """Return the pixels that the model gets of a picture, before they are normalised."""
        return self._encoder(role).seen(picture)

    @cached_property
    def _passport(self) -> Passport:
        name = f"{self._dataset.name}: {self._model}"
        return Passport.from_json(self._dataset.table.passport(self._model), name)

    def _encoder(self, role: str) -> "ImageEncoder":
        """Return the encoder of a role, by the model that made the vectors.

        Raises:
            MissingArtefactError: the model is not on this machine.
            StaleArtefactError: another version of the model made the vectors.
        """
        key = role if self.by_role else None
        if key not in self._encoders:
            self._encoders[key] = self._loaded(key)
        return self._encoders[key]

    def _loaded(self, role: str | None) -> "ImageEncoder":
        check_embeds_pictures(self._ws, self._model)
        folder = self._folder()
        with progress_note(f"load the model {self._model}"):
            return recipes.load(folder, role, may_run_code=True)

    @cached_property
    def _text_encoder(self) -> "TextEncoder":
        """The text tower of the model that made the vectors; another version is refused."""
        folder = self._folder()
        with progress_note(f"load the text tower of {self._model}"):
            return recipes.load_text(folder)

    def _folder(self) -> Path:
        """Return the folder of the model that made the vectors; refuse another version."""
        folder = versions.locate(self._ws, self._ws.model(self._model))
        if not folder.is_dir():
            what = f"model {self._model!r} is not on this machine"
            raise MissingArtefactError(what, artefacts.model(self._ws, self._model).command)
        name = self._dataset.name
        own = Passport.read(folder)
        if own.identity() != self._passport.identity():
            what = f"the vectors of {name!r} were made by another version of {self._model!r}"
            raise StaleArtefactError(what, artefacts.published(self._ws, name).command)
        author_code.check_permitted(self._ws, own, self._model)
        return folder
