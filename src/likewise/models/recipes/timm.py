"""A frozen timm backbone, without further training."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from likewise.errors import DataError, MissingArtefactError, StaleArtefactError
from likewise.models.passport import WEIGHTS, Architecture, Passport, libraries
from likewise.models.recipes.base import Recipe
from likewise.models.training.training_data import TrainingContext

if TYPE_CHECKING:
    from likewise.models.training.encode import Encoder


_Positive = Annotated[float, Field(gt=0)]

_PREPROCESSING = ("mean", "std", "interpolation", "crop_pct", "crop_mode")
"""Options that replace a part of the backbone's own preprocessing."""


class Timm(Recipe):
    """A frozen timm backbone with its own preprocessing.

    Attributes:
        backbone: a name of timm, with the tag of its weights: resnet50.tv_in1k.
        weights: ``hub`` (timm's own, fetched once, when the model is made), ``random``,
            ``file:PATH`` (relative to the catalogue) or ``package:NAME``.
        input_size: side of the square input in pixels; by default the backbone's.
        mean: mean of each channel, subtracted from values of 0 to 1; by default the backbone's,
            like the next four.
        std: standard deviation of each channel.
        interpolation: filter of the resizing.
        crop_pct: share of the resized image that the crop keeps.
        crop_mode: side that is resized: center (the shorter one), squash (both) or border (the
            longer one).
        pooling: timm's global_pool; by default the backbone's.
        head: gem replaces that pooling by the generalised mean (p = 3).
        scales: factors by which images are resized; the vectors of all scales are fused.
        scale_fusion: concat or mean.
        precision: number format on a GPU; a CPU computes in float32.
    """

    backbone: str
    weights: str = Field(default="hub", pattern=r"^(hub|random|file:.+|package:.+)$")
    input_size: int | None = Field(default=None, gt=0)
    mean: tuple[float, float, float] | None = None
    std: tuple[_Positive, _Positive, _Positive] | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] | None = None
    crop_pct: float | None = Field(default=None, gt=0, le=1)
    crop_mode: Literal["center", "squash", "border"] | None = None
    pooling: str | None = None
    head: Literal["none", "gem"] = "none"
    scales: tuple[_Positive, ...] = Field(default=(1.0,), min_length=1)
    scale_fusion: Literal["concat", "mean"] = "concat"
    precision: Literal["float32", "bfloat16"] = "bfloat16"

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Create the backbone and write its weights and passport into ``folder``.

        Raises:
            UnknownNameError: timm has no such backbone.
            ConfigError: the backbone does not support these options.
            MissingExtraError: the package with the weights is not installed.
            DataError: the weights cannot be fetched or read, or do not fit the backbone.
        """
        from likewise.models.training import backbones, descriptor, weights

        model, source = backbones.create_with_weights(
            self.backbone,
            self.weights,
            input_size=self.input_size,
            pooling=self.pooling,
            seed=seed,
            root=root,
        )
        own = self.model_dump(include={*_PREPROCESSING}, exclude_none=True)
        config = backbones.data_config(model, self.input_size).model_copy(update=own)
        architecture = self._architecture()
        if architecture is not None:
            model = descriptor.Descriptor(model, architecture).eval()
        stored = descriptor.saved_module(model)
        passport = Passport(
            recipe=self._entry(),
            backbone=self.backbone,
            dim=backbones.embedding_dim(model, config),
            weights_sha256=weights.save(stored, folder / WEIGHTS),
            weights_source=source,
            preprocessing=config,
            precision=self.precision,
            libraries=libraries(),
            seed=seed,
            architecture=architecture,
        )
        passport.write(folder)
        return passport

    def load(self, folder: Path, role: str | None = None) -> "Encoder":
        """Load the model in ``folder``.

        Raises:
            MissingArtefactError: the folder contains no model.
            StaleArtefactError: the model was made with other options than these.
            DataError: the weights differ from those of the passport.
        """
        from likewise.models.training import backbones, weights
        from likewise.models.training.encode import Encoder

        passport = Passport.read(folder)
        if passport.recipe != self._entry():
            raise StaleArtefactError(f"{folder} was made with other options", "dvc repro")
        if passport.architecture is not None:
            from likewise.models.training import trainer

            return trainer.load_encoder(folder, role)
        path = folder / WEIGHTS
        if not path.is_file():
            raise MissingArtefactError(f"{path} does not exist", "dvc checkout")
        if weights.sha256(path) != passport.weights_sha256:
            raise DataError(f"{path} differs from its passport; run: dvc checkout")
        model = backbones.create(
            self.backbone, input_size=self.input_size, pooling=self.pooling
        )
        weights.restore(model, path)
        transform = backbones.pixel_transform(passport.image_preprocessing)
        return Encoder(model, transform, passport)

    def _architecture(self) -> Architecture | None:
        """Return the layers on top of the backbone; None for a plain backbone."""
        if self.head == "none" and self.scales == (1.0,):
            return None
        return Architecture(
            input_size=self.input_size,
            pooling=self.pooling,
            head=self.head,
            scales=self.scales,
            scale_fusion=self.scale_fusion,
        )

    def _entry(self) -> dict[str, Any]:
        """Return kind and options for the passport, without the folder of a weights file."""
        entry = {"kind": "timm", **self.model_dump(mode="json")}
        if self._architecture() is None:  # older passports lack these options
            for name in ("head", "scales", "scale_fusion"):
                del entry[name]
        for name in _PREPROCESSING:  # older passports lack these too
            if entry[name] is None:
                del entry[name]
        kind, _, path = self.weights.partition(":")
        if kind == "file":
            entry["weights"] = f"file:{Path(path).name}"
        return entry
