"""docs/training.md and docs/models.md list every option of every recipe, with its default."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_core import PydanticUndefined

from likewise.models.image_options import ImageOptions
from likewise.models.recipes import RECIPES
from likewise.models.training.options import FitOptions, LoopOptions, TrainingOptions
from likewise.registry import Part

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "".join((DOCS / name).read_text("utf-8") for name in ("training.md", "models.md"))


def documented(title: str) -> dict[str, Any]:
    """Return the options in the blocks below a title."""
    section = PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    blocks = [part.split("```", 1)[0] for part in section.split("```yaml\n")[1:]]
    return {name: value for block in blocks for name, value in yaml.safe_load(block).items()}


def defaults(part: type[Part]) -> dict[str, Any]:
    fields = part.model_fields.items()
    found = {n: None if f.default is PydanticUndefined else f.default for n, f in fields}
    return {n: list(v) if isinstance(v, tuple) else v for n, v in found.items()}


def dumped(options: dict[str, Any]) -> dict[str, Any]:
    parts = {n: v.model_dump() for n, v in options.items() if isinstance(v, Part)}
    return {**options, **parts}


COMMON = "Common options"
IMAGES = "Preprocessing"


def test_options_of_the_preprocessing() -> None:
    assert documented(IMAGES) == defaults(ImageOptions)


def test_common_options() -> None:
    assert documented(COMMON) == dumped(defaults(TrainingOptions))


@pytest.mark.parametrize("kind", RECIPES.kinds())
def test_the_options_of_a_recipe(kind: str) -> None:
    page = documented("`arnet`" if kind == "arnet-mstr" else f"`{kind}`")
    recipe = RECIPES.load(kind)
    common = (
        TrainingOptions
        if issubclass(recipe, TrainingOptions)
        else LoopOptions
        if issubclass(recipe, LoopOptions)
        else FitOptions
        if issubclass(recipe, FitOptions)
        else ImageOptions
        if issubclass(recipe, ImageOptions)
        else Part
    )
    own = {
        name: value
        for name, value in defaults(recipe).items()
        if name not in common.model_fields or value != common.model_fields[name].default
    }
    required = {name for name in ("init", "data") if name in own}
    own = {name: value for name, value in dumped(own).items() if name not in required}
    if "augment" in page:  # only differing options
        own["augment"] = {n: own["augment"][n] for n in page["augment"]}
    assert page == own
