"""How fast a training steps, beside the bare forward and backward pass of the same model.

    python benchmarks/train.py [--small]

Ours is all that a step takes: images read from the table, decoded, changed at random, the
loss, the gradient, the optimiser, the look at the loss. The peer is the same model, loss and
optimiser on one batch of random numbers that lies in memory. The two take turns, step by step;
medians are shown. On a GPU: ViT-B/16 and ResNet-50 at 224 pixels in bfloat16; on a CPU:
EfficientNet-Lite0 at 128. Weights are random; nothing is fetched.
"""

import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from data import SAMPLES
from measure import Table, parser
from torch.nn import functional

import likewise
from likewise import tables
from likewise.recipes import RECIPES
from likewise.recipes.base import Trained
from likewise.training import course
from likewise.training.checkpoint import Checkpoints
from likewise.training.classes import ClassifyTask
from likewise.training.feed import Feed
from likewise.training.loop import Loop, Setting
from likewise.training.material import COLUMNS, Material
from likewise.training.report import Report

LEAST = 0.9
UNIT = "ms a step"


def models() -> Iterator[tuple[str, int, int]]:
    """The backbones to measure, the side of their input in pixels, and the batch."""
    if torch.cuda.is_available():
        yield "vit_base_patch16_224", 224, 128
        yield "resnet50", 224, 128
    else:
        yield "tf_efficientnet_lite0", 128, 32


def material(root: Path) -> Material:
    """The shipped drawings, ingested."""
    (root / "catalog").mkdir(parents=True)
    (root / "catalog" / "emoji.yaml").write_text("title: E\nsource: {kind: gpr1200}\n")
    place = f"{{path: {SAMPLES / 'images'}, annotations: {SAMPLES}}}"
    (root / "params.yaml").write_text(f"datasets:\n  emoji: {place}\n")
    likewise.ingest("emoji", workspace=root)
    folder = root / "catalog" / "emoji"
    images = tables.read(tables.open_table(folder / "images.lance", ""), ["image_id"])
    items = tables.read(
        tables.open_table(folder / "items.lance", ""),
        ["item_id", "content", "image_id", "box", "label", "role", "split"],
    ).join(images.with_row_index("row"), on="image_id")
    found = items.select(COLUMNS).sort("item_id")
    return Material("emoji", found, found, folder / "images.lance")


def training(
    root: Path, drawings: Material, model: tuple[str, int, int]
) -> tuple[Callable[[], float], Callable[[], float]]:
    """A step of ours and a bare one: each says how many seconds it took."""
    backbone, size, batch = model
    start = root / backbone
    start.mkdir()
    RECIPES.build(
        {"kind": "timm", "backbone": backbone, "weights": "random"}, "benchmarks/train.py"
    ).make(start, 0)
    entry = {
        "kind": "classify",
        "start": "start",
        "data": "emoji",
        "split": None,
        "validation": 0,
        "input_size": size,
        "batch": batch,
        "epochs": 1000,
        "augment": {"rotate": 15, "flip": 0.5, "colour": 0.2},
    }
    recipe = RECIPES.build(entry, "benchmarks/train.py")
    if not isinstance(recipe, Trained):
        raise TypeError(type(recipe))
    bench = course.prepare(recipe, start, 0)
    lesson = recipe.lesson(bench, drawings)
    feed = Feed(lesson.material, bench.config, lesson.sampler, None)
    checkpoints = Checkpoints(root / f"{backbone}-checkpoints", "")
    setting = Setting(feed, checkpoints, Report(root / f"{backbone}-report"), None, 0)
    loop = Loop(lesson.task.to(memory_format=torch.channels_last), recipe, setting)
    gpu = loop.accelerator.device.type == "cuda"
    batches = feed(0, lesson.sampler.steps * 1000, 1, 0, (0, 1, gpu))

    def ours() -> float:
        began = perf_counter()
        loop._step(next(batches))  # noqa: SLF001 (a part of the loop is what is measured)
        return _since(began)

    return ours, _bare(loop, batch, size)


def _bare(loop: Loop, batch: int, size: int) -> Callable[[], float]:
    task, device = loop.kept, loop.accelerator.device
    if not isinstance(task, ClassifyTask):
        raise TypeError(type(task))
    pixels = torch.randn(batch, 3, size, size, device=device)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch, device=device) % task.classifier.out_features
    optimiser = torch.optim.AdamW(task.parameters(), 1e-4)

    def bare() -> float:
        began = perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            scores = task.classifier(task.model(pixels))
        functional.cross_entropy(scores.float(), labels).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        return _since(began)

    return bare


def _since(began: float) -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter() - began


def main() -> None:
    """Measure every model."""
    options = parser(__doc__).parse_args()
    rounds = 2 if options.small else 25
    table = Table(
        f"Training steps, {torch.get_num_threads()} threads; milliseconds a step",
        small=options.small,
    )
    with tempfile.TemporaryDirectory() as folder:
        drawings = material(Path(folder) / "catalogue")
        for name, size, batch in models():
            few = 4 if options.small else batch
            ours, bare = training(Path(folder), drawings, (name, size, few))
            ours(), bare()  # the first of everything is slower
            took = [(ours() * 1000, bare() * 1000) for _ in range(rounds)]
            mine, theirs = (median(column) for column in zip(*took, strict=True))
            what = f"{name} at {size}, batches of {few}"
            table.at_most(what, mine, theirs, 1 / LEAST, UNIT)
            table.note(f"{what}: images/s", f"{1000 * few / mine:,.0f}")
            table.note(f"{what}: peak memory", _memory())
    table.print()


def _memory() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.max_memory_allocated() / 1e6:,.0f} MB of the GPU"
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:,.0f} MB"


if __name__ == "__main__":
    main()
