"""Measure the time of a training step, compared with the forward and backward pass alone.

    python benchmarks/train.py [--small]

Our figure covers a whole step: read images from the table, decode, augment, compute the loss
and gradient, update the weights, log the loss. The peer runs the same model, loss and optimiser
on one batch of random numbers in memory. The two run in turn, and medians are shown.

On a CPU a turn is one step of EfficientNet-Lite0 at 128 pixels. On a GPU it is a hundred steps
of ViT-B/16 or ResNet-50 at 224 pixels in bfloat16. Steps whose images were read ahead during
the turn of the peer are not counted. The clock waits for the GPU only at the ends of a turn,
because a training does not wait between steps. Weights are random; nothing is downloaded.

On a CPU, the last row is the processor time of a step whose memory is kept for the next one, as
in ``likewise train``, compared with earlier steps whose memory was given back.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import torch
from data import SAMPLES
from measure import Table, parser, peak
from torch.nn import functional

import likewise
from likewise.models.recipes import RECIPES
from likewise.models.recipes.base import TrainedRecipe
from likewise.models.training import trainer
from likewise.models.training.batch_loader import BatchLoader
from likewise.models.training.checkpoint import Checkpoints
from likewise.models.training.class_objectives import ClassificationObjective
from likewise.models.training.loop import LoopResources, TrainingLoop
from likewise.models.training.memory_reuse import reused_memory
from likewise.models.training.training_data import COLUMNS, TrainingData
from likewise.models.training.training_log import TrainingLog
from likewise.storage import tables

LEAST = 0.9
UNIT = "ms a step"
TURN = 100
"""Steps per turn on a GPU; more than the number of batches that workers read ahead."""


def models() -> Iterator[tuple[str, int, int]]:
    """Return the backbones to measure, the input side in pixels, and the batch size."""
    if torch.cuda.is_available():
        yield "vit_base_patch16_224", 224, 128
        yield "resnet50", 224, 128
    else:
        yield "tf_efficientnet_lite0", 128, 32


def training_data(root: Path) -> TrainingData:
    """Ingest the shipped drawings."""
    (root / "catalog").mkdir(parents=True)
    (root / "catalog" / "emoji.yaml").write_text("title: E\nsource: {kind: gpr1200}\n")
    place = f"{{path: {SAMPLES / 'images'}, annotations: {SAMPLES}}}"
    (root / "params.yaml").write_text(f"datasets:\n  emoji: {place}\n")
    likewise.ingest("emoji", workspace=root)
    folder = root / "catalog" / "emoji"
    images = tables.open_table(folder / "images.lance", "").read(["image_id"])
    items = (
        tables.open_table(folder / "items.lance", "")
        .read(
            ["item_id", "content", "image_id", "box", "label", "role", "split"],
        )
        .join(images.with_row_index("row"), on="image_id")
    )
    found = items.select(COLUMNS).sort("item_id")
    return TrainingData("emoji", found, found, folder / "images.lance")


def training(
    root: Path, drawings: TrainingData, model: tuple[str, int, int]
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return functions for one step of ours and one of the peer."""
    backbone, size, batch = model
    start = root / backbone
    start.mkdir()
    RECIPES.build(
        {"kind": "timm", "backbone": backbone, "weights": "random"}, "benchmarks/train.py"
    ).make(start, 0)
    entry = {
        "kind": "classify",
        "init": "init",
        "data": "emoji",
        "split": None,
        "validation": 0,
        "input_size": size,
        "batch": batch,
        "epochs": 1000,
        "augment": {"rotate": 15, "flip": 0.5, "colour": 0.2},
    }
    recipe = RECIPES.build(entry, "benchmarks/train.py")
    if not isinstance(recipe, TrainedRecipe):
        raise TypeError(type(recipe))
    builder = trainer.model_builder(recipe, start, 0)
    setup = recipe.setup(builder, drawings)
    loader = BatchLoader(setup.data, builder.preprocessing, setup.sampler, None)
    checkpoints = Checkpoints(root / f"{backbone}-checkpoints")
    resources = LoopResources(
        loader, checkpoints, TrainingLog(root / f"{backbone}-report"), None, 0
    )
    loop = TrainingLoop(
        setup.objective.to(memory_format=torch.channels_last), recipe, resources
    )
    gpu = loop.accelerator.device.type == "cuda"
    batches = loader.batches(0, setup.sampler.steps * 1000, 1, 0, (0, 1, gpu))

    def ours() -> None:
        loop._step(next(batches))  # noqa: SLF001 (a part of the loop is what is measured)

    return ours, _bare(loop, batch, size)


def _bare(loop: TrainingLoop, batch: int, size: int) -> Callable[[], None]:
    task, device = loop.kept, loop.accelerator.device
    if not isinstance(task, ClassificationObjective):
        raise TypeError(type(task))
    pixels = torch.randn(batch, 3, size, size, device=device)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch, device=device) % task.classifier.out_features
    optimiser = torch.optim.AdamW(task.parameters(), 1e-4)

    def bare() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            scores = task.classifier(task.model(pixels))
        functional.cross_entropy(scores.float(), labels).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return bare


def _turns(
    ours: Callable[[], None], bare: Callable[[], None], *, small: bool
) -> tuple[float, float]:
    """Return milliseconds per step of ours and of the peer, measured in turn."""
    gpu = torch.cuda.is_available()
    steps = TURN if gpu and not small else 1
    rounds = 2 if small else 5 if gpu else 25
    took = []
    for _ in range(rounds):
        if gpu:
            _mean(ours, steps)  # use up the batches that were read ahead
        took.append((_mean(ours, steps), _mean(bare, steps)))
    mine, theirs = (median(column) * 1000 for column in zip(*took, strict=True))
    return mine, theirs


def _processor_ms(step: Callable[[], None], steps: int) -> float:
    """Return the processor time of a step of all threads, in milliseconds."""
    step()
    began = process_time()
    for _ in range(steps):
        step()
    return (process_time() - began) / steps * 1000


def _mean(step: Callable[[], None], times: int) -> float:
    """Return the seconds per step."""
    _wait()
    began = perf_counter()
    for _ in range(times):
        step()
    _wait()
    return (perf_counter() - began) / times


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main() -> None:
    """Measure every model."""
    options = parser(__doc__).parse_args()
    table = Table(
        f"Training steps, {torch.get_num_threads()} threads; milliseconds a step",
        small=options.small,
    )
    with tempfile.TemporaryDirectory() as folder:
        drawings = training_data(Path(folder) / "catalogue")
        for name, size, batch in models():
            few = 4 if options.small else batch
            ours, bare = training(Path(folder), drawings, (name, size, few))
            ours(), bare()  # the first call of everything is slower
            mine, theirs = _turns(ours, bare, small=options.small)
            what = f"{name} at {size}, batches of {few}"
            table.at_most(what, mine, theirs, 1 / LEAST, UNIT)
            table.note(f"{what}: images/s", f"{1000 * few / mine:,.0f}")
            table.note(f"{what}: peak memory", peak())
            if not torch.cuda.is_available():
                steps = 2 if options.small else 25
                given_back = _processor_ms(ours, steps)
                with reused_memory("cpu"):
                    kept = _processor_ms(ours, steps)
                row = f"{what}: processor time, memory kept; given back"
                table.at_most(row, kept, given_back, None, UNIT)
    table.print()


if __name__ == "__main__":
    main()
