"""Make the data sets of ``trained.py`` from real images.

No test image is in a data set for training without labels, in any size. The folder val of
imagenet_like and the folder sv_data of compcars_like are left out, because their photographs
come from the same test split.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data import SAMPLES, SHARED

IMAGES = {".jpg", ".jpeg", ".png"}
PHOTOGRAPHS = 80
"""Last category of gpr_like that contains photographs; later categories are handwritten."""

_TEST = {"val", "sv_data", "testA", "testB"}
_Source = tuple[dict[str, Any], Path]


def add(name: str, root: Path, *, small: bool) -> dict[str, str]:
    """Write the card of the data set ``name`` in the catalogue ``root``; return its entry."""
    source, path = _small(name, root) if small else _full(name, root)
    (root / "catalog").mkdir(exist_ok=True)
    card = [
        f"title: {name}",
        "source:",
        *(f"  {key}: {said!r}" for key, said in source.items()),
    ]
    (root / "catalog" / f"{name}.yaml").write_text("\n".join(card) + "\n", encoding="utf-8")
    return {"path": str(path), "annotations": str(path)}


def _full(name: str, root: Path) -> _Source:
    if name == "drawings":
        return _drawings(root / name)
    if name == "clothes":
        return {"kind": "sketch"}, SHARED / "pairs_clothes_like"
    if name == "photos":
        return {"kind": "imagenet"}, SHARED / "imagenet_like"
    if name == "groceries":
        photographs = sorted((SHARED / "gpr_like" / "images").glob("*.jpg"))
        return _halves(root / name, [p for p in photographs if _category(p) <= PHOTOGRAPHS])
    chosen = _pictures() if name == "pictures" else _photographs()
    return _folder(root / name, ((path, path.relative_to(SHARED)) for path in chosen))


def _small(name: str, root: Path) -> _Source:
    """Add the shipped samples, read in place."""
    samples = SAMPLES.parent
    if name == "drawings":
        return _drawings(root / name)
    if name == "clothes":
        return {"kind": "sketch"}, samples / "sketches"
    if name == "groceries":
        return _drawings(root / name)
    if name == "photos":
        return {"kind": "folder"}, samples / "food"
    return {"kind": "folder", "splits": "no"}, samples / "food" / "train"


def _drawings(folder: Path) -> _Source:
    """Split the shipped drawings: 36 classes of 10 for training, 36 others for testing."""
    return _halves(folder, sorted((SAMPLES / "images").glob("*.jpg")))


def _halves(folder: Path, paths: list[Path]) -> _Source:
    """Make a data set with every second class for training, the others for testing."""
    classes = sorted({_category(path) for path in paths})
    learned = set(classes[::2])

    def place(path: Path) -> Path:
        category = _category(path)
        return Path("train" if category in learned else "test", f"{category:04}", path.name)

    source, made = _folder(folder, ((path, place(path)) for path in paths))
    return {**source, "splits": "yes"}, made


def _folder(folder: Path, named: Iterator[tuple[Path, Path]]) -> _Source:
    for path, name in named:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    return {"kind": "folder", "splits": "no"}, folder


def _category(path: Path) -> int:
    return int(path.name.partition("_")[0])


def _pictures() -> Iterator[Path]:
    """Yield all shared images except test images."""
    for path in sorted(SHARED.rglob("*")):
        within = path.relative_to(SHARED).parts
        if path.suffix.lower() in IMAGES and not set(within) & _TEST:
            yield path


def _photographs() -> Iterator[Path]:
    """Yield photographs of groceries, which are in three of the shared data sets."""
    for path in _pictures():
        place = path.relative_to(SHARED).parts[0]
        if place in ("imagenet_like", "compcars_like") or (
            place == "gpr_like" and _category(path) <= PHOTOGRAPHS
        ):
            yield path
