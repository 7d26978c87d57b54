"""How fast pixels leave the catalogue, beside the programs whose files they become.

    python benchmarks/exports.py [--small]

``likewise export`` is the whole command. Peers: the ImageNet subset program's algorithm in one
process (Pillow in a loop, whole arrays, ``numpy.savez``), on photographs of ImageNet's usual
500 x 375 pixels; the CompCars system's ``image_matrix`` in one process (a list of arrays, one
large array, a copy to save; OpenCV where it is installed, as there, else Pillow), on 900 x 600.
"""

import importlib.util
import sys
from pathlib import Path

import data
import numpy as np
from measure import LIKEWISE, Table, medians, parser, run, together

IMAGENET, CARS = (500, 375), (900, 600)
NPZ_FASTER, NPZ_MB = 1.8, 600
MATRIX_FASTER, MATRIX_MB = 5, 500

PEER_NPZ = """
import sys
from pathlib import Path
import numpy as np
from PIL import Image

def pixels(path):
    picture = Image.open(path).convert("RGB")
    w, h = picture.size
    size = (256, int(256 * h / w)) if w <= h else (int(256 * w / h), 256)
    picture = picture.resize(size, Image.BILINEAR)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    return np.array(picture.crop((left, top, left + 224, top + 224)))

paths = sorted(Path(sys.argv[1]).rglob("*.jpg"))
labels = {name: n for n, name in enumerate(sorted({p.parent.name for p in paths}))}
x = np.zeros((len(paths), 224, 224, 3), np.uint8)
y, ids = np.zeros(len(paths), np.int32), np.zeros(len(paths), np.int32)
for row, path in enumerate(paths):
    x[row], y[row], ids[row] = pixels(path), labels[path.parent.name], row + 1
val = {"X_val": x[:0], "y_val": y[:0], "val_id": y[:0]}
np.savez(sys.argv[2], X_train=x, y_train=y, train_id=ids, **val)
"""

PEER_MATRIX = """
import sys
from pathlib import Path
import numpy as np

SIDE = 224
try:
    import cv2

    def read(path):
        return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)

    def resized(picture, size):
        return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)

    def blurred(strip):
        return cv2.GaussianBlur(strip, (7, 7), 1000)
except ImportError:
    from PIL import Image, ImageFilter

    def read(path):
        return np.array(Image.open(path).convert("RGB"))

    def resized(picture, size):
        h, w = picture.shape[:2]
        scales = (w / size[0], 0, 0, 0, h / size[1], 0)
        found = Image.fromarray(picture).transform(size, Image.AFFINE, scales, Image.BILINEAR)
        return np.array(found)

    def blurred(strip):
        around = np.pad(strip, ((3, 3), (3, 3), (0, 0)), mode="reflect")
        return np.array(Image.fromarray(around).filter(ImageFilter.BoxBlur(3)))[3:-3, 3:-3]

def letterbox(picture):
    h, w = picture.shape[:2]
    size = round(w * SIDE / max(h, w)), round(h * SIDE / max(h, w))
    inside = resized(picture, size)
    upright = size[0] < size[1]
    if upright:
        inside = inside.transpose(1, 0, 2)
    short = len(inside)
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    if short + 1 >= SIDE:
        square[:short] = inside
    else:
        bar = (SIDE - short) // 2
        start = SIDE - bar - short
        square[start:start + short] = inside
        square[:bar] = blurred(np.ascontiguousarray(inside[:bar]))
        square[SIDE - bar:] = blurred(np.ascontiguousarray(inside[short - bar:]))
    return square.transpose(1, 0, 2) if upright else square

paths = sorted(Path(sys.argv[1]).rglob("*.jpg"))
matrix = np.array([letterbox(read(path)) for path in paths])
np.save(sys.argv[2], matrix.transpose(0, 3, 1, 2).copy())
"""


class Bench:
    """One tree of photographs, exported by one format and by its peer."""

    def __init__(self, tree: Path, work: Path, ours: tuple[str, str], peer: str) -> None:
        """Take the tree in; ``ours`` is the format and the file that it writes."""
        self.files = data.files_in(tree)
        self._tree, self._work, self._peer = tree, work, peer
        self._format, self._file = ours
        self._catalogue = work / "catalogue"
        data.catalogue(self._catalogue, "files", "folder", tree, "{}\n")
        run(LIKEWISE, "ingest", "files", cwd=self._catalogue)
        run(LIKEWISE, "publish", "files", cwd=self._catalogue)
        self._ours = self._theirs = work

    def rounds(self, number: int) -> tuple[float, float]:
        """The median seconds of ours and of the peer."""
        found = medians({self._format: self._export, "peer": self._one_process}, number)
        return found[self._format], found["peer"]

    def memory(self) -> tuple[float, float]:
        """The peak MB of ours, and of the peer."""
        place = data.new_folder(self._work) / "out"
        ours, _ = together(*self._command(place), cwd=self._catalogue)
        saved = data.new_folder(self._work) / self._file
        return ours, run(sys.executable, "-c", self._peer, self._tree, saved).rss_mb

    def same_arrays(self) -> bool:
        """Whether both wrote the same arrays into their .npz."""
        with np.load(self._ours / self._file) as ours, np.load(self._theirs) as peer:
            return all(np.array_equal(ours[name], peer[name]) for name in peer.files)

    def same_shape(self) -> bool:
        """Whether both wrote a matrix of the same shape."""
        ours, peer = (
            np.load(p, mmap_mode="r") for p in (self._ours / self._file, self._theirs)
        )
        return bool(ours.shape == peer.shape)

    def _command(self, place: Path) -> list[object]:
        options = ["-o", "training=false"] if self._format == "image-matrix" else []
        return [LIKEWISE, "export", "files", self._format, "--to", place, *options]

    def _export(self) -> float:
        self._ours = data.new_folder(self._work) / "out"
        return run(*self._command(self._ours), cwd=self._catalogue).seconds

    def _one_process(self) -> float:
        self._theirs = data.new_folder(self._work) / self._file
        return run(sys.executable, "-c", self._peer, self._tree, self._theirs).seconds


def main() -> None:
    """Measure both formats."""
    small = parser(__doc__).parse_args().small
    rounds = 1 if small else 3
    table = Table(f"Exports, medians of {rounds} rounds", small=small)
    library = "OpenCV" if importlib.util.find_spec("cv2") else "Pillow"
    with data.work() as work:
        tree = data.enlarged(40 if small else 8000, IMAGENET)
        npz = Bench(tree, data.new_folder(work), ("imagenet-npz", "files_cls.npz"), PEER_NPZ)
        what = f"imagenet-npz of {npz.files:,} photographs, beside one process"
        table.faster(what, *npz.rounds(rounds), NPZ_FASTER)
        table.holds("the same arrays", "all six", "bit for bit", met=npz.same_arrays())
        ours_mb, peer_mb = npz.memory()
        table.below("its peak memory", ours_mb, NPZ_MB, "MB", peer_mb)
        tree = data.enlarged(40 if small else 4000, CARS)
        ours = ("image-matrix", "indexinfo.npy")
        cars = Bench(tree, data.new_folder(work), ours, PEER_MATRIX)
        what = f"image-matrix of {cars.files:,} photographs, beside one process, {library}"
        table.faster(what, *cars.rounds(rounds), MATRIX_FASTER)
        table.holds(
            "as many rows", "N x 3 x 224 x 224", "the same shape", met=cars.same_shape()
        )
        ours_mb, peer_mb = cars.memory()
        table.below("its peak memory", ours_mb, MATRIX_MB, "MB", peer_mb)
    table.print()


if __name__ == "__main__":
    main()
