"""Make the inputs of the benchmarks from real images, once, in ``benchmarks/.work``."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from measure import LIKEWISE, ROOT, run
from PIL import Image

WORK = ROOT / "benchmarks" / ".work"
SAMPLES = ROOT / "samples" / "emoji"
SHARED = ROOT.parent / "shared" / "data"
SIDE = 64
"""Width and height of a small image, in pixels."""

MANY = 50_000
FEW = 600
"""A small number of files that several processes read (see ``likewise.imaging.probe_many``)."""

_TILE = 256
"""Width and height of most photographs of the stand-ins, in pixels."""

_SETS = {"gpr": "gpr_like/images", "imagenet": "imagenet_like/Data", "cars": "compcars_like"}
_STEP_X, _STEP_Y = 37, 53
"""Step between crops; coprime to the number of crop positions in every image."""


def small_files(count: int) -> Path:
    """Make a tree of ``count`` different 64 x 64 crops of real images, one folder per label."""
    origin = "photographs" if _photographs() else "drawings"
    return _once(f"{origin}-{count}", lambda folder: add_small_files(folder, 0, count))


def add_small_files(tree: Path, first: int, count: int) -> None:
    """Write the crops ``first`` to ``first + count - 1`` into ``tree``."""
    sources = _photographs() or sorted((SAMPLES / "images").glob("*.jpg"))
    for at, source in enumerate(sources):
        numbers = range(first + (at - first) % len(sources), first + count, len(sources))
        if not numbers:
            continue
        folder = tree / source.name.partition("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        with Image.open(source) as picture:
            for number in numbers:
                crop, name = _crop(picture, number // len(sources)), f"{number:06d}"
                # The comment makes crops of white corners differ.
                crop.save(folder / f"{name}.jpg", quality=90, comment=name)


def photographs(*, small: bool) -> tuple[str, Path]:
    """Return the kind and folder of the source images: photographs, else drawings."""
    if small or not _photographs():
        return "drawings", SAMPLES / "images"
    return "photographs", _once("photographs", _copy_photographs)


def enlarged(count: int, size: tuple[int, int]) -> Path:
    """Make a tree ``train/{label}/`` of ``count`` different JPEGs of ``size``."""

    def make(folder: Path) -> None:
        sources = _photographs() or sorted((SAMPLES / "images").glob("*.jpg"))
        for number in range(count):
            source = sources[number % len(sources)]
            place = folder / "train" / source.name.partition("_")[0]
            place.mkdir(parents=True, exist_ok=True)
            with Image.open(source) as picture:
                large = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
            # The comment makes files of the same image differ.
            large.save(place / f"{number:06d}.jpg", quality=90, comment=f"{number:06d}")

    origin = "photographs" if _photographs() else "drawings"
    return _once(f"{origin}-{count}-{size[0]}x{size[1]}", make)


def mosaics(count: int, columns: int, rows: int) -> Path:
    """Make a tree of ``count`` JPEGs; each is a mosaic of ``columns`` x ``rows`` photographs.

    The photographs have 256 x 256 pixels and are not enlarged, so the bytes per pixel are those
    of a photograph. Their edges coincide with the blocks of JPEG.
    """

    def make(folder: Path) -> None:
        sources = [path for path in _photographs() if _size(path) == (_TILE, _TILE)]
        sources = sources or sorted((SAMPLES / "images").glob("*.jpg"))
        for number in range(count):
            draw = random.Random(number)  # noqa: S311 (no secret)
            chosen = draw.sample(sources, columns * rows)
            picture = Image.new("RGB", (columns * _TILE, rows * _TILE))
            for place, path in enumerate(chosen):
                with Image.open(path) as tile:
                    corner = (place % columns * _TILE, place // columns * _TILE)
                    picture.paste(tile.convert("RGB").crop((0, 0, _TILE, _TILE)), corner)
            label = folder / f"{number % 20:02d}"
            label.mkdir(exist_ok=True)
            picture.save(label / f"{number:06d}.jpg", quality=90)

    origin = "photographs" if _photographs() else "drawings"
    return _once(f"{origin}-{count}-mosaics-{columns}x{rows}", make)


def repeated(tree: Path, times: int) -> Path:
    """Make a tree that contains the files of ``tree`` ``times`` times."""

    def make(folder: Path) -> None:
        for number in range(times):
            shutil.copytree(tree, folder / f"{number:02d}")

    return _once(f"{tree.name}-times-{times}", make)


def catalogue(root: Path, name: str, kind: str, path: Path, params: str = "") -> None:
    """Create a catalogue in ``root`` with one data set; ``params`` replaces its params.yaml."""
    run("git", "init", "--quiet", root)  # otherwise it would belong to this repository
    run(LIKEWISE, "init", root)
    if params:
        (root / "params.yaml").write_text(params, encoding="utf-8")
    run(LIKEWISE, "add", name, "--source", kind, "--path", path, cwd=root)


@contextmanager
def work() -> Iterator[Path]:
    """Yield a working folder; remove it only at the end.

    After many files were removed, ext4 searches for free inodes for minutes. A copy of 50,000
    files then took 30 s instead of 1.5 s.
    """
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        yield Path(folder)


def new_folder(inside: Path) -> Path:
    """Make a new empty folder ``inside`` another."""
    return Path(tempfile.mkdtemp(dir=inside))


def files_in(tree: Path) -> int:
    """Count the files under ``tree``."""
    return sum(len(names) for _, _, names in os.walk(tree))


def bytes_in(tree: Path) -> int:
    """Return the bytes of the files under ``tree``; a file with several names counts once."""
    facts = (Path(top, name).stat() for top, _, names in os.walk(tree) for name in names)
    return sum({(f.st_dev, f.st_ino): f.st_size for f in facts}.values())


def _photographs() -> list[Path]:
    """Return the photographs of the GPR1200 stand-in (categories 0 to 80), if it exists."""
    folder = SHARED / _SETS["gpr"]
    return sorted(p for p in folder.glob("*.jpg") if int(p.name.partition("_")[0]) <= 80)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def _crop(picture: Image.Image, turn: int) -> Image.Image:
    left = turn * _STEP_X % (picture.width - SIDE + 1)
    top = turn * _STEP_Y % (picture.height - SIDE + 1)
    return picture.convert("RGB").crop((left, top, left + SIDE, top + SIDE))


def _copy_photographs(folder: Path) -> None:
    for number, (name, source) in enumerate(_photograph_files()):
        place = folder / name
        place.mkdir(exist_ok=True)
        shutil.copyfile(source, place / f"{number:05d}.jpg")


def _photograph_files() -> Iterator[tuple[str, Path]]:
    others = ((name, SHARED / _SETS[name]) for name in ("imagenet", "cars"))
    found = ((name, path) for name, top in others for path in sorted(top.rglob("*.[jJ]*")))
    gpr = (("gpr", path) for path in _photographs())
    return ((n, p) for n, p in chain(gpr, found) if p.suffix.lower() in {".jpg", ".jpeg"})


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder ``name``; if it does not exist, make it completely or not at all."""
    folder = WORK / name
    if folder.is_dir():
        return folder
    making = WORK / f"{name}.{os.getpid()}"
    making.mkdir(parents=True)
    make(making)
    try:
        making.rename(folder)
    except OSError:  # another process has made it in the meantime
        shutil.rmtree(making)
    return folder
