"""Measure the speed of exports, compared with the programs whose file formats they write.

    python benchmarks/exports.py [--small]

``likewise export`` is run as a whole command. The peers run in one process. For imagenet-npz,
the peer is the algorithm of the ImageNet subset program (Pillow in a loop, whole arrays,
``numpy.savez``) on photographs of 500 x 375 pixels, the usual size in ImageNet. For
image-matrix, it is ``image_matrix`` of the CompCars system (a list of arrays, one large array,
a copy to save) on photographs of 900 x 600 pixels. It uses OpenCV as the original does, or
Pillow if OpenCV is not installed.
"""

import importlib.util
import sys
from pathlib import Path
from statistics import median

import data
import numpy as np
from measure import LIKEWISE, Cost, Table, parser, run

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
    """Export one tree of photographs by one format and by its peer."""

    def __init__(self, tree: Path, work: Path, ours: tuple[str, str], peer: str) -> None:
        """Ingest the tree; ``ours`` is the format and the file that it writes."""
        self.files = data.files_in(tree)
        self._tree, self._work, self._peer = tree, work, peer
        self._format, self._file = ours
        self._catalogue = work / "catalogue"
        data.catalogue(self._catalogue, "files", "folder", tree, "{}\n")
        run(LIKEWISE, "ingest", "files", cwd=self._catalogue)
        run(LIKEWISE, "publish", "files", cwd=self._catalogue)
        self._ours = self._theirs = work

    def rounds(self, number: int) -> list[tuple[Cost, Cost]]:
        """Measure both in turn, in every round."""
        found = []
        for turn in range(1, number + 1):
            found.append((self._export(), self._one_process()))
            ours, peer = (f"{cost.seconds:.2f} s" for cost in found[-1])
            said = f"  round {turn} of {number}: {self._format}: {ours}, peer: {peer}"
            print(said, file=sys.stderr, flush=True)
        return found

    def same_arrays(self) -> bool:
        """Return True if both wrote the same arrays into their .npz files."""
        with np.load(self._ours / self._file) as ours, np.load(self._theirs) as peer:
            return all(np.array_equal(ours[name], peer[name]) for name in peer.files)

    def same_shape(self) -> bool:
        """Return True if both wrote a matrix of the same shape."""
        ours, peer = (
            np.load(p, mmap_mode="r") for p in (self._ours / self._file, self._theirs)
        )
        return bool(ours.shape == peer.shape)

    def _export(self) -> Cost:
        self._ours = data.new_folder(self._work) / "out"
        options = ["-o", "training=false"] if self._format == "image-matrix" else []
        command = [LIKEWISE, "export", "files", self._format, "--to", self._ours, *options]
        return run(*command, cwd=self._catalogue)

    def _one_process(self) -> Cost:
        self._theirs = data.new_folder(self._work) / self._file
        return run(sys.executable, "-c", self._peer, self._tree, self._theirs)


def compare(table: Table, what: str, bench: Bench, number: int, least: float, mb: int) -> None:
    """Add the rows of a format: the speed-up, and the peak memory of its largest process."""
    opencv = what == "image-matrix" and importlib.util.find_spec("cv2")
    library = "OpenCV" if opencv else "Pillow"
    ours, peers = zip(*bench.rounds(number), strict=True)
    table.faster(
        f"{what} of {bench.files:,} photographs; peer: one process, {library}",
        median(cost.seconds for cost in ours),
        median(cost.seconds for cost in peers),
        least,
        median(peer.seconds / our.seconds for our, peer in zip(ours, peers, strict=True)),
    )
    mine, theirs = (max(cost.rss_mb for cost in costs) for costs in (ours, peers))
    table.below(f"{what}: its peak memory", mine, mb, "MB", theirs)


def main() -> None:
    """Measure both formats."""
    small = parser(__doc__).parse_args().small
    rounds = 1 if small else 3
    table = Table(f"Exports, medians of {rounds} rounds", small=small)
    with data.work() as work:
        tree = data.enlarged(40 if small else 4000, CARS)
        ours = ("image-matrix", "indexinfo.npy")
        cars = Bench(tree, data.new_folder(work), ours, PEER_MATRIX)
        compare(table, "image-matrix", cars, rounds, MATRIX_FASTER, MATRIX_MB)
        table.holds(
            "as many rows", "N x 3 x 224 x 224", "the same shape", met=cars.same_shape()
        )
        tree = data.enlarged(40 if small else 5000, IMAGENET)
        npz = Bench(tree, data.new_folder(work), ("imagenet-npz", "files_cls.npz"), PEER_NPZ)
        compare(table, "imagenet-npz", npz, rounds, NPZ_FASTER, NPZ_MB)
        table.holds("the same arrays", "all six", "bit for bit", met=npz.same_arrays())
    table.print()


if __name__ == "__main__":
    main()
