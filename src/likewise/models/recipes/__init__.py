"""Recipes: ways to make a model, one module per kind. A new kind is a class and a line here."""

from pathlib import Path
from typing import TYPE_CHECKING

from likewise.errors import DataError, extras_named
from likewise.models.passport import PASSPORT, Passport
from likewise.models.recipes.base import Recipe
from likewise.registry import Registry

if TYPE_CHECKING:
    from likewise.models.text_encoder import TextEncoder
    from likewise.models.training.image_encoder import ImageEncoder

RECIPES: Registry[Recipe] = Registry(
    "recipe",
    {
        "adapter": "likewise.models.recipes.adapter:AdapterTraining",
        "arnet": "likewise.models.recipes.arnet:Arnet",
        "arnet-mstr": "likewise.models.recipes.arnet:ArnetMstr",
        "classify": "likewise.models.recipes.classify:Classify",
        "contrastive-text": "likewise.models.recipes.contrastive_text:ContrastiveText",
        "distill": "likewise.models.recipes.distill:Distill",
        "function": "likewise.models.recipes.function:Function",
        "metric": "likewise.models.recipes.metric:MetricTraining",
        "open_clip": "likewise.models.recipes.open_clip:OpenClip",
        "ssl": "likewise.models.recipes.ssl:Ssl",
        "timm": "likewise.models.recipes.timm:Timm",
        "transformers": "likewise.models.recipes.transformers:Transformers",
        "whiten": "likewise.models.recipes.whiten:Whiten",
    },
    base="likewise.models.recipes.base:Recipe",
)


def load(
    folder: Path, role: str | None = None, *, may_run_code: bool = False
) -> "ImageEncoder":
    """Load the model in ``folder``, by its passport alone.

    Args:
        folder: the model's folder.
        role: the role of the items to embed: "query" (the default) or "gallery".
        may_run_code: run the function of a catalogue's author; see ``models.author_code``.

    Raises:
        MissingArtefactError: the folder contains no model.
        DataError: the model is damaged, or runs code without permission.
        MissingExtraError: torch or another library of the model is not installed.
    """
    entry = Passport.read(folder).recipe
    with extras_named():
        recipe = RECIPES.build(entry, str(folder / PASSPORT))
        if recipe.runs_code and not may_run_code:
            raise DataError(f"{folder.name} runs code of the catalogue, and is not loaded here")
        return recipe.load(folder, role)


def load_text(folder: Path) -> "TextEncoder":
    """Load the text tower of the model in ``folder``, by its passport alone.

    A model without a text tower is refused before any library is loaded.

    Args:
        folder: the model's folder.

    Raises:
        MissingArtefactError: the folder contains no model.
        DataError: the model has no text tower, or is damaged.
        MissingExtraError: torch or another library of the model is not installed.
    """
    from likewise.models.text_encoder import check_text_tower

    passport = Passport.read(folder)
    check_text_tower(passport, folder.name)
    with extras_named():
        return RECIPES.build(passport.recipe, str(folder / PASSPORT)).load_text(folder)
