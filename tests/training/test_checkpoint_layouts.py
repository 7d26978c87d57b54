"""Checkpoints of other programs load into a backbone, or the error says what does not fit."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file

import likewise
from learning import learn, write
from likewise.errors import ConfigError, DataError
from likewise.models.training import backbones, descriptor
from likewise.models.training.arnet_checkpoint import BRANCHES
from likewise.models.training.weights import Tensors

RESNET, VIT = "test_resnet.r160_in1k", "test_vit.r160_in1k"


def random_tensors(name: str, seed: int = 0, **options: Any) -> Tensors:
    """Return random tensors with the names and shapes of a backbone with its classifier."""
    generator = torch.Generator().manual_seed(seed)
    own = timm.create_model(name.partition(".")[0], **options).state_dict()
    return {
        key: torch.rand(tensor.shape, generator=generator)
        if tensor.is_floating_point()
        else tensor
        for key, tensor in own.items()
    }


def prefixed(tensors: Tensors, prefix: str) -> Tensors:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def headless(tensors: Tensors) -> Tensors:
    return {name: t for name, t in tensors.items() if not name.startswith(("fc.", "head."))}


def moco(own: Tensors) -> Any:
    other = prefixed(random_tensors(RESNET, 1), "module.encoder_k.")
    mlp = {"module.encoder_q.fc.0.weight": torch.zeros(4, 4)}
    queue = {"module.queue": torch.zeros(2, 2), "module.queue_ptr": torch.zeros(1)}
    mine = prefixed(headless(own), "module.encoder_q.")
    return {"epoch": 200, "arch": "resnet", "state_dict": {**mine, **mlp, **other, **queue}}


def moco_v3(own: Tensors) -> Any:
    other = prefixed(headless(random_tensors(RESNET, 1)), "module.momentum_encoder.")
    return {"state_dict": {**other, **prefixed(headless(own), "module.base_encoder.")}}


def simclr(own: Tensors) -> Any:
    head = {"projection_head.layers.0.weight": torch.zeros(3, 3)}
    return {"state_dict": {**prefixed(headless(own), "backbone."), **head}}


def lightning(own: Tensors) -> Any:
    scores = {"best": np.float64(0.5)}
    return {"state_dict": prefixed(own, "model."), "hyper_parameters": scores, "epoch": 3}


def dino(own: Tensors) -> Any:
    student = prefixed(headless(random_tensors(VIT, 1)), "module.backbone.")
    head = {"head.mlp.0.weight": torch.zeros(5, 5), "head.last_layer.weight_g": torch.ones(1)}
    teacher = {**prefixed(headless(own), "backbone."), **head}
    args = argparse.Namespace(arch="vit", lr=0.1)
    return {"student": student, "teacher": teacher, "args": args, "epoch": 100}


def mae(own: Tensors) -> Any:
    decoder = {
        "mask_token": torch.zeros(1, 1, 8),
        "decoder_pos_embed": torch.zeros(1, 4, 8),
        "decoder_blocks.0.norm1.weight": torch.zeros(8),
        "decoder_pred.bias": torch.zeros(3),
    }
    return {"model": {**headless(own), **decoder}, "args": argparse.Namespace(mask_ratio=0.75)}


def average(own: Tensors) -> Any:
    last = prefixed(random_tensors(RESNET, 1), "module.")
    return {"state_dict": last, "state_dict_ema": prefixed(own, "module."), "epoch": 1}


LAYOUTS: list[tuple[str, Callable[[Tensors], Any], str]] = [
    (RESNET, lambda own: own, ""),
    (RESNET, lambda own: prefixed(own, "module."), ""),
    (RESNET, lambda own: {"model": own, "optimizer": {"state": {}}}, ""),
    (RESNET, lambda own: {"model": prefixed(own, "_orig_mod.")}, "tensors _orig_mod.*"),
    (RESNET, lightning, "tensors model.*"),
    (RESNET, average, "moving average"),
    (RESNET, lambda own: {"model_ema": own, "model": {}}, "moving average"),
    (
        RESNET,
        moco,
        "tensors module.encoder_q.*; without module.encoder_k, module.queue, module.queue_ptr",
    ),
    (RESNET, moco_v3, "tensors module.base_encoder.*; without module.momentum_encoder"),
    (RESNET, simclr, "tensors backbone.*; without projection_head"),
    (VIT, dino, "DINO's teacher; tensors backbone.*; without head"),
    (
        VIT,
        mae,
        "without mask_token, decoder_pos_embed, decoder_blocks, decoder_pred",
    ),
]


@pytest.mark.parametrize(("name", "layout", "notes"), LAYOUTS)
def test_checkpoints_of_the_literature_load(
    tmp_path: Path, name: str, layout: Callable[[Tensors], Any], notes: str
) -> None:
    own = random_tensors(name)
    torch.save(layout(own), tmp_path / "given.pth")
    model, origin = backbones.create_with_weights(name, "file:given.pth", root=tmp_path)
    loaded = model.state_dict()
    assert all(torch.equal(loaded[key], own[key]) for key in loaded)
    assert origin.partition("sha256 ")[2][64:] == (f" ({notes})" if notes else "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda own: {**own, "extra.weight": torch.ones(2)}, "unknown extra.weight"),
        (
            lambda own: {"state_dict": dict(list(prefixed(own, "module.").items())[2:])},
            "does not fit the backbone: missing",
        ),
        (
            lambda _: {"epoch": 3, "notes": "none"},
            "contains no state dict; it has epoch, notes",
        ),
        (lambda _: [1, 2], "contains a list, no state dict"),
        (
            lambda own: {"img_model": own, "skt_model": own, "epoch": 1},
            "it is a checkpoint of ARNet: name it in weights of the recipe arnet",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, content: Callable[[Tensors], Any], message: str
) -> None:
    torch.save(content(random_tensors(RESNET)), tmp_path / "given.pth")
    with pytest.raises(DataError, match=message):
        backbones.create_with_weights(RESNET, "file:given.pth", root=tmp_path)


def test_a_checkpoint_with_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (eval, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    torch.save({"state_dict": random_tensors(RESNET), "args": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(DataError, match="save only its state dict"):
        backbones.create_with_weights(RESNET, "file:evil.pth", root=tmp_path)
    assert not (tmp_path / "ran").exists()


# The original program of ARNet (horizonjohn/ARNet, src/train_main.py) saves two EncoderViT:
# timm's ViT as ``encoder``, with ImageNet's classifier, and ``mlp_head``, a linear layer.


def arnet_branch(seed: int, dim: int = 16) -> Tensors:
    encoder = prefixed(random_tensors(VIT, seed), "encoder.")
    width = encoder["encoder.norm.weight"].shape[0]
    generator = torch.Generator().manual_seed(seed + 100)
    weight = torch.rand(dim, width, generator=generator)
    return {**encoder, "mlp_head.0.weight": weight, "mlp_head.0.bias": torch.rand(dim)}


def arnet_file(path: Path, **changed: Any) -> dict[str, Any]:
    content = {
        "img_model": arnet_branch(1),
        "skt_model": arnet_branch(2),
        "epoch": 7,
        "loss": 0.12345,
        "top1": 73.633,
        "top5": 93.0,
        "top10": 97.0,
        **changed,
    }
    torch.save(content, path)
    return content


ENTRY = {
    "kind": "arnet",
    "init": "vit",
    "data": "emoji",
    "split": None,
    "weights": "file:weights/model_Best.pth",
    "epochs": 0,
    "dim": 16,
    "validation": 0,
    "batch": 2,
}


@pytest.fixture
def pairs(workspace: Path) -> Path:
    """A catalogue whose drawings of one set are queries, and those of another the gallery."""
    items = likewise.open("emoji").items["item_id"].to_list()
    for role, name in (("query", "noto"), ("gallery", "twemoji")):
        likewise.correct("emoji", [one for one in items if name in one], {"role": role})
    (workspace / "weights").mkdir()
    plain = {"mean": [0.0] * 3, "std": [1.0] * 3, "crop_pct": 1.0, "crop_mode": "squash"}
    entry = {"kind": "timm", "backbone": VIT, "weights": "random", **plain}
    write(workspace, "models", "vit", entry)
    likewise.load("vit")
    return workspace


def test_a_checkpoint_of_arnet_is_a_model_with_two_encoders(pairs: Path) -> None:
    content = arnet_file(pairs / "weights/model_Best.pth")
    passport = learn(pairs, ENTRY)
    assert passport.weights_source.startswith("ARNet checkpoint model_Best.pth sha256 ")
    assert passport.recipe["weights"] == "file:model_Best.pth"
    assert passport.architecture is not None
    assert (passport.dim, passport.architecture.branches) == (16, 2)
    stored = load_file(pairs / "models/learned/model.safetensors")
    for branch, key in BRANCHES.items():
        theirs = content[key]
        own = {n.removeprefix(f"{branch}."): t for n, t in stored.items() if branch in n}
        assert torch.equal(own["project.weight"], theirs["mlp_head.0.weight"])
        assert len(own) == len(theirs) - 2  # without the classifier
        assert torch.equal(own["trunk.pos_embed"], theirs["encoder.pos_embed"])
    # The same numbers as the original program: class token, linear layer.
    image = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    original: Any = timm.create_model("test_vit", num_classes=0).eval()
    tensors = content["skt_model"]
    original.load_state_dict(
        {n: tensors[f"encoder.{n}"] for n in original.state_dict()}, strict=True
    )
    with torch.inference_mode():
        expected = original.forward_features(image)[:, 0] @ tensors["mlp_head.0.weight"].T
        expected = expected + tensors["mlp_head.0.bias"]
        model = descriptor.restore(pairs / "models/learned", passport).eval()
        assert isinstance(model, descriptor.DualEncoder)
        assert torch.allclose(model.query(image), expected, atol=1e-5)


def test_training_starts_from_a_checkpoint_of_arnet(pairs: Path) -> None:
    arnet_file(pairs / "weights/model_Best.pth")
    passport = learn(pairs, {**ENTRY, "epochs": 1, "lr": 1e-12})
    assert passport.weights_source.startswith("trained from vit on emoji, ARNet checkpoint")


def test_another_checkpoint_is_refused_with_what_does_not_fit(pairs: Path) -> None:
    path = pairs / "weights/model_Best.pth"
    branch = arnet_branch(1)
    del branch["encoder.blocks.0.norm1.weight"]
    for changed, options, message in (
        ({"skt_model": branch}, {}, r"skt_model does not fit .*missing encoder.blocks.0.norm1"),
        ({}, {"dim": 8}, r"mlp_head.0.weight is \(16, 64\), not \(8, 64\), .*; set dim"),
        ({}, {"shared_encoder": True}, "has two encoders; set shared_encoder: false"),
        ({}, {"init": "tiny", "input_size": 160}, "missing encoder"),
        ({"skt_model": 3}, {}, "is not a checkpoint of ARNet: it lacks skt_model"),
        (
            {"img_model": {**arnet_branch(1), "more.weight": torch.ones(1)}},
            {},
            "img_model does not fit the model: unknown more.weight",
        ),
    ):
        arnet_file(path, **changed)
        with pytest.raises(DataError, match=message):
            learn(pairs, {**ENTRY, **options})
    with pytest.raises(ConfigError, match="epochs must be at least 1, except with weights"):
        learn(pairs, {n: v for n, v in ENTRY.items() if n != "weights"})
    path.unlink()
    with pytest.raises(DataError, match="the file does not exist"):
        learn(pairs, ENTRY)
