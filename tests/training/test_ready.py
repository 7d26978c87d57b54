"""The entries of docs/*.yaml: each is built, and embeds images or runs a step."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import timm
import torch
import yaml

from likewise.models.recipes import RECIPES
from likewise.models.recipes.base import LearnedRecipe, TrainedRecipe
from likewise.models.training import trainer
from likewise.models.training.augment import random_numbers
from likewise.models.training.training_data import COLUMNS, TrainingData

pytestmark = pytest.mark.torch

DOCS = Path(__file__).parents[2] / "docs"
FILES = {
    name: yaml.safe_load((DOCS / name).read_text(encoding="utf-8"))
    for name in ("ready.yaml", "laptop.yaml")
}
READY = FILES["ready.yaml"]
LEARNED = [
    (file, section, name)
    for file, found in FILES.items()
    for section in ("trained", "pretrained", "distilled", "adapted")
    for name in found.get(section, ())
]
STEPPED = list(
    {
        str({**FILES[file][section][name], "data": ""}): (file, section, name)
        for file, section, name in LEARNED
        if section not in ("distilled", "adapted")
    }.values()
)
"""One of each group of entries that differ only in their data."""
SMALL = {"input_size": 64, "train_size": 64, "local_size": 64}
"""Input sides with which a step takes about a second."""


ALIKE = {"vit": "test_vit", "resnet": "test_resnet", "tf_effic": "test_efficientnet"}
"""The small backbone of each family."""


@pytest.mark.no_cover  # timm's code alone
@pytest.mark.parametrize("name", READY["models"])
def test_a_frozen_model_embeds_images(name: str) -> None:
    entry = READY["models"][name]
    RECIPES.build(entry, "docs/ready.yaml")
    backbone = entry["backbone"]
    assert backbone in _pretrained() or entry["weights"] == "random"
    config = timm.get_pretrained_cfg(backbone)
    assert config is not None
    own = "input_size" in entry
    shape, features = _forward(
        backbone.partition(".")[0], entry["input_size"] if own else config.input_size[1], own
    )
    assert shape == (2, features)


@functools.cache
def _pretrained() -> frozenset[str]:
    return frozenset(timm.list_pretrained())


@functools.cache
def _forward(architecture: str, size: int, own: bool) -> tuple[tuple[int, ...], int]:
    """Return the shape of the vectors of two images, and the number of features, by timm."""
    options: dict[str, Any] = {"img_size": size} if own else {}
    with torch.device("meta"):  # only shapes: nothing is computed, and weights use no memory
        model: Any = timm.create_model(architecture, num_classes=0, **options).eval()
        return tuple(model(torch.empty(2, 3, size, size)).shape), model.num_features


@pytest.mark.parametrize(("file", "section", "name"), LEARNED)
def test_a_trained_model_is_valid(file: str, section: str, name: str) -> None:
    models, entry = FILES[file]["models"], FILES[file][section][name]
    recipe = RECIPES.build(entry, f"docs/{file}")
    assert isinstance(recipe, LearnedRecipe)
    assert recipe.section == section
    for other in ("init", "teacher"):
        if other in entry:
            RECIPES.build(models[entry[other]], f"docs/{file}")


@pytest.mark.no_cover  # test_objectives.py covers the same lines
@pytest.mark.parametrize(("file", "section", "name"), STEPPED)
def test_one_that_learns_steps_from_a_small_backbone(
    file: str, section: str, name: str, start: Callable[[str, str, bool], Path]
) -> None:
    entry = FILES[file][section][name]
    fields = type(RECIPES.build(entry, f"docs/{file}")).model_fields
    small = {option: side for option, side in SMALL.items() if option in fields}
    _step({**entry, **small}, f"docs/{file}", start(file, entry["init"], True))


@pytest.mark.slow
@pytest.mark.parametrize(("file", "section", "name"), STEPPED)
def test_one_that_learns_steps_at_its_own_size(
    file: str, section: str, name: str, start: Callable[[str, str, bool], Path]
) -> None:
    entry = FILES[file][section][name]
    _step(entry, f"docs/{file}", start(file, entry["init"], False))


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, bool], Path]:
    """Make the folder of a model from which entries start, with random weights, once."""

    @functools.cache
    def made(file: str, name: str, small: bool) -> Path:
        folder = tmp_path_factory.mktemp(name)
        entry = {**FILES[file]["models"][name], "weights": "random"}
        if small:
            family = next(f for f in ALIKE if entry["backbone"].startswith(f))
            entry["backbone"] = ALIKE[family]
        RECIPES.build(entry, f"docs/{file}").make(folder, 0)
        return folder

    return made


def _step(entry: dict[str, Any], where: str, folder: Path) -> None:
    """Run one step with a batch of 4."""
    own = {"batch": 4} if "batch" in entry else {}
    recipe = RECIPES.build({**entry, **own}, where)
    assert isinstance(recipe, TrainedRecipe)
    builder = trainer.model_builder(recipe, folder, 0)
    setup = recipe.setup(builder, _training_data())
    rows = torch.from_numpy(setup.sampler.epoch(0)[0])
    size = recipe.train_size or builder.preprocessing.input_size[-1]
    pixels = torch.randint(0, 256, (rows.numel(), size, size, 3), dtype=torch.uint8)
    numbers = [
        random_numbers(0, 0, view, rows.numel()) for view in range(setup.objective.views)
    ]
    loss = setup.objective.train()(pixels, setup.objective.targets(rows), torch.stack(numbers))
    loss.backward()
    assert torch.isfinite(loss)


def _training_data() -> TrainingData:
    """Forty items in pairs, half of them in each split."""
    rows = [
        {
            "item_id": f"{n:02}",
            "content": f"c{n}",
            "row": n,
            "box": None,
            "label": f"l{n // 2}",
            "role": "gallery" if n % 2 else "query",
            "split": "train" if n < 20 else "test",
        }
        for n in range(40)
    ]
    items = pl.DataFrame(rows).select(COLUMNS)
    return TrainingData("d", items, items, Path("nowhere"))
