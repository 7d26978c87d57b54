"""Recipes open_clip and transformers: vectors equal those of the libraries' own code."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import likewise
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    MissingExtraError,
    UnknownNameError,
)
from likewise.formats.array_types import Float32Array
from likewise.models.known_models import known_models
from likewise.models.passport import PASSPORT, WEIGHTS, Passport
from likewise.models.recipes import RECIPES, load, load_text
from likewise.models.training.initial_model import load_trunk
from tiny_towers import CONTEXT, write_open_clip, write_tokenizer, write_transformers

pytestmark = pytest.mark.torch

NOISE = np.random.default_rng(0)
PICTURES = [
    Image.fromarray(NOISE.integers(0, 256, (height, width, 3), np.uint8))
    for height, width in ((90, 121), (47, 33), (32, 32), (20, 64), (301, 200))
]
SENTENCES = ["a red shoe with laces", "a photo of a cat .", "dog"]
LONG = "a photo of a red shoe with laces with a cat with a dog"


def made(tmp_path: Path, kind: str, source: str, **options: Any) -> Path:
    """Make a model of a folder, and remove that folder: loading uses nothing outside."""
    folder = tmp_path / "made"
    folder.mkdir()
    entry = {"kind": kind, "model": f"folder:{source}", **options}
    RECIPES.build(entry, "params.yaml").make(folder, 0, root=tmp_path)
    shutil.rmtree(tmp_path / source)
    return folder


def unit(vectors: torch.Tensor) -> Float32Array:
    return np.asarray(torch.nn.functional.normalize(vectors).numpy(), np.float32)


def in_stream(folder: Path) -> Float32Array:
    return np.concatenate([v for _, v in load(folder).encode_stream(PICTURES)])


@pytest.fixture(params=["clip", "siglip", "dinov2", "dinov3", "vit"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_vectors_equal_those_of_transformers(tmp_path: Path, kind: str) -> None:
    from transformers import AutoImageProcessor, AutoTokenizer

    model = write_transformers(tmp_path / "own", kind)
    processor = AutoImageProcessor.from_pretrained(str(tmp_path / "own"))
    pixels = processor(images=PICTURES, return_tensors="pt")
    tower, expected_texts = kind in ("clip", "siglip"), torch.empty(0)
    with torch.inference_mode():
        if tower:
            expected = model.get_image_features(**pixels).pooler_output
            tokenizer = AutoTokenizer.from_pretrained(str(tmp_path / "own"))
            padding = "max_length" if kind == "siglip" else True
            tokens = tokenizer(SENTENCES, padding=padding, return_tensors="pt")
            expected_texts = model.get_text_features(**tokens).pooler_output
        else:
            output = model(**pixels)
            pooled = output.pooler_output
            expected = output.last_hidden_state[:, 0] if pooled is None else pooled
    folder = made(tmp_path, "transformers", "own")
    passport = Passport.read(folder)
    assert passport.dim == expected.shape[1]
    assert passport.image_preprocessing.input_size == (3, 32, 32)
    np.testing.assert_allclose(in_stream(folder), unit(expected), atol=1e-5)
    np.testing.assert_allclose(load(folder).encode(PICTURES), unit(expected), atol=1e-5)
    assert (passport.text is not None) == tower
    assert passport.text is None or passport.text.context_length == CONTEXT
    if tower:
        texts = load_text(folder).encode_texts(SENTENCES)
        np.testing.assert_allclose(texts, unit(expected_texts), atol=1e-5)
    else:
        with pytest.raises(DataError, match="model 'made' has no text tower"):
            load_text(folder)


@pytest.mark.parametrize("huggingface", [False, True], ids=["simple", "huggingface"])
def test_vectors_equal_those_of_open_clip(tmp_path: Path, *, huggingface: bool) -> None:
    import open_clip

    text = {"hf_tokenizer_name": "some/name", "pad_id": 0} if huggingface else {}
    model = write_open_clip(tmp_path / "own", **text)
    if huggingface:
        write_tokenizer(tmp_path / "own")
    place = f"local-dir:{tmp_path / 'own'}"
    _, _, transform = open_clip.create_model_and_transforms(place)
    tokens = open_clip.get_tokenizer(place)([*SENTENCES, LONG])
    templates = ["a photo of a {}.", "{} with laces"]
    with torch.inference_mode():
        images = model.encode_image(torch.stack([transform(p) for p in PICTURES]))
        texts = model.encode_text(tokens)
        classes = open_clip.build_zero_shot_classifier(
            model, open_clip.get_tokenizer(place), ["cat", "dog"], templates
        ).T
    folder = made(tmp_path, "open_clip", "own")
    np.testing.assert_allclose(in_stream(folder), unit(images), atol=1e-5)
    tower = load_text(folder)
    np.testing.assert_allclose(tower.encode_texts([*SENTENCES, LONG]), unit(texts), atol=1e-5)
    vectors = tower.encode_texts(["cat", "dog"], templates)
    np.testing.assert_allclose(vectors, classes.numpy(), atol=1e-5)
    assert tower.count_tokens([SENTENCES[0], LONG]) == [7, 16]


def test_an_architecture_of_open_clip_is_known_by_its_name(tmp_path: Path) -> None:
    entry = {"kind": "open_clip"}
    with pytest.raises(ConfigError, match="needs weights: random, file:PATH, or a tag"):
        RECIPES.build({**entry, "model": "ViT-B-32"}, "here").make(tmp_path, 0)
    with pytest.raises(UnknownNameError, match="no model named 'ViT-B-33' in open_clip"):
        RECIPES.build({**entry, "model": "ViT-B-33"}, "here").make(tmp_path, 0)
    openai = {"model": "ViT-B-32", "weights": "openai"}
    with pytest.raises(ConfigError, match="set model: ViT-B-32-quickgelu"):
        RECIPES.build({"kind": "open_clip", **openai}, "here").make(tmp_path, 0)


def test_the_known_entries_name_models_that_exist() -> None:
    import open_clip

    group = known_models()["towers"]
    for name, entry in group.models.items():
        RECIPES.build(entry, name)
        if entry["kind"] == "open_clip":
            assert entry["weights"] in open_clip.list_pretrained_tags_by_model(entry["model"])


def test_the_files_are_in_the_passport(tmp_path: Path) -> None:
    write_transformers(tmp_path / "own", "clip")
    folder = made(tmp_path, "transformers", "own", templates=["a photo of a {}."])
    passport = Passport.read(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["config", WEIGHTS, PASSPORT]
    assert {"config/config.json", "config/tokenizer.json"} <= passport.files.keys()
    assert passport.recipe["model"] == passport.backbone == "folder:own"
    assert passport.text is not None
    assert passport.text.templates == ("a photo of a {}.",)
    (folder / "config" / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match=r"tokenizer\.json differs from its passport"):
        load_text(folder)
    (folder / "config" / "tokenizer.json").unlink()
    with pytest.raises(MissingArtefactError, match=r"tokenizer\.json does not exist; run: dvc"):
        load_text(folder)


def test_vectors_depend_neither_on_other_inputs_nor_on_threads(
    tmp_path: Path, several_threads: None
) -> None:
    write_transformers(tmp_path / "own", "clip")
    folder = made(tmp_path, "transformers", "own")
    encoder, tower = load(folder), load_text(folder)
    both = np.concatenate([v for _, v in encoder.encode_stream(PICTURES[:3])])
    np.testing.assert_array_equal(both, in_stream(folder)[:3])
    texts = tower.encode_texts([*SENTENCES, LONG])
    torch.set_num_threads(1)
    np.testing.assert_array_equal(in_stream(folder)[:3], both)
    np.testing.assert_array_equal(tower.encode_texts(SENTENCES), texts[:3])


@pytest.mark.parametrize("library", ["open_clip", "transformers"])
def test_the_preprocessing_can_be_set(tmp_path: Path, library: str) -> None:
    if library == "open_clip":
        write_open_clip(tmp_path / "own")
    else:
        write_transformers(tmp_path / "own", "dinov2")
    own = {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.5, 0.5], "interpolation": "bilinear"}
    options = {**own, "crop_pct": 0.5, "crop_mode": "squash", "input_size": 48}
    folder = made(tmp_path, library, "own", **options)
    stored = Passport.read(folder).image_preprocessing
    assert stored.input_size == (3, 48, 48)
    assert (stored.mean, stored.crop_pct) == ((0.1, 0.2, 0.3), 0.5)
    assert load(folder).seen(PICTURES[0]).size == (48, 48)
    assert in_stream(folder).shape == (5, Passport.read(folder).dim)


def test_other_weights_of_an_architecture(tmp_path: Path) -> None:
    write_transformers(tmp_path / "own", "dinov2")
    shutil.copy(tmp_path / "own" / "model.safetensors", tmp_path / "other.safetensors")
    options = {"model": "folder:own", "weights": "file:other.safetensors"}
    recipe = RECIPES.build({"kind": "transformers", **options}, "here")
    folder = tmp_path / "made"
    folder.mkdir()
    assert recipe.make(folder, 0, root=tmp_path).weights_source.startswith("file:other.saf")
    from safetensors.torch import load_file, save_file

    tensors = load_file(tmp_path / "other.safetensors")
    del tensors["encoder.layer.0.norm1.weight"]
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match="lack 1 tensor of the architecture: encoder"):
        recipe.make(folder, 0, root=tmp_path)


@pytest.mark.parametrize(
    ("library", "model"),
    [("open_clip", "hub:nobody/nothing"), ("transformers", "nobody/nothing")],
)
def test_a_hub_name_without_network_is_one_line(
    tmp_path: Path, library: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    recipe = RECIPES.build({"kind": library, "model": model}, "here")
    with pytest.raises(DataError, match="'nobody/nothing' cannot be fetched") as caught:
        recipe.make(tmp_path, 0)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("or copy the model and set model: folder:PATH")


def test_a_training_starts_from_timm(tmp_path: Path) -> None:
    write_transformers(tmp_path / "own", "dinov2")
    folder = made(tmp_path, "transformers", "own")
    with pytest.raises(
        ConfigError, match="made is of kind 'transformers', and training starts"
    ):
        load_trunk(folder, Passport.read(folder), None)


@pytest.mark.parametrize("library", ["open_clip", "transformers"])
def test_a_missing_tokenizer_is_one_line(tmp_path: Path, library: str) -> None:
    if library == "open_clip":
        write_open_clip(tmp_path / "own", hf_tokenizer_name="some/name")
    else:
        write_transformers(tmp_path / "own", "clip")
        for path in (tmp_path / "own").glob("tokenizer*"):
            path.unlink()
    with pytest.raises(DataError, match="its tokenizer is missing: it needs tokenizer"):
        made(tmp_path, library, "own")
    shutil.rmtree(tmp_path / "made")
    assert Passport.read(made(tmp_path, library, "own", text=False)).text is None


@pytest.mark.parametrize("library", ["open_clip", "transformers"])
def test_a_library_that_is_not_installed_is_one_line(
    workspace: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("likewise.models.towers")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    (workspace / "own").mkdir()
    likewise.add_model("clip", kind=library, options={"model": "folder:own"})
    extra = library.replace("_", "-")
    message = rf"{library} is not installed; run: pip install 'likewise\[{extra}\]'$"
    with pytest.raises(MissingExtraError, match=rf"^params\.yaml: models\.clip: {message}"):
        likewise.load("clip")


def test_code_of_a_model_is_never_run(tmp_path: Path) -> None:
    write_transformers(tmp_path / "own", "dinov2")
    config = tmp_path / "own" / "config.json"
    document = json.loads(config.read_text())
    document["auto_map"] = {"AutoModel": "code.Model", "AutoConfig": "code.Config"}
    (tmp_path / "own" / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    config.write_text(json.dumps(document))
    made_of_known = made(tmp_path, "transformers", "own")
    assert "auto_map" not in (made_of_known / "config" / "config.json").read_text()
    assert not (tmp_path / "ran").exists()
    write_transformers(tmp_path / "own", "dinov2")
    config.write_text(json.dumps({**document, "model_type": "unheard_of"}))
    shutil.rmtree(tmp_path / "made")
    with pytest.raises(DataError, match="code of a model's author is never run") as caught:
        made(tmp_path, "transformers", "own")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()
