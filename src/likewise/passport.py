"""A model's passport: what it is, where its weights come from, what its vectors hang on."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from likewise.errors import DataError, MissingArtefactError
from likewise.registry import Part

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


class Passport(Part):
    """What is known of a model; it holds no clock, host or absolute path.

    ``recipe`` is the entry that rebuilds the model (``{kind: ..., **options}``), ``dim`` the
    length of its vectors, ``weights_sha256`` the hash of ``model.safetensors``,
    ``weights_source`` where they came from. ``precision`` is what a GPU computes in; a CPU
    computes in float32. ``data`` holds the digests of what the model was trained on: none for
    a frozen one.
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

    def identity(self) -> str:
        """A SHA-256 over all that determines the vectors; where it is equal, vectors are kept.

        In it are the recipe (but where its weights were found), the weights themselves, the
        preprocessing, the precision and the length. The libraries' versions are recorded and
        left out: an upgrade moves vectors by rounding alone, and should not ask for millions
        of images to be embedded again. The data and the seed act through the weights.
        """
        recipe = {key: value for key, value in self.recipe.items() if key != "weights"}
        parts = self.model_dump(
            mode="json",
            include={"backbone", "dim", "weights_sha256", "preprocessing", "precision"},
        )
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
