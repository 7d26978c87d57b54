"""Embed images. The vectors are those of timm in float32, with a cosine above 0.99999.

On a CPU, the module is several times faster than a plain forward pass over the batch, for three
reasons: images stay uint8 and channels-last until they reach the model; the model gets a few
images at a time, so that activations stay in the caches and in memory that is already mapped;
and each forward pass runs in one thread, in parallel with the passes of other images. For the
same reason, the vectors do not depend on the number of threads.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import nn

from likewise.errors import DataError, bounded
from likewise.formats.counted_nouns import counted
from likewise.imaging.parallel import cores
from likewise.models.passport import Passport
from likewise.models.training.image_batches import (
    MAX_WORKERS,
    Images,
    PixelTransform,
    stream,
)
from likewise.models.training.image_encoder import ImageEncoder
from likewise.models.training.single_thread import forward_each

if TYPE_CHECKING:
    from likewise.models.training.attention_maps import Attention

Vectors = npt.NDArray[np.float32]

BATCH = 32
GPU_BATCH = 128

SLICE = 4
"""Images per forward pass on a CPU.

More exceed the caches (EfficientNet-Lite0, 224 pixels, 2 cores: 173, 203, 166, 85, 68 images/s
for 2, 4, 8, 16, 32). The last slice is padded, because libraries choose other kernels for other
numbers of images: the vector of an image does not depend on the other images, to the last bit.
"""

ON_CPU = f"cpu float32, {SLICE} images per pass of one thread"
"""The numerics of a CPU: vectors with equal numerics have equal bits on equal processors."""


def default_device() -> str:
    """Return the device that embeds: a GPU if there is one, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def numerics(passport: Passport, device: str) -> str:
    """Return the name of the arithmetic by which ``device`` computes vectors of a model."""
    return ON_CPU if device == "cpu" else f"{device} {passport.precision}"


class Encoder(ImageEncoder):
    """A model of torch that embeds images as vectors of ``dim`` values."""

    def __init__(
        self,
        model: nn.Module,
        transform: PixelTransform,
        passport: Passport,
        device: str | None = None,
    ) -> None:
        """Move ``model`` to ``device``; by default to a GPU, or to the CPU without one.

        Args:
            model: gives vectors of normalised images.
            transform: turns an RGB image into pixels: uint8, or normalised float32.
            passport: the passport of the model.
            device: a torch device.
        """
        self.device = torch.device(device or default_device())
        self.dim = passport.dim
        self.passport = passport
        self.transform = transform
        self._model = model.eval().to(self.device).to(memory_format=torch.channels_last)
        self._mean, self._std = (
            torch.tensor(values, device=self.device).view(1, -1, 1, 1)
            for values in (passport.image_preprocessing.mean, passport.image_preprocessing.std)
        )

    def encode(self, images: Sequence[Image.Image]) -> Vectors:
        """Embed images of queries: (images, dim), float32, L2-normalised.

        On a CPU every image has a forward pass of its own, without padding. Vectors differ by
        rounding from those of ``encode_stream``, and do not depend on the other images either.

        Raises:
            DataError: a vector is zero or contains NaN.
        """
        if not images:
            return np.empty((0, self.dim), np.float32)
        pixels = np.stack([self.transform(image.convert("RGB")) for image in images])
        return self.vectors(torch.from_numpy(pixels), range(len(images)), per_pass=1)

    def encode_stream(
        self,
        dataset: Images,
        *,
        batch: int | None = None,
        workers: int | None = None,
        unreadable: dict[int, str] | None = None,
    ) -> Iterator[tuple[list[int], Vectors]]:
        """Embed the images of ``dataset`` in order.

        Args:
            dataset: the images.
            batch: images per batch; the default depends on the device.
            workers: decoding processes; 0 decodes in this process, which is best if the model
                runs on the CPU. The default depends on the device.
            unreadable: gets the rows that cannot be decoded, with the reasons.

        Yields:
            The rows of a batch, without unreadable ones, and their vectors.

        Raises:
            DataError: a vector is zero or contains NaN (at once); or images cannot be decoded
                and ``unreadable`` is None (at the end).
        """
        gpu = self.device.type == "cuda"
        if workers is None:
            workers = min(cores(), MAX_WORKERS) if gpu else 0
        if batch is None:
            batch = GPU_BATCH if gpu else max(BATCH, 2 * SLICE * torch.get_num_threads())
        reasons = {} if unreadable is None else unreadable
        size = self.passport.image_preprocessing.input_size
        for part in stream(
            dataset, self.transform, batch=batch, workers=workers, nbytes=int(np.prod(size))
        ):
            reasons.update(part.unreadable)
            if part.rows:
                yield part.rows, self.vectors(part.pixels, part.rows)
        if reasons and unreadable is None:
            examples = (f"row {row} ({reason})" for row, reason in reasons.items())
            raise DataError(
                f"{len(reasons):,} of {counted(len(dataset), 'image')} cannot be decoded: "
                f"{bounded(examples, len(reasons))}; correct them or leave them out"
            )

    def vectors(
        self, pixels: torch.Tensor, rows: Sequence[int], *, per_pass: int = SLICE
    ) -> Vectors:
        """Embed pixels from ``transform``: (images, dim), float32, L2-normalised.

        Args:
            pixels: (images, height, width, 3), uint8, or float32 if they are normalised.
            rows: the rows of the images, for messages.
            per_pass: images per forward pass on a CPU.

        Raises:
            DataError: a vector is zero or contains NaN.
        """
        if self.device.type == "cuda":
            with torch.inference_mode():
                vectors, lengths = _with_lengths(self._on_gpu_in_parts(pixels))
        else:
            vectors, lengths = self._on_cpu(pixels, per_pass)
        valid = (torch.isfinite(lengths) & (lengths > 0)).flatten().tolist()
        invalid = [row for row, is_valid in zip(rows, valid, strict=True) if not is_valid]
        if invalid:
            raise DataError(
                "the model gives vectors of zeros or NaN for rows "
                f"{bounded(invalid, len(invalid))}; inspect its weights and these images"
            )
        return np.asarray((vectors / lengths).numpy(), dtype=np.float32)

    def seen(self, image: Image.Image) -> Image.Image:
        """Return the pixels that the model gets of an image, before they are normalised."""
        pixels = np.asarray(self.transform(image.convert("RGB")))
        if pixels.dtype != np.uint8:
            means, deviations = (values.cpu().numpy() for values in (self._mean, self._std))
            unit = pixels * deviations.reshape(3) + means.reshape(3)
            pixels = np.clip(np.rint(unit * 255), 0, 255).astype(np.uint8)
        return Image.fromarray(pixels)

    def attention(self, image: Image.Image) -> "Attention":
        """Return the attention weights of a vision transformer for an image.

        Raises:
            DataError: the model is not a vision transformer.
        """
        from likewise.models.training.attention_maps import attend

        pixels = torch.from_numpy(np.stack([self.transform(image.convert("RGB"))]))
        return attend(self._model, self._normalised(pixels.to(self.device)))

    def _on_gpu_in_parts(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embed on a GPU; if its memory is too small, embed halves one after the other.

        Raises:
            DataError: the memory is too small for one image.
        """
        try:
            return self._on_gpu(pixels)
        except torch.OutOfMemoryError as error:
            if len(pixels) == 1:
                raise DataError(
                    "the GPU has too little memory for one image; stop its other processes, "
                    "or choose a smaller model or input_size"
                ) from error
        # Outside the handler, so that the error no longer holds memory of the GPU.
        return torch.cat([self._on_gpu_in_parts(part) for part in pixels.tensor_split(2)])

    def _on_gpu(self, pixels: torch.Tensor) -> torch.Tensor:
        half = self.passport.precision == "bfloat16"
        images = self._normalised(pixels.to(self.device, non_blocking=True))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            vectors = self._model(images)
        return torch.Tensor(vectors.float().cpu())

    def _on_cpu(self, pixels: torch.Tensor, per_pass: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return vectors and their lengths."""
        missing = -len(pixels) % per_pass
        padded = torch.cat([pixels, pixels[-1:].expand(missing, -1, -1, -1)])

        def forward(part: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return _with_lengths(self._model(self._normalised(part)))

        parts = forward_each(forward, torch.split(padded, per_pass))
        vectors, lengths = (torch.cat(part)[: len(pixels)] for part in zip(*parts, strict=True))
        return vectors, lengths

    def _normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the model's input, by the same operations as timm's transform."""
        channels_last = pixels.permute(0, 3, 1, 2)  # a view: the memory layout is unchanged
        if pixels.is_floating_point():  # some libraries normalise before they resize
            return channels_last
        return channels_last.float().div_(255).sub_(self._mean).div_(self._std)


def _with_lengths(vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``vectors`` (n, dim) and their lengths (n, 1)."""
    return vectors, torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
