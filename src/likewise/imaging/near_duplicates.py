"""Find pictures that are nearly the same among millions: hashes that differ in few bits.

Two hashes of 256 bits that differ in at most 15 have at least one of their 16 words of 16 bits
in common. So only pictures that share a word, in its place, are ever compared, and none is
missed. Source: Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with Multi-Index
Hashing", CVPR 2012.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from likewise.formats.array_types import Int64Array, UInt16Array

if TYPE_CHECKING:
    import polars as pl

MOST = 15
"""The greatest number of differing bits that a search can be asked for."""

NONE = -1

Words: TypeAlias = UInt16Array
_Buckets: TypeAlias = tuple[Words, Int64Array, Words, Int64Array, Int64Array, Int64Array]
_Kernel: TypeAlias = Callable[[_Buckets, bool, Int64Array, Int64Array], None]

# How many bits of each value of a word are 1.
_ONES = np.array([value.bit_count() for value in range(1 << 8)], np.int64)
_ONES = (_ONES[:, None] + _ONES).ravel()


@dataclass(frozen=True)
class Nearest:
    """The nearest picture of each.

    Attributes:
        rows: (n,) where it stands; -1 where none is near enough.
        bits: (n,) in how many bits the two hashes differ.
    """

    rows: Int64Array
    bits: Int64Array


def words(hashes: "pl.Series | Sequence[str]") -> Words:
    """(n, 16) the hashes that are given as 64 hexadecimal digits each."""
    joined = bytes.fromhex("".join(hashes))
    return np.frombuffer(joined, ">u2").reshape(-1, 16).astype(np.uint16)


@dataclass(frozen=True)
class _Sorted:
    """Hashes in the order of one of their words, the rows they stand in, and those words."""

    hashes: Words
    rows: Int64Array
    keys: Words


def nearest(queries: Words, base: Words, most: int) -> Nearest:
    """For each of ``queries`` (q, 16) the nearest of ``base`` (n, 16), the first of equals.

    Args:
        queries: the hashes to look for.
        base: the hashes to look among.
        most: so many bits may differ, 0 to ``MOST``.
    """
    first_query, query_of = _distinct(queries)
    first_base, _ = _distinct(base)
    found = _search(queries[first_query], base[first_base], most, earlier=False)
    return Nearest(_among(first_base, found.rows)[query_of], found.bits[query_of])


def nearest_earlier(hashes: Words, most: int) -> Nearest:
    """For every one of ``hashes`` (n, 16) the nearest before it, the first of equals."""
    first, of = _distinct(hashes)
    found = _search(hashes[first], hashes[first], most, earlier=True)
    rows, bits = _among(first, found.rows)[of], found.bits[of]
    again = first[of] != np.arange(len(hashes))
    rows[again], bits[again] = first[of][again], 0
    return Nearest(rows, bits)


def _distinct(hashes: Words) -> tuple[Int64Array, Int64Array]:
    """Where each distinct hash stands first, in that order, and which of them each one is.

    Flat pictures may share one hash by the thousand: they are compared once.
    """
    order = np.lexsort(np.ascontiguousarray(hashes).view(np.uint64).T)
    ordered = hashes[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    # A stable sort: the first row of a run is the first that has its hash.
    first_of = np.empty(len(hashes), np.int64)
    first_of[order] = order[new][np.cumsum(new) - 1]
    first = np.flatnonzero(first_of == np.arange(len(hashes)))
    return first, np.searchsorted(first, first_of)


def _among(first: Int64Array, found: Int64Array) -> Int64Array:
    """Where what was ``found`` among the distinct hashes stands among all."""
    rows = np.full(len(found), NONE, np.int64)
    rows[found != NONE] = first[found[found != NONE]]
    return rows


def _search(queries: Words, base: Words, most: int, *, earlier: bool) -> Nearest:
    rows = np.full(len(queries), NONE, np.int64)
    bits = np.full(len(queries), most + 1, np.int64)
    for place in range(queries.shape[1]):
        # Both sorted by the word, so that what is compared lies side by side in memory.
        asked, there = _by_word(queries, place), _by_word(base, place)
        begins = np.searchsorted(there.keys, asked.keys, "left")
        ends = np.searchsorted(there.keys, asked.keys, "right")
        buckets = asked.hashes, asked.rows, there.hashes, there.rows, begins, ends
        _kernel()(buckets, earlier, rows, bits)
    return Nearest(rows, bits)


def _by_word(hashes: Words, place: int) -> "_Sorted":
    order = np.argsort(hashes[:, place], kind="stable")
    there = hashes[order]
    return _Sorted(there, order, there[:, place])


@cache
def _kernel() -> _Kernel:
    """``_compare`` as machine code; numba takes half a second to import, so not before."""
    import numba

    try:
        return cast("_Kernel", numba.njit(nogil=True, cache=True)(_compare))
    except RuntimeError:  # Neither beside this file nor in the user's folder can it be cached.
        return cast("_Kernel", numba.njit(nogil=True)(_compare))


def _compare(
    buckets: _Buckets,
    earlier: bool,  # noqa: FBT001 (machine code knows no keywords)
    rows: Int64Array,
    bits: Int64Array,
) -> None:
    """Put into ``rows`` and ``bits`` what of a query's bucket is nearer than what is there."""
    queries, query_rows, base, base_rows, begins, ends = buckets
    for at in range(len(queries)):
        i = query_rows[at]
        for other in range(begins[at], ends[at]):
            j = base_rows[other]
            if earlier and j >= i:
                break
            differ = 0
            for word in range(queries.shape[1]):
                differ += _ONES[queries[at, word] ^ base[other, word]]
                if differ > bits[i]:
                    break
            if differ < bits[i] or (differ == bits[i] and rows[i] > j):
                bits[i], rows[i] = differ, j
