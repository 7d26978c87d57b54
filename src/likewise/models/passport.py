"""A model's passport: what it is, where its weights come from, what its vectors hang on."""

import hashlib
import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_serializer, field_validator

from likewise.errors import DataError, MissingArtefactError
from likewise.registry import Part
from likewise.storage import renamed_options

LIBRARIES = ("likewise", "pillow", "timm", "torch", "torchvision")
"""Those that vectors pass through."""

LEARNING = ("accelerate", "lightly", "pytorch-metric-learning")
"""Those that weights hang on where they were trained."""

PASSPORT = "passport.json"
WEIGHTS = "model.safetensors"


class Preprocessing(Part):
    """How a picture becomes a model's input, in timm's words.

    ``input_size`` is (channels, height, width) in pixels. The picture is resized to
    ``input_size / crop_pct`` as ``crop_mode`` says (center: its shorter side; squash: both
    sides; border: its longer side), cut or padded about its centre, scaled to 0..1 and
    normalised by ``mean`` and ``std``, a value a channel.
    """

    input_size: tuple[int, int, int]
    interpolation: str
    crop_pct: float
    crop_mode: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


class Architecture(Part):
    """What stands on a backbone, and how the backbone itself is created.

    Attributes:
        input_size: the side that the backbone is built for; None for its own.
        pooling: timm's global_pool; None for the backbone's own.
        head: what makes one vector of the backbone's last map. none: timm's pooling; gem: the
            generalised mean; compcars: that of the CompCars system; recycle: tokens at several
            scales (MSTR).
        project: the length of the vector after a linear layer; 0 for no such layer.
        unit: whether the vector is L2-normalised before that layer.
        scales: what the picture is resized by; the vectors of all are put together.
        together: as one long vector, or as their mean.
        branches: 2 where queries and gallery have an encoder each.
        gallery: how the gallery's pictures are seen: as they are, in grey, or in grey and as a
            pseudo-sketch of their edges, the two vectors averaged.
    """

    input_size: int | None = None
    pooling: str | None = None
    head: Literal["none", "gem", "compcars", "recycle"] = "none"
    project: int = 0
    unit: bool = False
    scales: tuple[float, ...] = (1.0,)
    together: Literal["concat", "mean"] = "concat"
    branches: Literal[1, 2] = 1
    gallery: Literal["picture", "grey", "edges"] = "picture"

    @property
    def by_role(self) -> bool:
        """Whether the vector of a picture hangs on its item's role."""
        return self.branches == 2 or self.gallery != "picture"


class Passport(Part):
    """What is known of a model; it holds no clock, host or absolute path.

    ``recipe`` is the entry that rebuilds the model (``{kind: ..., **options}``), ``dim`` the
    length of its vectors, ``weights_sha256`` the hash of ``model.safetensors``,
    ``weights_source`` where they came from. ``precision`` is what a GPU computes in; a CPU
    computes in float32. ``data`` holds the digests of what the model was trained on: none for
    a frozen one; ``architecture`` what stands on the backbone, none for a plain one; and
    ``device`` the kind of processor that trained it.
    """

    recipe: dict[str, Any]
    backbone: str
    dim: int
    weights_sha256: str
    weights_source: str
    preprocessing: Preprocessing
    precision: Literal["float32", "bfloat16"]
    libraries: dict[str, str]
    data: dict[str, str] = Field(default_factory=dict)
    seed: int = 0
    architecture: Architecture | None = None
    start: str | None = None
    device: str | None = None

    @field_validator("recipe")
    @classmethod
    def _with_current_names(cls, recipe: dict[str, Any]) -> dict[str, Any]:
        return renamed_options.current(recipe)

    @field_serializer("recipe")
    def _with_recorded_names(self, recipe: dict[str, Any]) -> dict[str, Any]:
        return renamed_options.recorded(recipe)

    @property
    def by_role(self) -> bool:
        """Whether the vector of a picture hangs on its item's role too."""
        return self.architecture is not None and self.architecture.by_role

    def identity(self) -> str:
        """A SHA-256 over all that determines the vectors; where it is equal, vectors are kept.

        In it are the recipe (but where its weights were found), the weights themselves, the
        preprocessing, the precision and the length. The libraries' versions are recorded and
        left out: an upgrade moves vectors by rounding alone, and should not ask for millions
        of images to be embedded again. The data and the seed act through the weights.
        """
        recipe = renamed_options.recorded(self.recipe)
        recipe.pop("weights", None)
        parts = self.model_dump(
            mode="json",
            include={"backbone", "dim", "weights_sha256", "preprocessing", "precision"},
        )
        if self.architecture is not None:
            parts["architecture"] = self.architecture.model_dump(mode="json")
        text = json.dumps({**parts, "recipe": recipe}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """The passport as JSON, its keys sorted."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> "Passport":
        """The passport that ``text`` holds; ``where`` it stands.

        Raises:
            DataError: it is no passport.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            fault = f"{place}: {first['msg']}" if place else first["msg"]
            raise DataError(f"{where} is no passport ({fault}); run: dvc checkout") from error

    @classmethod
    def read(cls, folder: Path) -> "Passport":
        """The passport in a model's ``folder``.

        Raises:
            MissingArtefactError: there is none.
            DataError: it is damaged.
        """
        path = folder / PASSPORT
        if not path.is_file():
            raise MissingArtefactError(f"there is no {path}: no model was made", "dvc repro")
        return cls.from_json(path.read_bytes(), str(path))

    def write(self, folder: Path) -> None:
        """Put the passport into a model's ``folder``."""
        path = folder / PASSPORT
        half = path.with_name(f".{PASSPORT}.tmp")
        half.write_text(self.to_json(), encoding="utf-8")
        os.replace(half, path)  # noqa: PTH105 (atomic on every platform)


def libraries(*further: str) -> dict[str, str]:
    """The versions of the libraries that vectors pass through, as far as installed."""
    versions = {}
    for name in (*LIBRARIES, *further):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
