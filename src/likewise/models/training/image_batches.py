"""Decodes images into batches of pixels, in order.

If the model runs on the CPU, threads decode images between two forward passes, so that both
never compete for cores. If it runs on a GPU, worker processes decode ahead.
"""

import multiprocessing
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.utils.data import DataLoader

from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage

Pixels = npt.NDArray[np.uint8]
PixelTransform = Callable[[Image.Image], Pixels]
Item = bytes | Image.Image | BadImage

MAX_WORKERS = 16
MAX_ASPECT = 256
"""Maximum aspect ratio; resizing a more elongated image would exceed the memory."""

_AHEAD = 2
_PRELOADED = [
    "__main__",
    "torch",
    "torchvision.transforms",
    "likewise.models.training.image_batches",
    "likewise.models.training.backbones",
]


class PixelSteps:
    """The steps of a library's transform from image to image, then the pixels of the image."""

    def __init__(self, steps: Callable[[Image.Image], Image.Image]) -> None:
        """Apply ``steps``, which must be picklable."""
        self._steps = steps

    def __call__(self, image: Image.Image) -> Pixels:
        """Return pixels (height, width, 3), uint8."""
        return np.asarray(self._steps(image), dtype=np.uint8)


class Images(Protocol):
    """A sequence of images: encoded bytes, a PIL image, or the error of an unreadable one.

    An implementation may also have ``__getitems__(numbers)``, which reads several at once. The
    object is pickled to worker processes and opens its files there.
    """

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def __getitem__(self, number: int, /) -> Item:
        """Return the image ``number``."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """The pixels of some rows.

    Attributes:
        rows: the rows of readable images.
        pixels: (rows, height, width, 3), uint8.
        unreadable: the reasons why other rows have no pixels.
    """

    rows: list[int]
    pixels: torch.Tensor
    unreadable: dict[int, str]


def stream(
    images: Images, transform: PixelTransform, *, batch: int, workers: int, nbytes: int
) -> Iterator[Batch]:
    """Yield all images in order.

    Args:
        images: the images.
        transform: turns an RGB image into pixels.
        batch: rows per batch.
        workers: decoding processes; 0 decodes in this process.
        nbytes: bytes of the pixels of one image.
    """
    numbers = range(len(images))
    parts = [list(numbers[at : at + batch]) for at in range(0, len(numbers), batch)]
    yield from stream_parts(
        images, transform, parts, workers=min(workers, len(parts)), nbytes=batch * nbytes
    )


def stream_parts(
    images: Images,
    transform: PixelTransform,
    parts: Iterable[list[int]],
    *,
    workers: int,
    nbytes: int,
) -> Iterator[Batch]:
    """Yield one batch per part.

    Args:
        images: the images.
        transform: turns an RGB image into pixels.
        parts: the rows of each batch, without duplicates; iterated once.
        workers: decoding processes; 0 decodes in this process.
        nbytes: bytes of the pixels of one part.
    """
    if not workers:
        yield from _by_threads(images, transform, parts)
        return
    shared = _fits(nbytes * workers * (_AHEAD + 1), Path("/dev/shm"))  # noqa: S108
    yield from _by_processes(_WorkerDataset(images, transform, shared=shared), parts, workers)


class _WorkerDataset:
    """The data set of a worker process: it maps rows to their pixels."""

    def __init__(self, images: Images, transform: PixelTransform, *, shared: bool) -> None:
        self._images = images
        self._transform = transform
        self._shared = shared

    def __getitem__(self, rows: list[int]) -> tuple[list[int], Any, dict[int, str]]:
        prepare = partial(_prepare, self._transform)
        batch = _gather(rows, map(prepare, _read(self._images, rows)))
        # Tensors are sent by shared memory, arrays by a pipe, which is slower but never full.
        pixels = batch.pixels if self._shared else batch.pixels.numpy()
        return batch.rows, pixels, batch.unreadable


def _by_threads(
    images: Images, transform: PixelTransform, parts: Iterable[list[int]]
) -> Iterator[Batch]:
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for rows in parts:
            yield _gather(rows, pool.map(partial(_prepare, transform), _read(images, rows)))


def _by_processes(
    dataset: _WorkerDataset, parts: Iterable[list[int]], workers: int
) -> Iterator[Batch]:
    loader: DataLoader[Any] = DataLoader(
        cast("Any", dataset),
        batch_size=None,
        sampler=parts,
        num_workers=workers,
        collate_fn=_unchanged,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=_AHEAD,
        multiprocessing_context=_context(),
    )
    for rows, pixels, unreadable in loader:
        yield Batch(rows, torch.as_tensor(pixels), unreadable)


def _context() -> Any:
    """Return the start method of processes: never fork, which would lose the threads."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        _PRELOADED
    )  # torch and timm are imported once, not per worker
    return context


def _read(images: Images, rows: list[int]) -> Sequence[Item]:
    read_many = getattr(images, "__getitems__", None)
    if read_many is not None:
        return cast("Sequence[Item]", read_many(rows))
    return [images[row] for row in rows]


def _prepare(transform: PixelTransform, item: Item) -> Pixels | str:
    """Return the pixels of one image, or the reason why it has none."""
    if isinstance(item, BadImage):
        return str(item)
    try:
        image = decode(item) if isinstance(item, bytes) else item.convert("RGB")
    except BadImage as error:
        return str(error)
    if max(image.size) > MAX_ASPECT * min(image.size):
        return f"too-large: {image.width} x {image.height} pixels is too elongated"
    return transform(image)


def _gather(rows: list[int], prepared: Any) -> Batch:
    results = dict(zip(rows, prepared, strict=True))
    pixels = {row: one for row, one in results.items() if not isinstance(one, str)}
    unreadable = {row: reason for row, reason in results.items() if isinstance(reason, str)}
    stack = np.stack(list(pixels.values())) if pixels else np.empty((0, 1, 1, 3), np.uint8)
    return Batch(list(pixels), torch.from_numpy(stack), unreadable)


def _fits(nbytes: int, memory: Path) -> bool:
    """Return whether the file system of shared memory has room for the batches."""
    return not memory.is_dir() or shutil.disk_usage(memory).free > nbytes


def _unchanged(batch: Any) -> Any:
    return batch
