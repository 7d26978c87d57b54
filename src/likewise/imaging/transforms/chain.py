"""Sequences of transforms."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, cast

from PIL import Image

from likewise.errors import ConfigError
from likewise.imaging.transforms import TRANSFORMS
from likewise.imaging.transforms.base import Placement, Transform, TransformResult

Steps = tuple[dict[str, Any], ...]
"""Options of each transform, such as ``{kind: resize, side: 256}``, in order."""


class Chain:
    """Applies transforms in order; it can be pickled."""

    def __init__(self, steps: Sequence[Mapping[str, Any]], where: str = "transform") -> None:
        """Build the transforms.

        Args:
            steps: options of the transforms.
            where: location of the options, for messages.

        Raises:
            ConfigError: options are invalid, or a transform follows one that makes an array.
            UnknownNameError: a transform does not exist.
        """
        self.steps: list[Transform] = [TRANSFORMS.build(step, where) for step in steps]
        not_last = [
            s["kind"] for s, t in zip(steps[:-1], self.steps, strict=False) if t.makes_array
        ]
        if not_last:
            raise ConfigError(
                f"{where}: {not_last[0]} makes an array; no transform can follow it"
            )

    def __repr__(self) -> str:
        return f"Chain({self.steps})"

    def __call__(self, picture: Image.Image) -> TransformResult:
        """Apply all transforms; return an image or an array."""
        result: TransformResult = picture
        for step in self.steps:
            result = step(cast("Image.Image", result))
        return result

    def place(self, width: int, height: int) -> Placement:
        """Return where the pixels of an image of this size are in the result.

        Raises:
            NotImplementedError: a transform does not define it.
        """
        placement = Placement(width, height)
        for step in self.steps:
            placement = placement.then(step.place(placement.width, placement.height))
        return placement

    def picture(self, picture: Image.Image) -> Image.Image:
        """Apply all transforms; for chains with ``makes_array`` False."""
        return cast("Image.Image", self(picture))

    @property
    def makes_array(self) -> bool:
        """True if the result is an array."""
        return bool(self.steps) and self.steps[-1].makes_array


def encode_png(picture: Image.Image) -> bytes:
    """Encode ``picture`` as PNG."""
    out = BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()
