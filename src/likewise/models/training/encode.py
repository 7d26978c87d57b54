"""Images into vectors, equal to those of timm's own float32 path (cosine above 0.99999).

On a CPU three things make it several times faster than a plain forward pass over the batch:
pictures stay uint8 and channels-last until they reach the model; the model sees a few at a
time, so that its activations stay in the caches and in memory that is already mapped; and
nothing runs beside it.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import nn

from likewise.errors import DataError, bounded
from likewise.imaging.parallel import cores
from likewise.models.passport import Passport
from likewise.models.training.image_batches import (
    MOST_WORKERS,
    Images,
    Transform,
    stream,
)

if TYPE_CHECKING:
    from likewise.models.training.attention_maps import Attention

Vectors = npt.NDArray[np.float32]

BATCH = 32
BATCH_OF_GPU = 128

SLICE = 4
"""Images that a CPU's forward pass takes at once.

Fewer leave cores idle, more leave the caches (EfficientNet-Lite0, 224 pixels, 2 cores: 173,
203, 166, 85, 68 images/s for 2, 4, 8, 16, 32). A last slice is filled up, so the vector of an
image does not depend on which others are embedded with it, to the last bit.
"""


class Encoder:
    """A model that embeds: ``dim`` values an image, on a GPU where there is one."""

    def __init__(
        self,
        model: nn.Module,
        transform: Transform,
        passport: Passport,
        device: str | None = None,
    ) -> None:
        """Put ``model`` to work as ``passport`` says, on ``device`` or else on a GPU."""
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.dim = passport.dim
        self.passport = passport
        self.transform = transform
        self._model = model.eval().to(self.device).to(memory_format=torch.channels_last)
        self._mean, self._std = (
            torch.tensor(values, device=self.device).view(1, -1, 1, 1)
            for values in (passport.preprocessing.mean, passport.preprocessing.std)
        )

    def encode(self, images: Sequence[Image.Image]) -> Vectors:
        """The vectors of some pictures: (images, dim), float32, L2-normalised.

        Raises:
            DataError: the model gives no vector for some of them.
        """
        if not images:
            return np.empty((0, self.dim), np.float32)
        pixels = np.stack([self.transform(image.convert("RGB")) for image in images])
        return self.vectors(torch.from_numpy(pixels), range(len(images)))

    def encode_stream(
        self,
        dataset: Images,
        *,
        batch: int | None = None,
        workers: int | None = None,
        unreadable: dict[int, str] | None = None,
    ) -> Iterator[tuple[list[int], Vectors]]:
        """The rows of ``dataset`` in order, ``batch`` at a time, and their vectors.

        By default a GPU is given more at a time than a processor. Images that cannot be
        decoded are left out, and put into ``unreadable``: row -> why.
        ``workers`` processes decode ahead; 0 decodes in this one, which is best where the
        model runs on the CPU. By default the device decides.

        Raises:
            DataError: the model gives no vector for some rows (at once); or, where no
                ``unreadable`` was given, images cannot be decoded (after all the others).
        """
        gpu = self.device.type == "cuda"
        if workers is None:
            workers = min(cores(), MOST_WORKERS) if gpu else 0
        if batch is None:
            batch = BATCH_OF_GPU if gpu else BATCH
        bad = {} if unreadable is None else unreadable
        size = self.passport.preprocessing.input_size
        for part in stream(
            dataset, self.transform, batch=batch, workers=workers, nbytes=int(np.prod(size))
        ):
            bad.update(part.unreadable)
            if part.rows:
                yield part.rows, self.vectors(part.pixels, part.rows)
        if bad and unreadable is None:
            examples = (f"row {row} ({why})" for row, why in bad.items())
            raise DataError(
                f"{len(bad):,} of {len(dataset):,} images cannot be decoded: "
                f"{bounded(examples, len(bad))}; mend them or leave them out"
            )

    def vectors(self, pixels: torch.Tensor, rows: Sequence[int]) -> Vectors:
        """The vectors of pixels (images, height, width, 3), uint8, as ``transform`` gives them.

        Raises:
            DataError: the model gives no vector for some of them; it names their ``rows``.
        """
        with torch.inference_mode():
            by_gpu = self.device.type == "cuda"
            vectors = self._in_parts(pixels) if by_gpu else self._by_cpu(pixels)
            lengths = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
        good = (torch.isfinite(lengths) & (lengths > 0)).flatten().tolist()
        wrong = [row for row, fine in zip(rows, good, strict=True) if not fine]
        if wrong:
            raise DataError(
                "the model gives no direction (all zero, or not a number) for rows "
                f"{bounded(wrong, len(wrong))}; look at its weights and at these images"
            )
        return np.asarray((vectors / lengths).numpy(), dtype=np.float32)

    def attention(self, image: Image.Image) -> "Attention":
        """What every head of the model, a vision transformer, looks at in a picture.

        Raises:
            DataError: the model is no such transformer.
        """
        from likewise.models.training.attention_maps import attend

        pixels = torch.from_numpy(np.stack([self.transform(image.convert("RGB"))]))
        return attend(self._model, self._normalised(pixels.to(self.device)))

    def _in_parts(self, pixels: torch.Tensor) -> torch.Tensor:
        """By a GPU; where its memory is short, half of them and then the others.

        Raises:
            DataError: there is no room for one picture.
        """
        try:
            return self._by_gpu(pixels)
        except torch.OutOfMemoryError as error:
            if len(pixels) == 1:
                raise DataError(
                    "the GPU has too little memory for one picture; end what else runs on it, "
                    "or choose a smaller model or input_size"
                ) from error
        # Only here, when the error and all that it holds on the GPU are gone.
        return torch.cat([self._in_parts(part) for part in pixels.tensor_split(2)])

    def _by_gpu(self, pixels: torch.Tensor) -> torch.Tensor:
        half = self.passport.precision == "bfloat16"
        ready = self._normalised(pixels.to(self.device, non_blocking=True))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            out = self._model(ready)
        return torch.Tensor(out.float().cpu())

    def _by_cpu(self, pixels: torch.Tensor) -> torch.Tensor:
        missing = -len(pixels) % SLICE
        full = torch.cat([pixels, pixels[-1:].expand(missing, -1, -1, -1)])
        slices = [self._model(self._normalised(part)) for part in torch.split(full, SLICE)]
        return torch.cat(slices)[: len(pixels)]

    def _normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        """The model's input, by the very operations of timm's own transform."""
        channels_last = pixels.permute(0, 3, 1, 2)  # a view: the layout in memory stays
        return channels_last.float().div_(255).sub_(self._mean).div_(self._std)
