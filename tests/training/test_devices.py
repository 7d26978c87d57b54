"""Every recipe's step on a GPU, as far as it can be told without one.

torch's fake tensors live on a device that is not there: they have no values, and refuse to be
mixed with those of another device, or to say what they hold, for which a real one would wait.
Losses that choose by values run for real, on a processor, while whatever is created without
saying where lands on another device. bfloat16 is a processor's.
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

from likewise.passport import Architecture, Passport
from likewise.recipes import RECIPES
from likewise.recipes.base import Trained
from likewise.training import backbones, course, descriptor
from likewise.training.augment import draws
from likewise.training.course import Bench
from likewise.training.descriptor import Descriptor, Seen
from likewise.training.distill import DistillTask
from likewise.training.material import COLUMNS, Material
from likewise.training.optimiser import Average
from likewise.training.plan import Augment, Plan
from likewise.training.samplers import Shuffled
from likewise.training.task import Task, plain
from likewise.training.whiten import _with_layer

pytestmark = pytest.mark.torch

GPU = torch.device("cuda", 0)
MOVES = {"rotate": 30, "flip": 0.5, "crop": 0.5, "colour": 0.4, "grey": 0.3, "blur": 0.3}
COMMON: dict[str, Any] = {
    "start": "s",
    "data": "d",
    "split": None,
    "validation": 0.0,
    "input_size": 64,
    "batch": 8,
    "augment": MOVES,
}
METRIC: dict[str, Any] = {"kind": "metric", "each": 2, "dim": 8}
DINO: dict[str, Any] = {"kind": "ssl", "method": "dino", "outputs": 16}
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
        {"kind": "arnet", "dim": 0, "shared_encoder": True, "pseudo": 0.5, "gallery": "edges"},
    ),
    "arnet-grey": (
        "test_resnet",
        {"kind": "arnet", "dim": 8, "copies": False, "gallery": "grey", "original": True}
        | {"split": "train"},
    ),
    "arnet-mstr": ("test_vit", {"kind": "arnet-mstr", "dim": 8}),
    "simclr": ("test_resnet", {"kind": "ssl", "dim": 8}),
    "dino": ("test_resnet", DINO),
    "masked": ("test_vit", {"kind": "ssl", "method": "masked", "dim": 8, "patch": 16}),
}
BY_VALUES = {"arcface", "proxy-anchor", "multi-similarity", "supcon", "triplet"}
"""Losses of pytorch-metric-learning, which choose by what they see, and wait to see it.

That of arcface makes an index on the processor, which torch itself sends to the GPU.
"""


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for backbone in ("test_resnet", "test_vit"):
        folders[backbone] = tmp_path_factory.mktemp(backbone)
        entry = {"kind": "timm", "backbone": backbone, "weights": "random"}
        RECIPES.build(entry, "p").make(folders[backbone], 0)
    return folders


def lesson(starts: dict[str, Path], name: str) -> tuple[Bench, Task, Any]:
    """The task of an entry, and who makes its batches; three queries a photograph."""
    rows = [
        (f"{n:02}", f"c{n}", n, None, f"l{n // 4}", "query" if n % 4 else "gallery", split)
        for split in ("test", "train")
        for n in range(16)
    ]
    items = pl.DataFrame(rows, schema=list(COLUMNS), orient="row")
    train = items.filter(pl.col("split") == "train")
    backbone, options = ENTRIES[name]
    recipe = RECIPES.build({**COMMON, **options}, "p")
    assert isinstance(recipe, Trained)
    bench = course.prepare(recipe, starts[backbone], 0)
    torch.manual_seed(0)
    taught = recipe.lesson(bench, Material("d", train, items, Path("nowhere")))
    return bench, taught.task.train(), taught.sampler


def batch(task: Task, sampler: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows = torch.from_numpy(sampler.epoch(0)[0])
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(
        0, 256, (rows.numel(), 80, 80, 3), generator=generator, dtype=torch.uint8
    )
    numbers = torch.stack([draws(0, 0, view, rows.numel()) for view in range(task.views)])
    return pixels, task.known(rows), numbers


class Stays(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses what a real GPU would wait for: a copy to or from it in mid-step."""

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
    """Put all that is registered on the GPU, as ``module.to`` does, and nothing else."""
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
    """The parameters that get a gradient; torch's engine itself wants a real GPU."""
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
    _, task, sampler = lesson(starts, name)
    parts = batch(task, sampler)
    average = Average(task, 0.9)
    mode = FakeTensorMode()
    on_gpu(mode, task)
    on_gpu(mode, average)
    given = [sent(mode, part) for part in parts]
    with mode, stays():
        loss = task(*given)
        task.after_step(0.5)
        average.update(task, 1)
    assert loss.device == GPU
    assert loss.dtype == torch.float32
    learned = {id(p) for p in task.parameters() if p.requires_grad}
    assert {id(p) for p in reached(loss) if p.device == GPU} == learned


@pytest.mark.parametrize("name", sorted(BY_VALUES - {"arcface"}))
def test_nothing_is_created_where_the_step_is_not(starts: dict[str, Path], name: str) -> None:
    _, task, sampler = lesson(starts, name)
    given = batch(task, sampler)
    with torch.device("meta"):  # whoever says no device gets another one than the model's
        loss = task(*given)
        loss.backward()
    task.after_step(0.5)
    assert torch.isfinite(loss)


@pytest.mark.parametrize("name", ENTRIES)
def test_half_precision_stops_before_the_loss(starts: dict[str, Path], name: str) -> None:
    _, task, sampler = lesson(starts, name)
    # The backbones' own rounding is not ours: they say the same in both, to 8 bits.
    for part in task.modules():
        if isinstance(part, Descriptor):
            part.trunk = Rounded(part.trunk)
    given = batch(task, sampler)
    random, state = torch.get_rng_state(), {n: v.clone() for n, v in task.state_dict().items()}
    whole = task(*given)
    torch.set_rng_state(random)
    task.load_state_dict(state)  # a centre has moved
    with torch.autocast("cpu", torch.bfloat16):
        half = task(*given)
    assert half.dtype == torch.float32
    rounded = {"arnet-mstr": 5e-2, "masked": 2e-2, "simclr": 2e-2}
    assert half.item() == pytest.approx(whole.item(), rel=rounded.get(name, 1e-5))


class Rounded(nn.Module):
    """A backbone in float32, whose vectors are rounded to bfloat16."""

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


def test_whitening_stands_on_a_backbone_that_has_embedded_on_the_gpu(
    starts: dict[str, Path],
) -> None:
    model = descriptor.restore(starts["test_vit"], Passport.read(starts["test_vit"]))
    assert isinstance(model, Descriptor)
    mode = FakeTensorMode()
    on_gpu(mode, model)
    turned, mean = np.eye(4, 64), np.zeros(64)
    with mode:
        made = _with_layer(model, Architecture(project=4, unit=True), mean, turned)
    assert made.width == 64


@pytest.mark.parametrize("view", ["picture", "grey", "edges"])
def test_pictures_of_the_gallery_at_several_scales(starts: dict[str, Path], view: str) -> None:
    bench, _, _ = lesson(starts, "classify-gem")
    wide = Architecture(head="gem", project=4, unit=True, scales=(1.0, 0.5), input_size=64)
    one = bench.descriptor(wide.model_copy(update={"gallery": view}))
    seen = Seen(one, bench.config)
    mode = FakeTensorMode()
    on_gpu(mode, seen)
    with mode, stays():
        found = seen(torch.empty(2, 3, 64, 64, device=GPU))
    assert found.device == GPU


def test_a_student_of_vectors_on_the_processor(starts: dict[str, Path]) -> None:
    bench, _, _ = lesson(starts, "classify")
    recipe = Plan(start="s", data="d", augment=Augment(**MOVES))
    wanted = nn.functional.normalize(torch.randn(12, 96), dim=1).half()
    model = bench.descriptor(bench.base)
    task = DistillTask(model, bench.views(recipe), wanted, 1.0).train()
    parts = batch(task, Shuffled(12, 6, 0))
    assert copy.deepcopy(task)._wanted is task._wanted
    with torch.autocast("cpu", torch.bfloat16):
        assert task(*parts).dtype == torch.float32
    mode = FakeTensorMode()
    on_gpu(mode, task)
    with mode, stays():
        assert task(*(sent(mode, part) for part in parts)).device == GPU


def test_batch_norms_of_all_processes_keep_names_and_activations() -> None:
    model = backbones.create("test_resnet")
    names, pixels = list(model.state_dict()), torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        before = model(pixels)
        found = backbones.synced(model)
        assert torch.equal(found(pixels), before)
    assert list(found.state_dict()) == names
    assert any(isinstance(part, nn.SyncBatchNorm) for part in found.modules())
    plain = (nn.BatchNorm1d, nn.BatchNorm2d)
    assert not any(isinstance(part, plain) for part in found.modules())


@pytest.mark.parametrize(
    "name", ["classify", "compcars", "arnet-edges", "arnet-mstr", "masked"]
)
def test_a_step_compiles_whole(starts: dict[str, Path], name: str) -> None:
    _, task, sampler = lesson(starts, name)
    parts = batch(task, sampler)
    random = torch.get_rng_state()
    expected = task(*parts).item()
    torch.set_rng_state(random)
    compiled: Any = torch.compile(task, backend="eager", fullgraph=True)
    assert plain(compiled) is task
    assert compiled(*parts).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("name", ENTRIES)
def test_a_real_gpu_says_the_same(starts: dict[str, Path], name: str) -> None:
    _, task, sampler = lesson(starts, name)
    for part in task.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if isinstance(part, nn.MultiheadAttention):
            part.dropout = 0.0
    parts = batch(task, sampler)
    expected = copy.deepcopy(task)(*parts).item()
    task.to(GPU)
    given = [part.to(GPU) for part in parts]
    # torch itself refuses to wait for the GPU in mid-step.
    torch.cuda.set_sync_debug_mode("default" if name in BY_VALUES else "error")
    try:
        with torch.autocast("cuda", torch.bfloat16):
            loss = task(*given)
        loss.backward()
        task.after_step(0.5)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert loss.item() == pytest.approx(expected, rel=0.1)
    learned = [p for p in task.parameters() if p.requires_grad]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learned)
