"""A timm backbone as it is, with no training of ours."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from likewise.errors import DataError, MissingArtefactError, StaleArtefactError
from likewise.models.passport import WEIGHTS, Architecture, Passport, libraries
from likewise.models.recipes.base import Recipe
from likewise.models.training.training_data import Study

if TYPE_CHECKING:
    from likewise.models.training.encode import Encoder


class Timm(Recipe):
    """A frozen timm backbone, preprocessed as its own configuration says.

    ``weights`` is ``hub`` (timm's own, fetched once, when the model is made), ``random``,
    ``file:PATH`` (relative to where the command runs) or ``package:NAME``. ``input_size`` is
    the side of the square input in pixels, ``pooling`` timm's global_pool, both the
    backbone's own where not given. ``head`` gem pools by the generalised mean (p = 3) instead.
    With several ``scales`` images are resized by each; ``scale_fusion`` combines the vectors.
    ``precision`` is what a GPU computes in.
    """

    backbone: str
    weights: str = Field(default="hub", pattern=r"^(hub|random|file:.+|package:.+)$")
    input_size: int | None = Field(default=None, gt=0)
    pooling: str | None = None
    head: Literal["none", "gem"] = "none"
    scales: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(1.0,), min_length=1)
    scale_fusion: Literal["concat", "mean"] = "concat"
    precision: Literal["float32", "bfloat16"] = "bfloat16"

    def make(self, folder: Path, seed: int, study: Study | None = None) -> Passport:
        """Take the backbone, and write its weights and passport into ``folder``.

        Raises:
            UnknownNameError: timm has no such backbone.
            ConfigError: the backbone does not take these options.
            MissingExtraError: the package of weights is not installed.
            DataError: the weights cannot be had, or do not fit.
        """
        from likewise.models.training import backbones, descriptor, weights

        model, source = backbones.with_weights(
            self.backbone,
            self.weights,
            input_size=self.input_size,
            pooling=self.pooling,
            seed=seed,
        )
        config = backbones.data_config(model, self.input_size)
        architecture = self._architecture()
        if architecture is not None:
            model = descriptor.Descriptor(model, architecture).eval()
        stored = descriptor.stored(model)
        passport = Passport(
            recipe=self._entry(),
            backbone=self.backbone,
            dim=backbones.dimension(model, config),
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
        """What embeds images by the model in ``folder``, as its passport says.

        Raises:
            MissingArtefactError: there is no model.
            StaleArtefactError: the model there was made by other options than these.
            DataError: its weights are not those of its passport.
        """
        from likewise.models.training import backbones, weights
        from likewise.models.training.encode import Encoder

        passport = Passport.read(folder)
        if passport.recipe != self._entry():
            raise StaleArtefactError(f"{folder} was made by other options", "dvc repro")
        if passport.architecture is not None:
            from likewise.models.training import trainer

            return trainer.load(folder, role)
        path = folder / WEIGHTS
        if not path.is_file():
            raise MissingArtefactError(f"there is no {path}", "dvc checkout")
        if weights.sha256(path) != passport.weights_sha256:
            raise DataError(f"{path} differs from its passport; run: dvc checkout")
        model = backbones.create(
            self.backbone, input_size=self.input_size, pooling=self.pooling
        )
        weights.restore(model, path)
        transform = backbones.transform(passport.preprocessing)
        return Encoder(model, transform, passport)

    def _architecture(self) -> Architecture | None:
        """What stands on the backbone; None for the plain one."""
        if self.head == "none" and self.scales == (1.0,):
            return None
        return Architecture(
            input_size=self.input_size,
            pooling=self.pooling,
            head=self.head,
            scales=self.scales,
            together=self.scale_fusion,
        )

    def _entry(self) -> dict[str, Any]:
        """The options as the passport keeps them: without the path to a file of weights."""
        entry = {"kind": "timm", **self.model_dump(mode="json")}
        if self._architecture() is None:  # as in passports from before there were such options
            for name in ("head", "scales", "scale_fusion"):
                del entry[name]
        kind, _, path = self.weights.partition(":")
        if kind == "file":
            entry["weights"] = f"file:{Path(path).name}"
        return entry
