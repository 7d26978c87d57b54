"""Training steps of every recipe on a GPU, as far as tests without a GPU allow.

torch's fake tensors are on a device that does not exist. They have no values, and raise an
error if they are mixed with tensors of another device or if their values are read, for which a
real GPU would wait. Losses that choose by values run on the CPU with real values, while every
tensor created without a device is put on another device. bfloat16 is that of the CPU.
"""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from likewise.models.passport import Architecture, Passport
from likewise.models.recipes import RECIPES
from likewise.models.recipes.base import TrainedRecipe
from likewise.models.training import backbones, descriptor, trainer
from likewise.models.training.augment import random_numbers
from likewise.models.training.descriptor import Descriptor, GalleryDescriptor
from likewise.models.training.distillation import DistillationObjective
from likewise.models.training.objective import Objective, unwrap
from likewise.models.training.optimiser import MovingAverage
from likewise.models.training.options import AugmentOptions, TrainingOptions
from likewise.models.training.samplers import ShuffledSampler
from likewise.models.training.trainer import ModelBuilder
from likewise.models.training.training_data import COLUMNS, TrainingData
from likewise.models.training.whitening import _with_layer

pytestmark = pytest.mark.torch

GPU = torch.device("cuda", 0)
MOVES = {"rotate": 30, "flip": 0.5, "crop": 0.5, "colour": 0.4, "grey": 0.3, "blur": 0.3}
COMMON: dict[str, Any] = {
    "init": "s",
    "data": "d",
    "split": None,
    "validation": 0.0,
    "input_size": 64,
    "batch": 8,
    "augment": MOVES,
}
METRIC: dict[str, Any] = {"kind": "metric", "samples_per_class": 2, "dim": 8}
DINO: dict[str, Any] = {"kind": "ssl", "method": "dino", "prototypes": 16}
ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "classify": ("test_resnet", {"kind": "classify", "smoothing": 0.1, "mixup": 0.5}),
    "classify-gem": ("test_vit", {"kind": "classify", "head": "gem", "dim": 8}),
    "compcars": ("test_resnet", {**METRIC, "head": "compcars", "loss": "compcars"}),
    "arcface": ("test_vit", {**METRIC, "loss": "arcface"}),
    "proxy-anchor": ("test_vit", {**METRIC, "loss": "proxy-anchor", "head": "none"}),
    "multi-similarity": (
        "test_vit",
        {**METRIC, "loss": "multi-similarity", "miner": "multi-similarity"},
    ),
    "supcon": ("test_vit", {**METRIC, "loss": "supcon", "miner": "hard"}),
    "triplet": ("test_vit", {**METRIC, "loss": "triplet", "miner": "semihard"}),
    "arnet": ("test_vit", {"kind": "arnet", "dim": 8}),
    "arnet-edges": (
        "test_resnet",
        {
            "kind": "arnet",
            "dim": 0,
            "shared_encoder": True,
            "pseudo_sketch_ratio": 0.5,
            "gallery_input": "edges",
        },
    ),
    "arnet-grey": (
        "test_resnet",
        {
            "kind": "arnet",
            "dim": 8,
            "augmented_views": False,
            "gallery_input": "grey",
            "original": True,
        }
        | {"split": "train"},
    ),
    "arnet-mstr": ("test_vit", {"kind": "arnet-mstr", "dim": 8}),
    "simclr": ("test_resnet", {"kind": "ssl", "dim": 8}),
    "dino": ("test_resnet", DINO),
    "masked": (
        "test_vit",
        {"kind": "ssl", "method": "masked", "dim": 8, "mask_patch_size": 16},
    ),
}
BY_VALUES = {"arcface", "proxy-anchor", "multi-similarity", "supcon", "triplet"}
"""Losses of pytorch-metric-learning that select pairs by value and wait for the GPU.

That of arcface makes an index on the CPU, which torch itself sends to the GPU.
"""


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for backbone in ("test_resnet", "test_vit"):
        folders[backbone] = tmp_path_factory.mktemp(backbone)
        entry = {"kind": "timm", "backbone": backbone, "weights": "random"}
        RECIPES.build(entry, "p").make(folders[backbone], 0)
    return folders


def training_setup(starts: dict[str, Path], name: str) -> tuple[ModelBuilder, Objective, Any]:
    """Build the objective of an entry and its sampler; three queries per photograph."""
    rows = [
        (f"{n:02}", f"c{n}", n, None, f"l{n // 4}", "query" if n % 4 else "gallery", split)
        for split in ("test", "train")
        for n in range(16)
    ]
    items = pl.DataFrame(rows, schema=list(COLUMNS), orient="row")
    train = items.filter(pl.col("split") == "train")
    backbone, options = ENTRIES[name]
    recipe = RECIPES.build({**COMMON, **options}, "p")
    assert isinstance(recipe, TrainedRecipe)
    builder = trainer.model_builder(recipe, starts[backbone], 0)
    torch.manual_seed(0)
    setup = recipe.setup(builder, TrainingData("d", train, items, Path("nowhere")))
    return builder, setup.objective.train(), setup.sampler


def batch(
    objective: Objective, sampler: Any
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows = torch.from_numpy(sampler.epoch(0)[0])
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(
        0, 256, (rows.numel(), 80, 80, 3), generator=generator, dtype=torch.uint8
    )
    numbers = torch.stack(
        [random_numbers(0, 0, view, rows.numel()) for view in range(objective.views)]
    )
    return pixels, objective.targets(rows), numbers


class Stays(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses copies to or from the GPU during a step, for which a real GPU would wait."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default):
            held = [a for a in (*args, found) if isinstance(a, torch.Tensor)]
            if len({tensor.device.type for tensor in held}) > 1:
                raise AssertionError(f"{func} from {held[-2].device} to {held[-1].device}")
        return found


def stays() -> Stays:
    return Stays()  # type: ignore[no-untyped-call]


def on_gpu(mode: FakeTensorMode, module: nn.Module) -> None:
    """Move all registered tensors to the GPU, as ``module.to`` does."""
    for part in module.modules():
        for name, tensor in part._parameters.items():
            if tensor is not None:
                part._parameters[name] = nn.Parameter(sent(mode, tensor), tensor.requires_grad)
        for name, held in part._buffers.items():
            part._buffers[name] = held if held is None else sent(mode, held)


def sent(mode: FakeTensorMode, tensor: torch.Tensor) -> torch.Tensor:
    with mode:
        return torch.empty_strided(
            tensor.size(), tensor.stride(), dtype=tensor.dtype, device=GPU
        )


def reached(loss: torch.Tensor) -> list[torch.Tensor]:
    """Find the parameters that get a gradient; torch's engine would need a real GPU."""
    found, seen, todo = [], set(), [loss.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        found += [node.variable] if hasattr(node, "variable") else []
        todo += [following for following, _ in node.next_functions]
    return found


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in BY_VALUES])
def test_a_step_stays_on_the_gpu(starts: dict[str, Path], name: str) -> None:
    _, objective, sampler = training_setup(starts, name)
    parts = batch(objective, sampler)
    average = MovingAverage(objective, 0.9)
    mode = FakeTensorMode()
    on_gpu(mode, objective)
    on_gpu(mode, average)
    given = [sent(mode, part) for part in parts]
    with mode, stays():
        loss = objective(*given)
        objective.after_step(0.5)
        average.update(objective, 1)
    assert loss.device == GPU
    assert loss.dtype == torch.float32
    learned = {id(p) for p in objective.parameters() if p.requires_grad}
    assert {id(p) for p in reached(loss) if p.device == GPU} == learned


@pytest.mark.parametrize("name", sorted(BY_VALUES - {"arcface"}))
def test_nothing_is_created_where_the_step_is_not(starts: dict[str, Path], name: str) -> None:
    _, objective, sampler = training_setup(starts, name)
    given = batch(objective, sampler)
    with torch.device("meta"):  # whoever says no device gets another one than the model's
        loss = objective(*given)
        loss.backward()
    objective.after_step(0.5)
    assert torch.isfinite(loss)


@pytest.mark.parametrize("name", ENTRIES)
def test_half_precision_stops_before_the_loss(starts: dict[str, Path], name: str) -> None:
    _, objective, sampler = training_setup(starts, name)
    # Rounding inside backbones is not tested: their outputs are equal in both, to 8 bits.
    for part in objective.modules():
        if isinstance(part, Descriptor):
            part.trunk = Rounded(part.trunk)
    given = batch(objective, sampler)
    random, state = (
        torch.get_rng_state(),
        {n: v.clone() for n, v in objective.state_dict().items()},
    )
    whole = objective(*given)
    torch.set_rng_state(random)
    objective.load_state_dict(state)  # a centre has moved
    with torch.autocast("cpu", torch.bfloat16):
        half = objective(*given)
    assert half.dtype == torch.float32
    rounded = {"arnet-mstr": 5e-2, "masked": 2e-2, "simclr": 2e-2}
    assert half.item() == pytest.approx(whole.item(), rel=rounded.get(name, 1e-5))


class Rounded(nn.Module):
    """A backbone in float32 whose vectors are rounded to bfloat16."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            return super().__getattr__(name)
        return getattr(super().__getattr__("inner"), name)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self._rounded(self.inner, pixels)

    def forward_features(self, pixels: torch.Tensor) -> torch.Tensor:
        return self._rounded(self.inner.forward_features, pixels)

    def _rounded(self, made: Any, pixels: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", enabled=False):
            found: torch.Tensor = made(pixels).bfloat16()
        return found if torch.is_autocast_enabled("cpu") else found.float()


def test_whitening_of_a_backbone_that_is_on_the_gpu(
    starts: dict[str, Path],
) -> None:
    model = descriptor.restore(starts["test_vit"], Passport.read(starts["test_vit"]))
    assert isinstance(model, Descriptor)
    mode = FakeTensorMode()
    on_gpu(mode, model)
    turned, mean = np.eye(4, 64), np.zeros(64)
    with mode:
        made = _with_layer(
            model,
            Architecture(projection_dim=4, normalise_before_projection=True),
            mean,
            turned,
        )
    assert made.width == 64


@pytest.mark.parametrize("view", ["picture", "grey", "edges"])
def test_gallery_images_at_several_scales(starts: dict[str, Path], view: str) -> None:
    builder, _, _ = training_setup(starts, "classify-gem")
    wide = Architecture(
        head="gem",
        projection_dim=4,
        normalise_before_projection=True,
        scales=(1.0, 0.5),
        input_size=64,
    )
    one = builder.descriptor(wide.model_copy(update={"gallery_input": view}))
    seen = GalleryDescriptor(one, builder.preprocessing)
    mode = FakeTensorMode()
    on_gpu(mode, seen)
    with mode, stays():
        found = seen(torch.empty(2, 3, 64, 64, device=GPU))
    assert found.device == GPU


def test_a_student_of_vectors_on_the_processor(starts: dict[str, Path]) -> None:
    builder, _, _ = training_setup(starts, "classify")
    recipe = TrainingOptions(init="s", data="d", augment=AugmentOptions(**MOVES))
    wanted = nn.functional.normalize(torch.randn(12, 96), dim=1).half()
    model = builder.descriptor(builder.base)
    objective = DistillationObjective(model, builder.augmenter(recipe), wanted, 1.0).train()
    parts = batch(objective, ShuffledSampler(12, 6, 0))
    assert copy.deepcopy(objective)._teacher is objective._teacher
    with torch.autocast("cpu", torch.bfloat16):
        assert objective(*parts).dtype == torch.float32
    mode = FakeTensorMode()
    on_gpu(mode, objective)
    with mode, stays():
        assert objective(*(sent(mode, part) for part in parts)).device == GPU


def test_batch_norms_of_all_processes_keep_names_and_activations() -> None:
    model = backbones.create("test_resnet")
    names, pixels = list(model.state_dict()), torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        before = model(pixels)
        found = backbones.sync_batch_norms(model)
        assert torch.equal(found(pixels), before)
    assert list(found.state_dict()) == names
    assert any(isinstance(part, nn.SyncBatchNorm) for part in found.modules())
    plain = (nn.BatchNorm1d, nn.BatchNorm2d)
    assert not any(isinstance(part, plain) for part in found.modules())


@pytest.mark.no_cover  # torch takes the code apart, several times slower under coverage
@pytest.mark.parametrize(
    "name",
    [
        "classify",
        "compcars",
        "masked",
        pytest.param("arnet-edges", marks=pytest.mark.slow),
        pytest.param("arnet-mstr", marks=pytest.mark.slow),
    ],
)
def test_a_step_compiles_whole(starts: dict[str, Path], name: str) -> None:
    _, objective, sampler = training_setup(starts, name)
    parts = batch(objective, sampler)
    random = torch.get_rng_state()
    expected = objective(*parts).item()
    torch.set_rng_state(random)
    compiled: Any = torch.compile(objective, backend="eager", fullgraph=True)
    assert unwrap(compiled) is objective
    assert compiled(*parts).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("name", ENTRIES)
def test_a_real_gpu_gives_the_same_loss(starts: dict[str, Path], name: str) -> None:
    _, objective, sampler = training_setup(starts, name)
    for part in objective.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if isinstance(part, nn.MultiheadAttention):
            part.dropout = 0.0
    parts = batch(objective, sampler)
    expected = copy.deepcopy(objective)(*parts).item()
    objective.to(GPU)
    given = [part.to(GPU) for part in parts]
    # torch itself refuses to wait for the GPU during a step.
    torch.cuda.set_sync_debug_mode("default" if name in BY_VALUES else "error")
    try:
        with torch.autocast("cuda", torch.bfloat16):
            loss = objective(*given)
        loss.backward()
        objective.after_step(0.5)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert loss.item() == pytest.approx(expected, rel=0.1)
    learned = [p for p in objective.parameters() if p.requires_grad]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learned)
