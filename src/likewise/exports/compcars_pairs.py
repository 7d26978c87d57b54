"""Training and validation files of the CompCars image-retrieval system."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from likewise.errors import DataError
from likewise.exports.export_files import put_json
from likewise.formats.array_types import BoolArray, Int64Array
from likewise.formats.array_writer import open_npy
from likewise.formats.counted_nouns import counted
from likewise.registry import Part


class CompCarsPairs(Part):
    """Output of the system's ``make_train_valid``, computed from the rows of one list.

    For each class with n images, the first n // ratio are held out. Files:

    - ``train.npy`` int64 (P, 2 + negatives): the two images of each pair of a class's other
      images, then distinct images of other classes that are not held out;
    - ``train_class.npy`` int64 (M, 2): these images and their classes, shuffled;
    - ``valid.npy`` int64 (2 V, 3): each held-out image with another image of its class and 1,
      then with an image of another class and 0; only classes with at least ``min_images``;
    - ``valid_for_test.npy`` int64 (V, 2): held-out images of those classes, and their class;
    - ``model_num.json``: class -> all its rows; ``cutted_class.json``: the smaller classes.

    The original draws with Python's ``random`` in the order of sets, which is not reproducible;
    the rules and numbers of rows agree with it, the draws do not.
    """

    ratio: int = 7
    negatives: int = 4
    min_images: int = 58
    skip: int = 1
    """Step between the partners of an image."""
    seed: int = 7
    original_bugs: bool = False
    """Never draw the last image as a negative."""

    def write(self, classes: list[int], folder: Path) -> None:
        """Write all files to ``folder``; ``classes`` is the class of each row.

        Raises:
            DataError: there are too few images to draw negatives from.
        """
        members: dict[int, list[int]] = {}
        for row, number in enumerate(classes):
            members.setdefault(number, []).append(row)
        held_out = {c: rows[: len(rows) // self.ratio] for c, rows in members.items()}
        training = {c: rows[len(rows) // self.ratio :] for c, rows in members.items()}
        large = [c for c, rows in members.items() if len(rows) >= self.min_images]
        rng = random.Random(self.seed)  # noqa: S311 (it must be reproducible)
        with open_npy(folder / "train.npy", (2 + self.negatives,), np.int64) as out:
            for part in self._train(training, len(classes)):
                out.append(part)
        shuffled = [(row, c) for c, rows in training.items() for row in rows]
        rng.shuffle(shuffled)
        _save(folder / "train_class.npy", shuffled, 2)
        _save(folder / "valid.npy", list(_validation_rows(large, held_out, training, rng)), 3)
        test_rows = [(row, c) for c in large for row in held_out[c]]
        _save(folder / "valid_for_test.npy", test_rows, 2)
        put_json(folder / "model_num.json", {str(c): rows for c, rows in members.items()})
        put_json(folder / "cutted_class.json", [c for c in members if c not in set(large)])

    def _train(self, training: dict[int, list[int]], rows: int) -> Iterator[Int64Array]:
        """Yield the pairs of each class with their negatives: (pairs, 2 + negatives)."""
        rng = np.random.default_rng(self.seed)
        last = rows - 1 if self.original_bugs else -1
        pool = np.array(sorted(r for group in training.values() for r in group if r != last))
        for number, group in training.items():
            pairs = _pairs(np.array(group, np.int64), self.skip)
            if not len(pairs):
                continue
            others = pool[~np.isin(pool, group)]
            if len(others) < self.negatives:
                raise DataError(
                    f"class {number}: only {counted(len(others), 'image')} of other classes, "
                    f"but a pair needs {self.negatives}; set training=false, or fewer "
                    "negatives"
                )
            drawn = _draw_distinct(rng, len(others), (len(pairs), self.negatives))
            yield np.hstack([pairs, others[drawn]])


def _pairs(group: Int64Array, skip: int) -> Int64Array:
    """Return each image with its partners after it: (pairs, 2)."""
    count = len(group)
    pairs = [
        np.stack([np.full(len(partners), group[at]), partners], axis=1)
        for at in range(count - 1)
        for partners in (group[at + 1 :: skip],)
    ]
    return np.concatenate(pairs) if pairs else np.empty((0, 2), np.int64)


def _draw_distinct(rng: np.random.Generator, below: int, shape: tuple[int, int]) -> Int64Array:
    """Draw integers in [0, below); the values of each row are distinct."""
    drawn = rng.integers(below, size=shape)
    while len(repeats := np.flatnonzero(_has_repeats(drawn))):
        drawn[repeats] = rng.integers(below, size=(len(repeats), shape[1]))
        if below < 4 * shape[1]:  # redrawing until distinct would take long
            drawn[repeats] = rng.permuted(np.tile(np.arange(below), (len(repeats), 1)), axis=1)[
                :, : shape[1]
            ]
    return drawn


def _has_repeats(rows: Int64Array) -> BoolArray:
    ordered = np.sort(rows, axis=1)
    repeats: BoolArray = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    return repeats


def _validation_rows(
    large: list[int],
    held_out: dict[int, list[int]],
    training: dict[int, list[int]],
    rng: random.Random,
) -> Iterator[tuple[int, int, int]]:
    class_of = {row: c for c, rows in training.items() for row in rows}
    training_rows = list(class_of)
    for number in large:
        only_class = len(training[number]) == len(training_rows)
        partners = rng.sample(training[number], len(held_out[number]))
        for image, same in zip(held_out[number], partners, strict=True):
            yield image, same, 1
            if only_class:
                continue
            other = rng.choice(training_rows)
            while class_of[other] == number:
                other = rng.choice(training_rows)
            yield image, other, 0


def _save(path: Path, rows: Sequence[tuple[int, ...]], width: int) -> None:
    np.save(path, np.array(rows, np.int64).reshape(-1, width))
