"""Encoded images into batches of pixels, ahead of whoever uses them, in order.

Where the model's forward pass needs the processor itself, pictures are decoded by threads
between two passes, so that the two never fight for a core; where a GPU does it, by worker
processes, which run ahead.
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
Transform = Callable[[Image.Image], Pixels]
Item = bytes | Image.Image | BadImage

MOST_WORKERS = 16
MAX_ASPECT = 256
"""A picture longer than so many times its width is not resized: it would not fit in memory."""

_AHEAD = 2
_PRELOADED = [
    "__main__",
    "torch",
    "torchvision.transforms",
    "likewise.models.training.image_batches",
]


class Images(Protocol):
    """Some images by number: their encoded bytes, a picture, or why there is none.

    It may have ``__getitems__(numbers)`` too, for several in one read. It is pickled to worker
    processes, and opens there whatever it reads.
    """

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, number: int, /) -> Item:
        """The image ``number``."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """The pixels of some rows: (rows, height, width, 3), uint8; and why others have none."""

    rows: list[int]
    pixels: torch.Tensor
    unreadable: dict[int, str]


def stream(
    images: Images, transform: Transform, *, batch: int, workers: int, nbytes: int
) -> Iterator[Batch]:
    """All of ``images``, in order, ``batch`` rows at a time; ``workers`` 0 stays in-process.

    ``nbytes`` is how much memory the pixels of one image take.
    """
    numbers = range(len(images))
    parts = [list(numbers[at : at + batch]) for at in range(0, len(numbers), batch)]
    yield from in_parts(
        images, transform, parts, workers=min(workers, len(parts)), nbytes=batch * nbytes
    )


def in_parts(
    images: Images,
    transform: Transform,
    parts: Iterable[list[int]],
    *,
    workers: int,
    nbytes: int,
) -> Iterator[Batch]:
    """The rows of each part together, part by part; ``parts`` is gone through once.

    ``nbytes`` is how much memory the pixels of one part take. No row may stand twice in one.
    """
    if not workers:
        yield from _by_threads(images, transform, parts)
        return
    shared = _fits(nbytes * workers * (_AHEAD + 1), Path("/dev/shm"))  # noqa: S108
    yield from _by_processes(_Source(images, transform, shared=shared), parts, workers)


class _Source:
    """What a worker process runs: rows in, their pixels out."""

    def __init__(self, images: Images, transform: Transform, *, shared: bool) -> None:
        self._images = images
        self._transform = transform
        self._shared = shared

    def __getitem__(self, rows: list[int]) -> tuple[list[int], Any, dict[int, str]]:
        prepare = partial(_prepare, self._transform)
        found = _gather(rows, map(prepare, _read(self._images, rows)))
        # Tensors travel through shared memory, arrays through a pipe: slower, always room.
        pixels = found.pixels if self._shared else found.pixels.numpy()
        return found.rows, pixels, found.unreadable


def _by_threads(
    images: Images, transform: Transform, parts: Iterable[list[int]]
) -> Iterator[Batch]:
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for rows in parts:
            yield _gather(rows, pool.map(partial(_prepare, transform), _read(images, rows)))


def _by_processes(source: _Source, parts: Iterable[list[int]], workers: int) -> Iterator[Batch]:
    loader: DataLoader[Any] = DataLoader(
        cast("Any", source),
        batch_size=None,
        sampler=parts,
        num_workers=workers,
        collate_fn=_same,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=_AHEAD,
        multiprocessing_context=_context(),
    )
    for rows, pixels, unreadable in loader:
        yield Batch(rows, torch.as_tensor(pixels), unreadable)


def _context() -> Any:
    """How processes are started: never by forking this one, whose threads would be lost."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)  # torch is imported once, not once a worker
    return context


def _read(images: Images, rows: list[int]) -> Sequence[Item]:
    several = getattr(images, "__getitems__", None)
    if several is not None:
        return cast("Sequence[Item]", several(rows))
    return [images[row] for row in rows]


def _prepare(transform: Transform, item: Item) -> Pixels | str:
    """The pixels of one image, or why it has none."""
    if isinstance(item, BadImage):
        return str(item)
    try:
        picture = decode(item) if isinstance(item, bytes) else item.convert("RGB")
    except BadImage as error:
        return str(error)
    if max(picture.size) > MAX_ASPECT * min(picture.size):
        return f"too-large: {picture.width} x {picture.height} pixels is too elongated"
    return transform(picture)


def _gather(rows: list[int], prepared: Any) -> Batch:
    found = dict(zip(rows, prepared, strict=True))
    good = {row: pixels for row, pixels in found.items() if not isinstance(pixels, str)}
    bad = {row: why for row, why in found.items() if isinstance(why, str)}
    stack = np.stack(list(good.values())) if good else np.empty((0, 1, 1, 3), np.uint8)
    return Batch(list(good), torch.from_numpy(stack), bad)


def _fits(nbytes: int, memory: Path) -> bool:
    """Whether shared memory, where it is a file system of its own, has room for batches."""
    return not memory.is_dir() or shutil.disk_usage(memory).free > nbytes


def _same(batch: Any) -> Any:
    return batch
