"""Make a model: its weights and its passport."""

from contextlib import chdir
from pathlib import Path

from likewise import commits
from likewise.errors import UnknownNameError
from likewise.passport import Passport
from likewise.recipes import RECIPES
from likewise.steps.open import open_workspace


def train(model: str, *, workspace: Path | None = None) -> Passport:
    """Make ``model`` by its recipe in params.yaml; a frozen backbone is taken as it is.

    Raises:
        UnknownNameError: params.yaml has no such model, or its recipe no such kind.
        DataError: the weights do not fit, or cannot be had.
    """
    ws = open_workspace(workspace)
    models = ws.params.models
    if model not in models:
        raise UnknownNameError("model", model, models, "params.yaml")
    recipe = RECIPES.build(models[model], f"params.yaml: models.{model}")
    with commits.alone(ws, f"train-{model}"):
        staging = commits.Staging(ws, f"train-{model}")
        folder = staging.path(ws.model(model))
        folder.mkdir()
        with chdir(ws.root):  # paths in params.yaml are relative to it, wherever one types
            passport = recipe.make(folder, ws.params.seed)
        staging.commit()
    return passport
