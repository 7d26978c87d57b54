"""A backbone and what stands on it: pooling, a linear layer, several scales, two branches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from likewise.errors import DataError, MissingArtefactError
from likewise.models.passport import WEIGHTS, Architecture, Passport, Preprocessing
from likewise.models.training import backbones, weights
from likewise.models.training.augment import Levels, edges
from likewise.models.training.mixed_precision import exact
from likewise.models.training.token_recycling import Recycle


class Gem(nn.Module):
    """Generalised mean over places: (mean of x^p)^(1/p), p learned from 3 on.

    Source: Radenovic, Tolias, Chum, Fine-tuning CNN Image Retrieval with No Human Annotation,
    TPAMI 2019 (arXiv:1711.02512), equation 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(3.0))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        """Places (n, places, channels) to (n, channels)."""
        return places.float().clamp(min=1e-6).pow(self.p).mean(dim=1).pow(1 / self.p)


class CompCarsGem(nn.Module):
    """The pooling of the CompCars system: ((sum of x^p) / (|x| + 1e-7) + 0.1)^(1/p).

    |x| is the L2 norm of a channel over the places, not their number; p is learned from 3 on.
    What is negative counts as nothing: the trunks of that system end in a ReLU.
    """

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(3.0))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        """Places (n, places, channels) to (n, channels)."""
        positive = places.float().clamp(min=0)
        norm = torch.sqrt(positive.square().sum(dim=1) + 1e-12)
        powers = positive.clamp(min=1e-6).pow(self.p).sum(dim=1)
        return (powers / (norm + 1e-7) + 0.1).pow(1 / self.p)


POOLING: dict[str, type[nn.Module]] = {"gem": Gem, "compcars": CompCarsGem}
"""The heads that pool the backbone's last map in place of timm's own pooling."""


def width(trunk: nn.Module, architecture: Architecture) -> int:
    """The length of the pooled vectors, before a linear layer.

    Raises:
        ConfigError: the backbone gives something else than one vector an image.
    """
    if architecture.head in POOLING:
        return backbones.channels(trunk)
    return backbones.width(trunk, architecture.input_size)


class Descriptor(nn.Module):
    """One vector a picture: a backbone, pooled, perhaps projected, at one scale or several."""

    def __init__(self, trunk: nn.Module, architecture: Architecture) -> None:
        """Stand on ``trunk``; new layers have random weights."""
        super().__init__()
        self.trunk = trunk
        self.architecture = architecture
        self.width = width(trunk, architecture)
        self.head: nn.Module | None = None
        if architecture.head == "recycle":
            self.head = Recycle(self.width, backbones.tokens(trunk, architecture.input_size))
        elif architecture.head in POOLING:
            self.head = POOLING[architecture.head]()
        self.project: nn.Module | None = None
        if architecture.project:
            # A linear layer acts on each scale alone: vectors are put together after it.
            self.project = nn.Linear(self.width, architecture.project)

    @property
    def plain(self) -> bool:
        """Whether the weights are the backbone's alone, under timm's own names."""
        return self.head is None and self.project is None

    def pooled(self, pixels: torch.Tensor) -> torch.Tensor:
        """What the backbone says of pictures, pooled: (n, width), not normalised."""
        if self.head is None:
            return cast("torch.Tensor", self.trunk(pixels))
        features = backbones.features(self.trunk, pixels)
        return cast("torch.Tensor", self.head(backbones.places(self.trunk, features)))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Vectors of pictures (n, 3, h, w), normalised: (n, dim), not normalised."""
        found = [self.both(_resized(pixels, scale))[1] for scale in self.architecture.scales]
        if len(found) == 1:
            return found[0]
        units = [functional.normalize(vectors.float(), dim=1) for vectors in found]
        if self.architecture.together == "mean":
            return torch.stack(units).mean(dim=0)
        return torch.cat(units, dim=1)

    def both(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The pooled vectors (n, width), and what is made of them (n, dim); of one scale.

        Where tokens are recycled, the first is the class token alone.
        """
        if isinstance(self.head, Recycle):
            tokens = backbones.features(self.trunk, pixels)
            return tokens[:, 0], self.projected(self.head(tokens))
        pooled = self.pooled(pixels)
        return pooled, self.projected(pooled)

    def first(self, pixels: torch.Tensor) -> torch.Tensor:
        """The first of ``both`` alone, with nothing of the second computed."""
        if isinstance(self.head, Recycle):
            return backbones.features(self.trunk, pixels)[:, 0]
        return self.pooled(pixels)

    def projected(self, vectors: torch.Tensor) -> torch.Tensor:
        """Pooled vectors through the linear layer, where there is one; in float32.

        Whitening divides by deviations and takes a mean away: halves would be noise.
        """
        if self.project is None:
            return vectors
        with exact(vectors.device):
            vectors = vectors.float()
            if self.architecture.unit:
                vectors = functional.normalize(vectors, dim=1)
            return cast("torch.Tensor", self.project(vectors))


class Branches(nn.Module):
    """Two descriptors: one for queries (sketches, say), one for the gallery (photographs)."""

    def __init__(self, query: Descriptor, gallery: Descriptor) -> None:
        super().__init__()
        self.query = query
        self.gallery = gallery


class Seen(nn.Module):
    """A descriptor for the gallery's pictures, which it sees in grey, or as edges too."""

    def __init__(self, descriptor: Descriptor, config: Preprocessing) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.levels = Levels(config)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Vectors of pictures (n, 3, h, w), normalised: (n, dim)."""
        return self.both(pixels)[1]

    def both(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As ``Descriptor.both``."""
        return both_of_gallery(self.descriptor, self.levels, pixels)


def both_of_gallery(
    one: Descriptor, levels: Levels, pixels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """As ``Descriptor.both``, of pictures that are seen as the gallery's are."""
    pooled, found = zip(*map(one.both, _as_gallery(one, levels, pixels)), strict=True)
    return _together(pooled), _together(found)


def first_of_gallery(one: Descriptor, levels: Levels, pixels: torch.Tensor) -> torch.Tensor:
    """As ``Descriptor.first``, of pictures that are seen as the gallery's are."""
    return _together([one.first(view) for view in _as_gallery(one, levels, pixels)])


def architecture_of(passport: Passport) -> Architecture:
    """What stands on the backbone; of a frozen one, how it was created."""
    if passport.architecture is not None:
        return passport.architecture
    entry = passport.recipe
    return Architecture(input_size=entry.get("input_size"), pooling=entry.get("pooling"))


def build(passport: Passport, seed: int = 0) -> Descriptor | Branches:
    """The model that ``passport`` describes, with random weights."""
    architecture = architecture_of(passport)
    made = [
        _one(passport.backbone, architecture, seed + n) for n in range(architecture.branches)
    ]
    return made[0] if len(made) == 1 else Branches(made[0], made[1])


def restore(folder: Path, passport: Passport) -> Descriptor | Branches:
    """The model in ``folder``.

    Raises:
        MissingArtefactError: its weights are not there.
        DataError: they are not those of its passport.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise MissingArtefactError(f"there is no {path}", "dvc checkout")
    if weights.sha256(path) != passport.weights_sha256:
        raise DataError(f"{path} differs from its passport; run: dvc checkout")
    model = build(passport)
    weights.restore(stored(model), folder / WEIGHTS)
    return model


def save(model: Descriptor | Branches, folder: Path) -> str:
    """Write the weights into ``folder``; their SHA-256."""
    return weights.save(stored(model), folder / WEIGHTS)


def trunk_of(folder: Path, passport: Passport, input_size: int | None) -> nn.Module:
    """The backbone of the model in ``folder``, with its weights, for pictures of that size.

    Of a model of two branches it is that of the gallery: of photographs.

    Raises:
        DataError: the weights do not fit.
        ConfigError: the backbone does not take that input size.
    """
    model = restore(folder, passport)
    trunk = model.gallery.trunk if isinstance(model, Branches) else model.trunk
    return backbones.resized(trunk, input_size, passport.backbone)


def branch(
    model: Descriptor | Branches, role: str | None, config: Preprocessing
) -> "Descriptor | Seen":
    """What embeds items of ``role``; most models embed all alike.

    Raises:
        DataError: queries and gallery are embedded differently, and the role is none of them.
    """
    one = model if isinstance(model, Descriptor) else model.query
    if not one.architecture.by_role:
        return one
    if role not in ("query", "gallery"):
        raise DataError(
            "the model embeds queries and gallery differently, and some items have no role; "
            "embed data of a source that gives roles"
        )
    if role == "query":
        return one
    return Seen(one if isinstance(model, Descriptor) else model.gallery, config)


def _one(backbone: str, architecture: Architecture, seed: int) -> Descriptor:
    trunk = backbones.create(
        backbone, input_size=architecture.input_size, pooling=architecture.pooling, seed=seed
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Descriptor(trunk, architecture)


def stored(model: nn.Module) -> nn.Module:
    """What of a model is written: the backbone, under timm's names, where that is all."""
    return model.trunk if isinstance(model, Descriptor) and model.plain else model


def _as_gallery(one: Descriptor, levels: Levels, pixels: torch.Tensor) -> list[torch.Tensor]:
    """What ``one`` looks at for pictures of the gallery: one view of each, or two."""
    view = one.architecture.gallery
    if view == "picture":
        return [pixels]
    grey = levels.grey(pixels)
    drawn = [edges(grey)] if view == "edges" else []
    return [levels.normalised(seen) for seen in (grey, *drawn)]


def _together(found: Sequence[torch.Tensor]) -> torch.Tensor:
    """The vectors of the only view, or the sum of the directions of several."""
    if len(found) == 1:
        return found[0]
    units = [functional.normalize(vectors.float(), dim=1) for vectors in found]
    return torch.stack(units).sum(dim=0)


def _resized(pixels: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return pixels
    options: dict[str, Any] = {"mode": "bilinear", "antialias": True}
    return functional.interpolate(pixels, scale_factor=scale, **options)
