"""Find near duplicates among millions of images: perceptual hashes that differ in few bits.

Two hashes of 256 bits that differ in at most 15 bits share at least one of their 16 words of 16
bits. So only images that share a word at the same position are compared, and none is missed.
Source: Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR
2012.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from likewise.errors import extras_named
from likewise.formats.array_types import BoolArray, Int64Array, UInt16Array

if TYPE_CHECKING:
    import polars as pl

MAX_BITS = 15
"""Maximum number of differing bits that a search supports."""

MIN_SET_BITS = 24
"""Number of 1 bits in a hash that is compared.

Pictures with little structure (for example a pale square) have fewer bits of 1, and their
hashes are almost equal. In a sample of 800 photographs, drawings and sketches the smallest
number is 27.
"""

_PLAIN_BITS, _BITS_PER_DIFFERENCE = 12, 6
"""One bit of two hashes may differ for each 6 of their bits of 1 above 12.

The hash with fewer bits of 1 counts. Near copies of pictures with little structure differ in
few bits, and so do different shapes on a plain ground. Of 1,107 copies (at 0.4 of the size, as
JPEG of quality 60 to 90), 1,106 are within this limit; a small square and a small disc are not.
"""

NO_ROW = -1

WORDS = 16
"""Number of words of a hash."""

HashWords: TypeAlias = UInt16Array
_Buckets: TypeAlias = tuple[
    HashWords, Int64Array, HashWords, Int64Array, Int64Array, Int64Array, Int64Array, Int64Array
]
_Kernel: TypeAlias = Callable[[_Buckets, bool, Int64Array, Int64Array], None]

# Number of 1 bits of each 16-bit value.
_BIT_COUNTS = np.array([value.bit_count() for value in range(1 << 8)], np.int64)
_BIT_COUNTS = (_BIT_COUNTS[:, None] + _BIT_COUNTS).ravel()


@dataclass(frozen=True)
class Nearest:
    """Nearest image of each query.

    Attributes:
        rows: (n,) int64 row numbers; -1 if no image is within the maximum distance.
        bits: (n,) int64 Hamming distances.
    """

    rows: Int64Array
    bits: Int64Array


def hash_words(hashes: "pl.Series | Sequence[str]") -> HashWords:
    """Convert hashes of 64 hexadecimal digits to words: (n, 16) uint16."""
    joined = bytes.fromhex("".join(hashes))
    return np.frombuffer(joined, ">u2").reshape(-1, 16).astype(np.uint16)


def has_structure(hashes: "pl.Series | Sequence[str]") -> BoolArray:
    """Return whether each hash has enough structure to be compared, see ``MIN_SET_BITS``."""
    flags: BoolArray = _BIT_COUNTS[hash_words(hashes)].sum(axis=1) >= MIN_SET_BITS
    return flags


SearchHashes: TypeAlias = Callable[["HashSearch"], Nearest]
"""Function that searches distinct hashes."""


@dataclass(frozen=True)
class _SortedHashes:
    """Hashes sorted by one of their words; their row numbers, and those words."""

    hashes: HashWords
    rows: Int64Array
    keys: HashWords


@dataclass(frozen=True)
class HashSearch:
    """A search of the nearest hash of each of some distinct hashes.

    Attributes:
        queries: (q, 16) uint16, distinct.
        base: (n, 16) uint16, distinct.
        max_bits: maximum Hamming distance.
        earlier: only hashes of ``base`` before the row of the query count.
    """

    queries: HashWords
    base: HashWords
    max_bits: int
    earlier: bool

    def by_words(self, words: range) -> Nearest:
        """Find the nearest hash among those that share one of some words with the query."""
        rows = np.full(len(self.queries), NO_ROW, np.int64)
        bits = np.full(len(self.queries), self.max_bits + 1, np.int64)
        limits = _limits(self.queries), _limits(self.base)
        for word in words:
            _search_word(self, word, limits, Nearest(rows, bits))
        return Nearest(rows, bits)


def search_hashes(search: HashSearch) -> Nearest:
    """Find the nearest hash of each query by all words."""
    return search.by_words(range(WORDS))


def nearest_of(results: "Iterable[Nearest]") -> Nearest:
    """Return the nearest of several results for the same queries; the first row of ties.

    Only one of the ``results`` is in memory at a time.
    """
    every = iter(results)
    best = next(every)
    for other in every:
        best = _nearer(best, other)
    return best


def _nearer(one: Nearest, other: Nearest) -> Nearest:
    is_known = other.rows != NO_ROW
    nearer = (other.bits < one.bits) | ((other.bits == one.bits) & (other.rows < one.rows))
    better = is_known & ((one.rows == NO_ROW) | nearer)
    return Nearest(
        np.where(better, other.rows, one.rows), np.where(better, other.bits, one.bits)
    )


def nearest(
    queries: HashWords,
    base: HashWords,
    max_bits: int,
    search: "SearchHashes" = search_hashes,
) -> Nearest:
    """Find the nearest hash of ``base`` for each of ``queries``; the first one of ties.

    Hashes with few bits of 1 are near only if fewer bits differ, see ``_limits``.

    Args:
        queries: (q, 16) uint16.
        base: (n, 16) uint16.
        max_bits: maximum Hamming distance, 0 to ``MAX_BITS``.
        search: searches distinct hashes.
    """
    first_query, query_index = _distinct_hashes(queries)
    first_base, _ = _distinct_hashes(base)
    distinct = search(
        HashSearch(queries[first_query], base[first_base], max_bits, earlier=False)
    )
    return Nearest(
        _to_all_rows(first_base, distinct.rows)[query_index], distinct.bits[query_index]
    )


def nearest_earlier(
    hashes: HashWords, max_bits: int, search: "SearchHashes" = search_hashes
) -> Nearest:
    """Find the nearest earlier hash for each of ``hashes`` (n, 16); the first one of ties."""
    first, index = _distinct_hashes(hashes)
    distinct = search(HashSearch(hashes[first], hashes[first], max_bits, earlier=True))
    rows, bits = _to_all_rows(first, distinct.rows)[index], distinct.bits[index]
    is_repeated = first[index] != np.arange(len(hashes))
    rows[is_repeated], bits[is_repeated] = first[index][is_repeated], 0
    return Nearest(rows, bits)


def _distinct_hashes(hashes: HashWords) -> tuple[Int64Array, Int64Array]:
    """Return the first row of each distinct hash, and the index of each hash among them.

    Thousands of uniform images may share one hash; they are compared once.
    """
    order = np.lexsort(np.ascontiguousarray(hashes).view(np.uint64).T)
    ordered = hashes[order]
    is_first_in_run = np.ones(len(hashes), bool)
    is_first_in_run[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    # A stable sort: the first row of a run is the first that has its hash.
    first_of = np.empty(len(hashes), np.int64)
    first_of[order] = order[is_first_in_run][np.cumsum(is_first_in_run) - 1]
    first = np.flatnonzero(first_of == np.arange(len(hashes)))
    return first, np.searchsorted(first, first_of)


def _to_all_rows(first: Int64Array, distinct_rows: Int64Array) -> Int64Array:
    """Convert indices of distinct hashes to rows of all hashes."""
    rows = np.full(len(distinct_rows), NO_ROW, np.int64)
    rows[distinct_rows != NO_ROW] = first[distinct_rows[distinct_rows != NO_ROW]]
    return rows


def _limits(hashes: HashWords) -> Int64Array:
    """Return the number of bits of each hash that may differ, which counts below 102 of 1."""
    bits_of_1 = _BIT_COUNTS[hashes].sum(axis=1)
    limits: Int64Array = np.maximum(bits_of_1 - _PLAIN_BITS, 0) // _BITS_PER_DIFFERENCE
    return limits


def _search_word(
    search: HashSearch, word: int, limits: tuple[Int64Array, Int64Array], best: Nearest
) -> None:
    """Update ``best`` with nearer hashes that share a word with the query."""
    # Sort both sides by the word, so that compared hashes are contiguous in memory.
    query_side, base_side = (
        _sort_by_word(search.queries, word),
        _sort_by_word(search.base, word),
    )
    begins = np.searchsorted(base_side.keys, query_side.keys, "left")
    ends = np.searchsorted(base_side.keys, query_side.keys, "right")
    buckets = (
        query_side.hashes,
        query_side.rows,
        base_side.hashes,
        base_side.rows,
        begins,
        ends,
        *limits,
    )
    _kernel()(buckets, search.earlier, best.rows, best.bits)


def _sort_by_word(hashes: HashWords, word: int) -> _SortedHashes:
    order = np.argsort(hashes[:, word], kind="stable")
    ordered = hashes[order]
    return _SortedHashes(ordered, order, ordered[:, word])


@cache
def _kernel() -> _Kernel:
    """Compile ``_compare``; importing numba takes half a second, so it is done on first use."""
    with extras_named():
        import numba

    try:
        return cast("_Kernel", numba.njit(nogil=True, cache=True)(_compare))
    except RuntimeError:  # Neither the package folder nor the user's cache is writable.
        return cast("_Kernel", numba.njit(nogil=True)(_compare))


def _compare(  # pragma: no cover (numba)
    buckets: _Buckets,
    earlier: bool,  # noqa: FBT001 (compiled code has no keyword arguments)
    rows: Int64Array,
    bits: Int64Array,
) -> None:
    """Update ``rows`` and ``bits`` with nearer hashes in the buckets of the queries."""
    queries, query_rows, base, base_rows, begins, ends, limits, base_limits = buckets
    for position in range(len(queries)):
        i = query_rows[position]
        for other in range(begins[position], ends[position]):
            j = base_rows[other]
            if earlier and j >= i:
                break
            differ = 0
            for word in range(queries.shape[1]):
                differ += _BIT_COUNTS[queries[position, word] ^ base[other, word]]
                if differ > bits[i]:
                    break
            if differ > min(limits[i], base_limits[j]):
                continue
            if differ < bits[i] or (differ == bits[i] and rows[i] > j):
                bits[i], rows[i] = differ, j
