"""Descriptors: a backbone with pooling and a linear layer, at several scales; dual encoders."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from likewise.errors import DataError
from likewise.models.model_files import check_files
from likewise.models.passport import WEIGHTS, Architecture, Passport, Preprocessing
from likewise.models.training import backbones, feature_maps, weights
from likewise.models.training.augment import Normalisation, pseudo_sketches
from likewise.models.training.mixed_precision import full_precision
from likewise.models.training.token_recycling import TokenRecycling


class Gem(nn.Module):
    """Generalised mean over positions: (mean of x^p)^(1/p); p is learned, initially 3.

    Source: Radenovic, Tolias, Chum, Fine-tuning CNN Image Retrieval with No Human Annotation,
    TPAMI 2019 (arXiv:1711.02512), equation 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(3.0))

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        """Pool (n, positions, channels): (n, channels)."""
        return positions.float().clamp(min=1e-6).pow(self.p).mean(dim=1).pow(1 / self.p)


class CompCarsGem(nn.Module):
    """The pooling of the CompCars system: ((sum of x^p) / (|x| + 1e-7) + 0.1)^(1/p).

    |x| is the L2 norm of a channel over the positions, not their number; p is learned,
    initially 3. Negative values are replaced by 0, because the backbones of that system end in
    a ReLU.
    """

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(3.0))

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        """Pool (n, positions, channels): (n, channels)."""
        positive = positions.float().clamp(min=0)
        norm = torch.sqrt(positive.square().sum(dim=1) + 1e-12)
        powers = positive.clamp(min=1e-6).pow(self.p).sum(dim=1)
        return (powers / (norm + 1e-7) + 0.1).pow(1 / self.p)


POOLING: dict[str, type[nn.Module]] = {"gem": Gem, "compcars": CompCarsGem}
"""Heads that pool the last feature map in place of timm's pooling."""


def pooled_width(trunk: nn.Module, architecture: Architecture) -> int:
    """Return the length of the pooled vectors, before a linear layer.

    Raises:
        ConfigError: the backbone does not give one vector per image.
    """
    if architecture.head in POOLING:
        return feature_maps.channels(trunk)
    return backbones.pooled_width(trunk, architecture.input_size)


class Descriptor(nn.Module):
    """One vector per image: a backbone with pooling and an optional linear layer."""

    def __init__(self, trunk: nn.Module, architecture: Architecture) -> None:
        """Add the layers of ``architecture`` to ``trunk``, with random weights."""
        super().__init__()
        self.trunk = trunk
        self.architecture = architecture
        self.width = pooled_width(trunk, architecture)
        self.head: nn.Module | None = None
        if architecture.head == "recycle":
            self.head = TokenRecycling(
                self.width, feature_maps.patch_grid(trunk, architecture.input_size)
            )
        elif architecture.head in POOLING:
            self.head = POOLING[architecture.head]()
        self.project: nn.Module | None = None
        if architecture.projection_dim:
            # The layer acts on each scale; the vectors are fused afterwards.
            self.project = nn.Linear(self.width, architecture.projection_dim)

    @property
    def is_plain(self) -> bool:
        """True if the backbone has no further layers; its weights then have timm's names."""
        return self.head is None and self.project is None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images (n, 3, h, w): (n, dim), not L2-normalised."""
        by_scale = [
            self.pooled_and_embedding(_resized(images, scale))[1]
            for scale in self.architecture.scales
        ]
        if len(by_scale) == 1:
            return by_scale[0]
        units = [functional.normalize(vectors.float(), dim=1) for vectors in by_scale]
        if self.architecture.scale_fusion == "mean":
            return torch.stack(units).mean(dim=0)
        return torch.cat(units, dim=1)

    def pooled(self, images: torch.Tensor) -> torch.Tensor:
        """Return the pooled vectors (n, width) of one scale, not normalised.

        With token recycling, they are the class tokens.
        """
        if self.head is None:
            return cast("torch.Tensor", self.trunk(images))
        features = feature_maps.feature_map(self.trunk, images)
        if isinstance(self.head, TokenRecycling):
            return features[:, 0]
        return cast("torch.Tensor", self.head(feature_maps.flatten_map(self.trunk, features)))

    def pooled_and_embedding(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vectors of ``pooled`` and the final vectors (n, dim), of one scale."""
        if isinstance(self.head, TokenRecycling):
            tokens = feature_maps.feature_map(self.trunk, images)
            return tokens[:, 0], self._projected(self.head(tokens))
        pooled = self.pooled(images)
        return pooled, self._projected(pooled)

    def _projected(self, vectors: torch.Tensor) -> torch.Tensor:
        """Apply the linear layer, if there is one, in float32.

        Whitening subtracts a mean and divides by standard deviations; the rounding of bfloat16
        would dominate the result.
        """
        if self.project is None:
            return vectors
        with full_precision(vectors.device):
            vectors = vectors.float()
            if self.architecture.normalise_before_projection:
                vectors = functional.normalize(vectors, dim=1)
            return cast("torch.Tensor", self.project(vectors))


class DualEncoder(nn.Module):
    """Two descriptors: one for queries (sketches), one for the gallery (photographs)."""

    def __init__(self, query: Descriptor, gallery: Descriptor) -> None:
        super().__init__()
        self.query = query
        self.gallery = gallery


class GalleryDescriptor(nn.Module):
    """A descriptor for images of the gallery, which applies ``gallery_input`` to them."""

    def __init__(self, descriptor: Descriptor, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.normalisation = Normalisation(preprocessing)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images (n, 3, h, w): (n, dim)."""
        return gallery_pooled_and_embedding(self.descriptor, self.normalisation, images)[1]


def gallery_pooled_and_embedding(
    descriptor: Descriptor, normalisation: Normalisation, images: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``Descriptor.pooled_and_embedding`` of images of the gallery."""
    inputs = _gallery_inputs(descriptor, normalisation, images)
    pooled, embedded = zip(*map(descriptor.pooled_and_embedding, inputs), strict=True)
    return _fused(pooled), _fused(embedded)


def gallery_pooled(
    descriptor: Descriptor, normalisation: Normalisation, images: torch.Tensor
) -> torch.Tensor:
    """Return ``Descriptor.pooled`` of images of the gallery."""
    inputs = _gallery_inputs(descriptor, normalisation, images)
    return _fused([descriptor.pooled(one) for one in inputs])


def architecture_of(passport: Passport) -> Architecture:
    """Return the layers on top of the backbone; a frozen backbone has none."""
    if passport.architecture is not None:
        return passport.architecture
    entry = passport.recipe
    return Architecture(input_size=entry.get("input_size"), pooling=entry.get("pooling"))


def build(passport: Passport, seed: int = 0) -> Descriptor | DualEncoder:
    """Create the model that ``passport`` describes, with random weights."""
    architecture = architecture_of(passport)
    branches = [
        _build_branch(passport.backbone, architecture, seed + n)
        for n in range(architecture.branches)
    ]
    return branches[0] if len(branches) == 1 else DualEncoder(branches[0], branches[1])


def restore(folder: Path, passport: Passport) -> Descriptor | DualEncoder:
    """Load the model in ``folder``.

    Raises:
        MissingArtefactError: the file of weights is missing.
        DataError: the weights differ from those of the passport.
    """
    check_files(folder, passport)
    model = build(passport)
    weights.restore(saved_module(model), folder / WEIGHTS)
    return model


def save(model: Descriptor | DualEncoder, folder: Path) -> str:
    """Write the weights into ``folder``, and return their SHA-256."""
    return weights.save(saved_module(model), folder / WEIGHTS)


def for_role(
    model: Descriptor | DualEncoder, role: str | None, preprocessing: Preprocessing
) -> "Descriptor | GalleryDescriptor":
    """Return the encoder of items of ``role``; most models have one encoder for all items.

    Raises:
        DataError: queries and gallery have different encoders, and ``role`` is neither.
    """
    query = model if isinstance(model, Descriptor) else model.query
    if not query.architecture.by_role:
        return query
    if role not in ("query", "gallery"):
        raise DataError(
            "the model embeds queries and gallery differently, but some items have no role; "
            "embed data of a source that gives roles"
        )
    if role == "query":
        return query
    gallery = model if isinstance(model, Descriptor) else model.gallery
    return GalleryDescriptor(gallery, preprocessing)


def _build_branch(backbone: str, architecture: Architecture, seed: int) -> Descriptor:
    trunk = backbones.create(
        backbone, input_size=architecture.input_size, pooling=architecture.pooling, seed=seed
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Descriptor(trunk, architecture)


def saved_module(model: nn.Module) -> nn.Module:
    """Return the module to save; for a plain descriptor the backbone, with timm's names."""
    return model.trunk if isinstance(model, Descriptor) and model.is_plain else model


def _gallery_inputs(
    descriptor: Descriptor, normalisation: Normalisation, images: torch.Tensor
) -> list[torch.Tensor]:
    """Return one or two inputs for images of the gallery, as set by ``gallery_input``."""
    gallery_input = descriptor.architecture.gallery_input
    if gallery_input == "picture":
        return [images]
    grey = normalisation.grey(images)
    sketches = [pseudo_sketches(grey)] if gallery_input == "edges" else []
    return [normalisation.normalised(one) for one in (grey, *sketches)]


def _fused(by_input: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the vectors of a single input, or the sum of the L2-normalised ones of several."""
    if len(by_input) == 1:
        return by_input[0]
    units = [functional.normalize(vectors.float(), dim=1) for vectors in by_input]
    return torch.stack(units).sum(dim=0)


def _resized(images: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return images
    options: dict[str, Any] = {"mode": "bilinear", "antialias": True}
    return functional.interpolate(images, scale_factor=scale, **options)
