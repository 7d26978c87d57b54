"""A function of the catalogue's author."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from likewise.errors import DataError
from likewise.models.author_code import FUNCTION
from likewise.models.function_source import SOURCE, copy_source, import_function
from likewise.models.model_files import check_files, digests
from likewise.models.passport import Passport, libraries
from likewise.models.recipes.base import Recipe
from likewise.models.training.training_data import TrainingContext

if TYPE_CHECKING:
    from likewise.models.training.image_encoder import ImageEncoder

_MODULE = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"


class Function(Recipe):
    """Vectors by a function in the catalogue's folder, from a list of RGB images of Pillow.

    The function returns an array (images, d) of finite numbers. Its source is copied into the
    model's folder, and its digest is in the passport.

    Attributes:
        function: ``module:callable``, such as ``mymodels:embed``.
        file: the file of the module (mymodels.py), or the folder of the package; the stage
            depends on it. A package imports its own modules relatively.
        batch: number of images per call.
    """

    section: ClassVar[str] = "functions"
    runs_code: ClassVar[bool] = True
    function: str = Field(pattern=rf"^{_MODULE}:[A-Za-z_]\w*$")
    file: str
    batch: int = Field(default=32, gt=0)

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Copy the source into ``folder``, and call the function once, for its dimension.

        Raises:
            ConfigError: ``file`` is not the source of the function.
            DataError: the file is missing, or the function fails or returns no vectors.
        """
        from PIL import Image

        from likewise.models.function_encoder import CheckedCall

        copy_source(self.function, self.file, root or Path(), folder)
        noise = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
        call = CheckedCall(import_function(self.function, folder), self.function, folder)
        vectors = call([Image.fromarray(pixels) for pixels in noise], [0, 1])
        passport = Passport(
            recipe={"kind": FUNCTION, **self.model_dump(mode="json")},
            backbone=self.function,
            dim=vectors.shape[1],
            weights_sha256="",
            weights_source=f"function {self.function} in {self.file}",
            preprocessing=None,
            precision="float32",
            libraries=libraries(),
            seed=seed,
            files=digests(folder, SOURCE),
        )
        passport.write(folder)
        return passport

    def load(self, folder: Path, role: str | None = None) -> "ImageEncoder":
        """Import the function of the model in ``folder``: its code runs.

        Raises:
            MissingArtefactError: a file of the source is missing.
            DataError: the source differs from the passport, or its import fails.
        """
        from likewise.models.function_encoder import FunctionEncoder

        passport = Passport.read(folder)
        check_files(folder, passport)
        if digests(folder, SOURCE) != passport.files:
            raise DataError(
                f"{folder / SOURCE} has more files than its passport; run: dvc repro"
            )
        function = import_function(self.function, folder)
        return FunctionEncoder(function, passport, folder)
