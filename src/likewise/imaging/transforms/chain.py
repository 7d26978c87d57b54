"""Several transforms after each other."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, cast

from PIL import Image

from likewise.errors import ConfigError
from likewise.imaging.transforms import TRANSFORMS
from likewise.imaging.transforms.base import Result, Transform

Steps = tuple[dict[str, Any], ...]
"""``{kind: resize, side: 256}`` and so on, in order."""


class Chain:
    """Transforms in the order of a list; it can be pickled."""

    def __init__(self, steps: Sequence[Mapping[str, Any]], where: str = "transform") -> None:
        """Build the ``steps``, which stand ``where``.

        Raises:
            ConfigError: a step is wrong, or one comes after what makes numbers.
            UnknownNameError: there is no such transform.
        """
        self.steps: list[Transform] = [TRANSFORMS.build(step, where) for step in steps]
        early = [s["kind"] for s, t in zip(steps[:-1], self.steps, strict=False) if t.numbers]
        if early:
            raise ConfigError(f"{where}: {early[0]} makes numbers; nothing can come after it")

    def __call__(self, picture: Image.Image) -> Result:
        """``picture`` after all steps: a picture, or numbers."""
        done: Result = picture
        for step in self.steps:
            done = step(cast("Image.Image", done))
        return done

    def picture(self, picture: Image.Image) -> Image.Image:
        """The same, of a chain that makes no numbers."""
        return cast("Image.Image", self(picture))

    @property
    def numbers(self) -> bool:
        """Whether it makes numbers of a picture."""
        return bool(self.steps) and self.steps[-1].numbers


def png(picture: Image.Image) -> bytes:
    """``picture`` as a PNG file."""
    out = BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()
