"""A frozen timm backbone, without further training."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from likewise.errors import StaleArtefactError
from likewise.models.image_options import ImageOptions, Positive
from likewise.models.model_files import check_files
from likewise.models.passport import WEIGHTS, Architecture, Passport, libraries
from likewise.models.recipes.base import Recipe
from likewise.models.training.training_data import TrainingContext

if TYPE_CHECKING:
    from likewise.models.training.encode import Encoder


class Timm(ImageOptions, Recipe):
    """A frozen timm backbone with its own preprocessing, or with parts of another.

    Attributes:
        backbone: a name of timm, with the tag of its weights: resnet50.tv_in1k.
        weights: ``hub`` (timm's own, fetched once, when the model is made), ``random``,
            ``file:PATH`` (relative to the catalogue) or ``package:NAME``.
        projection: keep the last linear layer of a CLIP model, whose vectors texts share.
        pooling: timm's global_pool; by default the backbone's.
        head: gem replaces that pooling by the generalised mean (p = 3).
        scales: factors by which images are resized; the vectors of all scales are fused.
        scale_fusion: concat or mean.
        precision: number format on a GPU; a CPU computes in float32.
    """

    backbone: str
    weights: str = Field(default="hub", pattern=r"^(hub|random|file:.+|package:.+)$")
    pooling: str | None = None
    projection: bool = False
    head: Literal["none", "gem"] = "none"
    scales: tuple[Positive, ...] = Field(default=(1.0,), min_length=1)
    scale_fusion: Literal["concat", "mean"] = "concat"
    precision: Literal["float32", "bfloat16"] = "bfloat16"

    @model_validator(mode="after")
    def _check_projection(self) -> Self:
        """Refuse layers on top of a projection."""
        if self.projection and self._architecture() is not None:
            raise ValueError("projection cannot be combined with head or scales")
        return self

    def check_inputs(self, root: Path) -> None:
        """Check that timm has the backbone, and that the weights exist.

        Raises:
            UnknownNameError: timm has no such backbone.
            MissingExtraError: the package of the weights is not installed.
            DataError: the file of the weights does not exist.
        """
        if find_spec("timm") is None:
            return
        from likewise.models.training import backbones, weights

        backbones.check_name(self.backbone)
        if self.weights not in ("hub", "random"):
            weights.locate(self.weights, root)

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
            projection=self.projection,
        )
        config = self.preprocessing(backbones.data_config(model, self.input_size))
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
        check_files(folder, passport)
        model = backbones.create(
            self.backbone,
            input_size=self.input_size,
            pooling=self.pooling,
            projection=self.projection,
        )
        weights.restore(model, folder / WEIGHTS)
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
        if not self.projection:
            del entry["projection"]
        entry = self.without_defaults(entry)
        kind, _, path = self.weights.partition(":")
        if kind == "file":
            entry["weights"] = f"file:{Path(path).name}"
        return entry
