"""The training and validation files of the CompCars image-retrieval system."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from likewise.errors import DataError
from likewise.exports.export_files import put_json
from likewise.formats.array_types import BoolArray, Int64Array
from likewise.formats.array_writer import npy
from likewise.registry import Part


class Pairs(Part):
    """What its ``make_train_valid`` writes, of the rows of one list.

    Of a class with n images the first n // ratio are held out. Written are

    - ``train.npy`` int64 (P, 2 + negatives): of each pair of a class's other images the first,
      the second, and images of other classes that are not held out, all different;
    - ``train_class.npy`` int64 (M, 2): those images and their classes, shuffled;
    - ``valid.npy`` int64 (2 V, 3): each held-out image with another of its class and 1, then
      with one of another class and 0; of classes of at least ``min_images`` only;
    - ``valid_for_test.npy`` int64 (V, 2): the held-out images of those classes, and the class;
    - ``model_num.json``: class -> all its rows; ``cutted_class.json``: the smaller classes.

    The original draws from Python's ``random`` in the order of sets, which no text fixes;
    numbers of rows and the rules are its own, the draws are not.
    """

    ratio: int = 7
    negatives: int = 4
    min_images: int = 58
    skip: int = 1
    """From one partner of an image to the next."""
    seed: int = 7
    original_bugs: bool = False
    """Never draw the last image."""

    def write(self, classes: list[int], folder: Path) -> None:
        """Write all files for rows of these ``classes`` into ``folder``.

        Raises:
            DataError: there are too few images to draw negatives from.
        """
        members: dict[int, list[int]] = {}
        for row, number in enumerate(classes):
            members.setdefault(number, []).append(row)
        held = {c: rows[: len(rows) // self.ratio] for c, rows in members.items()}
        taught = {c: rows[len(rows) // self.ratio :] for c, rows in members.items()}
        large = [c for c, rows in members.items() if len(rows) >= self.min_images]
        chance = random.Random(self.seed)  # noqa: S311 (repeatable is what is wanted)
        with npy(folder / "train.npy", (2 + self.negatives,), np.int64) as out:
            for part in self._train(taught, len(classes)):
                out.append(part)
        every = [(row, c) for c, rows in taught.items() for row in rows]
        chance.shuffle(every)
        _save(folder / "train_class.npy", every, 2)
        _save(folder / "valid.npy", list(_valid(large, held, taught, chance)), 3)
        known = [(row, c) for c in large for row in held[c]]
        _save(folder / "valid_for_test.npy", known, 2)
        put_json(folder / "model_num.json", {str(c): rows for c, rows in members.items()})
        put_json(folder / "cutted_class.json", [c for c in members if c not in set(large)])

    def _train(self, taught: dict[int, list[int]], rows: int) -> Iterator[Int64Array]:
        """The pairs of one class after the other, with their negatives."""
        chance = np.random.default_rng(self.seed)
        last = rows - 1 if self.original_bugs else -1
        pool = np.array(sorted(r for group in taught.values() for r in group if r != last))
        for number, group in taught.items():
            pairs = _pairs(np.array(group, np.int64), self.skip)
            if not len(pairs):
                continue
            others = pool[~np.isin(pool, group)]
            if len(others) < self.negatives:
                raise DataError(
                    f"class {number} has {len(others):,} images of other classes beside it, "
                    f"and a pair needs {self.negatives}; say training=false, or fewer negatives"
                )
            drawn = _distinct(chance, len(others), (len(pairs), self.negatives))
            yield np.hstack([pairs, others[drawn]])


def _pairs(group: Int64Array, skip: int) -> Int64Array:
    """Each image with those after it: (pairs, 2)."""
    count = len(group)
    found = [
        np.stack([np.full(len(later), group[at]), later], axis=1)
        for at in range(count - 1)
        for later in (group[at + 1 :: skip],)
    ]
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def _distinct(chance: np.random.Generator, below: int, shape: tuple[int, int]) -> Int64Array:
    """Whole numbers below a bound, no two in a row the same."""
    drawn = chance.integers(below, size=shape)
    while len(twins := np.flatnonzero(_has_twins(drawn))):
        drawn[twins] = chance.integers(below, size=(len(twins), shape[1]))
        if below < 4 * shape[1]:  # so few that drawing again would take long
            drawn[twins] = chance.permuted(np.tile(np.arange(below), (len(twins), 1)), axis=1)[
                :, : shape[1]
            ]
    return drawn


def _has_twins(rows: Int64Array) -> BoolArray:
    ordered = np.sort(rows, axis=1)
    twins: BoolArray = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    return twins


def _valid(
    large: list[int],
    held: dict[int, list[int]],
    taught: dict[int, list[int]],
    chance: random.Random,
) -> Iterator[tuple[int, int, int]]:
    class_of = {row: c for c, rows in taught.items() for row in rows}
    every = list(class_of)
    for number in large:
        alone = len(taught[number]) == len(every)
        partners = chance.sample(taught[number], len(held[number]))
        for image, same in zip(held[number], partners, strict=True):
            yield image, same, 1
            if alone:
                continue
            other = chance.choice(every)
            while class_of[other] == number:
                other = chance.choice(every)
            yield image, other, 0


def _save(path: Path, rows: Sequence[tuple[int, ...]], width: int) -> None:
    np.save(path, np.array(rows, np.int64).reshape(-1, width))
