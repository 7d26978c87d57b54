"""Options of models with an image tower and, often, a text tower."""

from typing import Any, Literal

from pydantic import field_validator

from likewise.errors import DataError
from likewise.models.image_options import ImageOptions
from likewise.models.text_encoder import PLAIN, check_templates


class TowerOptions(ImageOptions):
    """Preprocessing, prompts and precision of a model of another library.

    Attributes:
        text: keep the text tower, if the model has one.
        templates: sentences for texts and names of classes; ``{}`` stands for the text.
        precision: number format of images on a GPU; a CPU computes in float32.
    """

    text: bool = True
    templates: tuple[str, ...] = (PLAIN,)
    precision: Literal["float32", "bfloat16"] = "bfloat16"

    @field_validator("templates")
    @classmethod
    def _check(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        try:
            check_templates(templates)
        except DataError as error:
            raise ValueError(str(error)) from error
        return templates


def without_folders(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe's entry with the names of folders and files instead of their paths."""
    result = dict(entry)
    for option in ("model", "weights"):
        kind, _, path = str(result.get(option) or "").partition(":")
        if kind in ("folder", "file"):
            result[option] = f"{kind}:{path.rstrip('/').rpartition('/')[2]}"
    return result
