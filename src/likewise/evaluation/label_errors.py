"""Likely wrong labels, by the votes of nearest neighbours and by confident learning.

The memory does not depend on the number of classes: of every example only the classes of its
neighbours have a probability.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, Float64Array, Int64Array

NEIGHBOURS = 10
"""Number of neighbours that vote, as in Zhu et al. (2022)."""

TAU = 0.07
"""Temperature of the weights of votes, as in the protocol ``knn``."""

NO_LABEL = -1

_UNITS = 65_536
"""Number of examples whose votes are in memory at once."""


@dataclass(frozen=True)
class LabelledRows:
    """The vectors of a data set, each with the labels of its items.

    Attributes:
        offsets: (n + 1,) vector i has the labels ``codes[offsets[i]:offsets[i + 1]]``.
        codes: (m,) class codes from 0, distinct and ascending for a vector.
        sizes: (classes,) number of distinct contents with each label.
    """

    offsets: Int64Array
    codes: Int64Array
    sizes: Int64Array

    @property
    def rows(self) -> Int64Array:
        """The vector (m,) of every label."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.sizes)


@dataclass(frozen=True)
class LabelDoubts:
    """The doubts about every label of every vector: arrays over ``LabelledRows.codes``.

    Attributes:
        judged: False where no other content has the label, so that nothing can confirm it.
        own: share of the votes for the label; NaN if it is not judged.
        suggested: the class with most votes that the vector does not have; -1 for none.
        quality: 0 to 1: half of 1 + votes for the label - votes for the suggested one.
        outvoted: the suggested class has more votes than the label.
        confident: confident learning places the vector in another class.
    """

    judged: BoolArray
    own: Float64Array
    suggested: Int64Array
    quality: Float64Array
    outvoted: BoolArray
    confident: BoolArray


def label_doubts(
    labelled: LabelledRows, neighbours: Int64Array, scores: Float32Array
) -> LabelDoubts:
    """Judge every label by the labels of the nearest other contents.

    A neighbour votes with the weight ``exp((cosine - largest cosine) / 0.07)``, divided equally
    over its labels. The share of the votes is the probability of a class, and out of sample,
    because a content does not vote for itself. The number of voters is at most twice the number
    of other contents with the label: otherwise a small class could not win.

    Sources: Zhu, Dong, Liu, Detecting Corrupted Labels Without Training a Model to Predict,
    ICML 2022 (arXiv:2110.06283), for votes of neighbours. Northcutt, Jiang, Chuang, Confident
    Learning, JAIR 70, 2021 (arXiv:1911.00068), equations 1 and 2: an example counts as class j
    if its probability of j is at least the mean probability of j over the examples with the
    label j, and is the largest of these.

    Args:
        labelled: the vectors and their labels.
        neighbours: (n, k) nearest vectors of other contents, the nearest first; -1 for none.
            Vectors without a label must not be among them.
        scores: (n, k) their cosines.
    """
    count = len(labelled.codes)
    own, other = np.full(count, np.nan), np.zeros(count)
    suggested = np.full(count, NO_LABEL)
    rows, sizes = labelled.rows, labelled.sizes
    judged = (sizes[labelled.codes] > 1) & (neighbours[rows, :1] >= 0).any(axis=1)
    for votes in _votes(labelled, judged, neighbours, scores):
        own[votes.units] = votes.own
        suggested[votes.units], other[votes.units] = votes.best_other()
    thresholds = _thresholds(labelled, own)
    confident = np.zeros(count, bool)
    for votes in _votes(labelled, judged, neighbours, scores):
        confident[votes.units] = votes.counted_elsewhere(thresholds)
    quality = (1 + own - other) / 2
    return LabelDoubts(judged, own, suggested, quality, judged & (other > own), confident)


@dataclass(frozen=True)
class _Votes:
    """The votes about some labels: one entry for each class with votes.

    ``unit`` (v,) numbers the ``units`` (u,) from 0, ascending; ``code`` (v,) is the class,
    ``share`` (v,) its share, ``accepted`` (v,) True if the vector has this label.
    """

    units: Int64Array
    own: Float64Array
    unit: Int64Array
    code: Int64Array
    share: Float64Array
    accepted: BoolArray

    def best_other(self) -> tuple[Int64Array, Float64Array]:
        """Return the class (u,) with most votes that is not accepted, and its share (u,)."""
        return self._largest(~self.accepted)

    def counted_elsewhere(self, thresholds: Float64Array) -> BoolArray:
        """Return True (u,) where the largest class above its threshold is not accepted."""
        above = self.share >= thresholds[self.code]
        code, share = self._largest(above & ~self.accepted)
        _, accepted = self._largest(above & self.accepted)
        elsewhere: BoolArray = (code != NO_LABEL) & (share > accepted)
        return elsewhere

    def _largest(self, allowed: BoolArray) -> tuple[Int64Array, Float64Array]:
        unit, code, share = self.unit[allowed], self.code[allowed], self.share[allowed]
        order = np.lexsort((code, -share, unit))
        unit, code, share = unit[order], code[order], share[order]
        first = np.flatnonzero(np.diff(unit, prepend=-1))
        codes, shares = np.full(len(self.units), NO_LABEL), np.zeros(len(self.units))
        codes[unit[first]], shares[unit[first]] = code[first], share[first]
        return codes, shares


def _votes(
    labelled: LabelledRows, judged: BoolArray, neighbours: Int64Array, scores: Float32Array
) -> Iterator[_Votes]:
    """Yield the votes about the judged labels, block by block."""
    chosen = np.flatnonzero(judged)
    for start in range(0, len(chosen), _UNITS):
        yield _block(labelled, chosen[start : start + _UNITS], neighbours, scores)


def _block(
    labelled: LabelledRows, units: Int64Array, neighbours: Int64Array, scores: Float32Array
) -> _Votes:
    rows, own_code = labelled.rows[units], labelled.codes[units]
    voters = np.minimum(2 * (labelled.sizes[own_code] - 1), neighbours.shape[1])
    near, cosine = neighbours[rows], scores[rows].astype(np.float64)
    voting = (near >= 0) & (np.arange(near.shape[1]) < voters[:, None])
    weight = np.exp((cosine - cosine[:, :1]) / TAU)
    unit, place = np.nonzero(voting)
    voter, weights = near[unit, place], weight[unit, place]
    counts = np.diff(labelled.offsets)[voter]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    codes = labelled.codes[np.repeat(labelled.offsets[voter], counts) + within]
    keys = np.repeat(unit, counts) * labelled.classes + codes
    keys, inverse = np.unique(keys, return_inverse=True)
    sums = np.bincount(inverse, weights=np.repeat(weights / counts, counts))
    unit, code = keys // labelled.classes, keys % labelled.classes
    total = np.bincount(unit, weights=sums, minlength=len(units))
    share = sums / total[unit]
    pairs = labelled.rows * labelled.classes + labelled.codes
    accepted = np.isin(rows[unit] * labelled.classes + code, pairs)
    own = np.zeros(len(units))
    mine = code == own_code[unit]
    own[unit[mine]] = share[mine]
    return _Votes(units, own, unit, code, share, accepted)


def _thresholds(labelled: LabelledRows, own: Float64Array) -> Float64Array:
    """Return the mean share (classes,) of every class over the labels of that class."""
    known = ~np.isnan(own)
    codes = labelled.codes[known]
    counts = np.bincount(codes, minlength=labelled.classes)
    sums = np.bincount(codes, weights=own[known], minlength=labelled.classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
