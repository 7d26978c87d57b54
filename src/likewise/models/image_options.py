"""Options that replace parts of a model's own preprocessing of images."""

from typing import Annotated, Any, Literal

from pydantic import Field

from likewise.models.passport import Preprocessing
from likewise.registry import Part

Positive = Annotated[float, Field(gt=0)]

PREPROCESSING = ("mean", "std", "interpolation", "crop_pct", "crop_mode")
"""Options that set the field of this name of the passport's preprocessing."""


class ImageOptions(Part):
    """Preprocessing of images; each part is by default the model's own.

    Attributes:
        input_size: side of the square input in pixels.
        mean: mean of each channel, subtracted from values of 0 to 1.
        std: standard deviation of each channel.
        interpolation: filter of the resizing.
        crop_pct: share of the resized image that the crop keeps.
        crop_mode: side that is resized: center (the shorter one), squash (both) or border (the
            longer one).
    """

    input_size: int | None = Field(default=None, gt=0)
    mean: tuple[float, float, float] | None = None
    std: tuple[Positive, Positive, Positive] | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] | None = None
    crop_pct: float | None = Field(default=None, gt=0, le=1)
    crop_mode: Literal["center", "squash", "border"] | None = None

    @property
    def has_own_geometry(self) -> bool:
        """True if these options say how images are resized and cropped."""
        geometry = (self.input_size, self.interpolation, self.crop_pct, self.crop_mode)
        return any(option is not None for option in geometry)

    def preprocessing(self, models_own: Preprocessing) -> Preprocessing:
        """Return the preprocessing of a model with the parts that these options replace."""
        changes: dict[str, Any] = self.model_dump(include={*PREPROCESSING}, exclude_none=True)
        if self.input_size is not None:
            changes["input_size"] = (3, self.input_size, self.input_size)
        return models_own.model_copy(update=changes)

    def without_defaults(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return a recipe's entry without the parts of the preprocessing that are not set."""
        return {
            name: value
            for name, value in entry.items()
            if name not in PREPROCESSING or value is not None
        }
