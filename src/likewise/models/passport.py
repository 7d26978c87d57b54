"""The passport of a model (its model card): recipe, weights, preprocessing, training data."""

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from likewise.errors import DataError, MissingArtefactError
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.registry import Part
from likewise.storage import renamed_options

LIBRARIES = ("likewise", "pillow", "timm", "torch", "torchvision")
"""Libraries whose version may change vectors."""

LEARNING = ("accelerate", "lightly", "pytorch-metric-learning")
"""Libraries whose version may change trained weights."""

PASSPORT = "passport.json"
WEIGHTS = "model.safetensors"


class Preprocessing(Part):
    """Preprocessing of images for a model; the fields are timm's.

    The image is resized to ``input_size / crop_pct``, cropped or padded around its centre,
    scaled to the range 0 to 1 and normalised per channel.

    Attributes:
        input_size: (channels, height, width) in pixels.
        interpolation: the filter of the resizing.
        crop_pct: the share of the resized image that the crop keeps.
        crop_mode: the side that is resized: center (the shorter one), squash (both) or border
            (the longer one).
        mean: the mean of each channel.
        std: the standard deviation of each channel.
    """

    input_size: tuple[int, int, int]
    interpolation: str
    crop_pct: float
    crop_mode: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


class Architecture(Part):
    """The layers on top of a backbone, and how the backbone itself is created.

    Passports store four fields under older names; see ``storage.renamed_options``.

    Attributes:
        input_size: side of the input that the backbone is created for; None for its default.
        pooling: timm's global_pool; None for the backbone's default.
        head: pooling of the last feature map. none: timm's pooling; gem: generalised mean;
            compcars: pooling of the CompCars system; recycle: tokens at several scales (MSTR).
        projection_dim: length of the vector after a linear layer; 0 for no such layer.
        normalise_before_projection: L2-normalise the vector before the linear layer.
        scales: factors by which the image is resized; the vectors of all scales are fused.
        scale_fusion: concatenate the vectors of the scales, or average them.
        branches: 2 if queries and gallery have separate encoders.
        gallery_input: input for images of the gallery: the picture, its grey version, or the
            average over its grey version and its edges (a pseudo-sketch).
    """

    input_size: int | None = None
    pooling: str | None = None
    head: Literal["none", "gem", "compcars", "recycle"] = "none"
    projection_dim: int = 0
    normalise_before_projection: bool = False
    scales: tuple[float, ...] = (1.0,)
    scale_fusion: Literal["concat", "mean"] = "concat"
    branches: Literal[1, 2] = 1
    gallery_input: Literal["picture", "grey", "edges"] = "picture"

    @model_validator(mode="before")
    @classmethod
    def _with_current_names(cls, fields: Any) -> Any:
        if not isinstance(fields, dict):
            return fields
        return renamed_options.translated(fields, renamed_options.ARCHITECTURE)

    @model_serializer(mode="wrap")
    def _with_recorded_names(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        names = {new: old for old, new in renamed_options.ARCHITECTURE.items()}
        return renamed_options.translated(dump(self), names)

    @property
    def by_role(self) -> bool:
        """True if queries and gallery are embedded differently."""
        return self.branches == 2 or self.gallery_input != "picture"


class TextTower(Part):
    """The part of a model that embeds texts in the space of its image vectors.

    Attributes:
        context_length: maximum number of tokens of a text; a longer text is cut.
        tokenizer: the kind of the tokenizer, such as ``simple`` or ``huggingface``.
        templates: sentences in which ``{}`` stands for the text, for names of classes and for
            texts of searches that have no templates of their own.
    """

    context_length: int
    tokenizer: str
    templates: tuple[str, ...] = ("{}",)


class Passport(Part):
    """The description of a model. A passport contains no time, host name or absolute path.

    Attributes:
        recipe: the entry that rebuilds the model: ``{kind: ..., **options}``. On disk some
            options have older names; see ``storage.renamed_options``.
        backbone: the name of the backbone, of another library's model, or of the function.
        dim: the length of its vectors.
        weights_sha256: the hash of ``model.safetensors``; "" for a function, which has none.
        weights_source: the origin of the weights.
        preprocessing: how images become its input; None for imported vectors, whose model is
            not in the catalogue, and for a function, which decides itself.
        precision: the number format on a GPU; a CPU computes in float32.
        libraries: versions of the libraries that made it.
        data: digests of the columns that it was trained on; empty for a frozen model.
        seed: the seed of all random numbers.
        architecture: the layers on top of the backbone; None for a plain backbone.
        start: the hash of the weights that the training started from; None for a frozen model.
        device: the type of processor that trained it.
        threads: the number of threads of a training, which may change the weights by rounding;
            None for a frozen model and in older passports, whose files do not have the field.
        text: the text tower; None, and not in the file, if the model embeds only images.
        files: SHA-256 of the other files of the model's folder that determine its vectors, by
            name: configuration, tokenizer, source; not in the file if there are none.
    """

    recipe: dict[str, Any]
    backbone: str
    dim: int
    weights_sha256: str
    weights_source: str
    preprocessing: Preprocessing | None
    precision: Literal["float32", "bfloat16"]
    libraries: dict[str, str]
    data: dict[str, str] = Field(default_factory=dict)
    seed: int = 0
    architecture: Architecture | None = None
    start: str | None = None
    device: str | None = None
    threads: int | None = None
    text: TextTower | None = None
    files: dict[str, str] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _without_absent_fields(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = dump(self)
        for name in ("threads", "text", "files"):  # older passports lack these
            if getattr(self, name) in (None, {}):
                fields.pop(name, None)
        return fields

    @field_validator("recipe")
    @classmethod
    def _with_current_names(cls, recipe: dict[str, Any]) -> dict[str, Any]:
        return renamed_options.current(recipe)

    @field_serializer("recipe")
    def _with_recorded_names(self, recipe: dict[str, Any]) -> dict[str, Any]:
        return renamed_options.recorded(recipe)

    @property
    def by_role(self) -> bool:
        """True if queries and gallery are embedded differently."""
        return self.architecture is not None and self.architecture.by_role

    @property
    def image_preprocessing(self) -> Preprocessing:
        """The preprocessing of a model that embeds images here.

        Raises:
            DataError: the vectors were imported, so it is not known.
        """
        if self.preprocessing is None:
            raise DataError(f"the vectors were imported ({self.weights_source}), not the model")
        return self.preprocessing

    def identity(self) -> str:
        """Return a SHA-256 over everything that determines the vectors.

        Vectors of models with equal identities are interchangeable. The hash covers the recipe
        (without the source of the weights), the weights and other files, the preprocessing, the
        precision, the dimension and the architecture. The identity ignores the versions of
        libraries: an upgrade changes vectors only by rounding and should not require embedding
        millions of images again. Training data and seed act through the weights, templates
        through the texts of queries.
        """
        recipe = renamed_options.recorded(self.recipe)
        for option in ("weights", "templates"):
            recipe.pop(option, None)
        parts = self.model_dump(
            mode="json",
            include={"backbone", "dim", "weights_sha256", "preprocessing", "precision"},
        )
        if self.architecture is not None:
            parts["architecture"] = self.architecture.model_dump(mode="json")
        if self.files:
            parts["files"] = self.files
        text = json.dumps({**parts, "recipe": recipe}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """Return the passport as JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> "Passport":
        """Parse a passport.

        Args:
            text: JSON.
            where: the origin of the text, for messages.

        Raises:
            DataError: ``text`` is not a valid passport.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            fault = f"{place}: {first['msg']}" if place else first["msg"]
            raise DataError(
                f"{where} is not a valid passport ({fault}); run: dvc checkout"
            ) from error

    @classmethod
    def read(cls, folder: StrPath) -> "Passport":
        """Read the passport from the ``folder`` of a model.

        Raises:
            MissingArtefactError: the folder has no passport.
            DataError: the passport is damaged.
        """
        path = Path(folder) / PASSPORT
        if not path.is_file():
            raise MissingArtefactError(
                f"{path} does not exist: the model was not made yet", "dvc repro"
            )
        return cls.from_json(path.read_bytes(), str(path))

    def write(self, folder: StrPath) -> None:
        """Write the passport into the ``folder`` of a model."""
        atomic.write_text(Path(folder) / PASSPORT, self.to_json())


def libraries(*others: str) -> dict[str, str]:
    """Return the installed versions of ``LIBRARIES`` and ``others``."""
    versions = {}
    for name in (*LIBRARIES, *others):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
