"""What every recipe promises."""

from abc import ABC, abstractmethod
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from likewise.passport import Passport
from likewise.registry import Part

if TYPE_CHECKING:
    from likewise.training.encode import Encoder

LIBRARIES = ("likewise", "pillow", "timm", "torch", "torchvision")


class Recipe(Part, ABC):
    """A way to come by a model; the fields are its options in params.yaml."""

    @abstractmethod
    def make(self, folder: Path, seed: int) -> Passport:
        """Write ``model.safetensors`` and ``passport.json`` into the empty ``folder``."""

    @abstractmethod
    def load(self, folder: Path) -> "Encoder":
        """What embeds images by the model in ``folder``; no hub is ever asked.

        Raises:
            MissingArtefactError: there is no model.
            StaleArtefactError: the model there was made by other options than these.
            DataError: it is damaged.
        """


def libraries() -> dict[str, str]:
    """The versions of the libraries that vectors pass through, as far as installed."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
