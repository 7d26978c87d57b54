"""Recipes: a file a way to come by a model; adding one is a class and a line here."""

from pathlib import Path
from typing import TYPE_CHECKING

from likewise.passport import PASSPORT, Passport
from likewise.recipes.base import Recipe
from likewise.registry import Registry

if TYPE_CHECKING:
    from likewise.training.encode import Encoder

RECIPES: Registry[Recipe] = Registry(
    "recipe",
    {
        "arnet": "likewise.recipes.arnet:Arnet",
        "arnet-mstr": "likewise.recipes.arnet:ArnetMstr",
        "classify": "likewise.recipes.classify:Classify",
        "distill": "likewise.recipes.distill:Distill",
        "metric": "likewise.recipes.metric:Metric",
        "ssl": "likewise.recipes.ssl:Ssl",
        "timm": "likewise.recipes.timm:Timm",
        "whiten": "likewise.recipes.whiten:Whiten",
    },
)


def load(folder: Path, role: str | None = None) -> "Encoder":
    """The model in ``folder``, by nothing but what lies there; for items of ``role``.

    Raises:
        MissingArtefactError: there is no model.
        DataError: it is damaged.
    """
    entry = Passport.read(folder).recipe
    return RECIPES.build(entry, str(folder / PASSPORT)).load(folder, role)
