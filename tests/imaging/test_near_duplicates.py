import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.imaging.near_duplicates import (
    MAX_BITS,
    NO_ROW,
    HashWords,
    hash_words,
    nearest,
    nearest_earlier,
)


def bits(one: HashWords, other: HashWords) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def brute(
    queries: HashWords, base: HashWords, most: int, *, earlier: bool
) -> list[tuple[int, int]]:
    """Find the nearest of each by comparing all pairs."""
    found = []
    for i, query in enumerate(queries):
        upto = base[:i] if earlier else base
        ranked = sorted((bits(query, other), j) for j, other in enumerate(upto))
        near = [(distance, j) for distance, j in ranked if distance <= most]
        found.append((near[0][1], near[0][0]) if near else (NO_ROW, most + 1))
    return found


def clustered(seed: int, count: int) -> HashWords:
    """Draw hashes; many differ from another one in 0 to 20 bits."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 1 << 16, (max(count // 6, 1), 16), dtype=np.uint16)
    chosen = centres[rng.integers(0, len(centres), count)]
    flips = np.zeros((count, 256), np.uint8)
    for row in range(count):
        flips[row, rng.choice(256, rng.integers(0, 11), replace=False)] = 1
    return chosen ^ np.packbits(flips, axis=1).view(">u2").astype(np.uint16)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(0, MAX_BITS))
def test_nothing_is_missed_and_nothing_is_too_far(seed: int, count: int, most: int) -> None:
    hashes = clustered(seed, count)
    found = nearest_earlier(hashes, most)
    assert list(zip(found.rows, found.bits, strict=True)) == brute(
        hashes, hashes, most, earlier=True
    )
    queries, base = hashes[: count // 2], hashes[count // 2 :]
    found = nearest(queries, base, most)
    assert list(zip(found.rows, found.bits, strict=True)) == brute(
        queries, base, most, earlier=False
    )


def test_words_are_read_from_their_digits() -> None:
    text = "0001ff00" + "0" * 55 + "f"
    assert hash_words([text]).tolist() == [[1, 0xFF00, *[0] * 13, 15]]
    assert hash_words([]).shape == (0, 16)


def test_a_hash_that_many_share_is_compared_once() -> None:
    hashes = np.zeros((200_000, 16), np.uint16)  # all pairs of them would take minutes
    found = nearest_earlier(hashes, MAX_BITS)
    assert found.rows[0] == NO_ROW
    assert (found.rows[1:] == 0).all()
    assert (found.bits[1:] == 0).all()


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (0, 0)])
def test_nothing_is_near_where_there_is_nothing(sizes: tuple[int, int]) -> None:
    queries, base = (np.zeros((n, 16), np.uint16) for n in sizes)
    assert (nearest(queries, base, 5).rows == NO_ROW).all()
