import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from likewise.imaging.near_duplicates import (
    MAX_BITS,
    NO_ROW,
    WORDS,
    HashSearch,
    HashWords,
    has_structure,
    hash_words,
    nearest,
    nearest_earlier,
    nearest_of,
    search_hashes,
)
from likewise.imaging.pixel_statistics import perceptual_hash


def bits(one: HashWords, other: HashWords) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def limit(one: HashWords) -> int:
    return max(int(np.bitwise_count(one).sum()) - 12, 0) // 6


def brute(
    queries: HashWords, base: HashWords, most: int, *, earlier: bool
) -> list[tuple[int, int]]:
    """Find the nearest of each by comparing all pairs."""
    found = []
    for i, query in enumerate(queries):
        upto = base[:i] if earlier else base
        ranked = sorted((bits(query, other), j) for j, other in enumerate(upto))
        near = [(d, j) for d, j in ranked if d <= min(most, limit(query), limit(base[j]))]
        found.append((near[0][1], near[0][0]) if near else (NO_ROW, most + 1))
    return found


def sparse(seed: int, count: int) -> HashWords:
    """Draw hashes with 0 to 80 bits of 1; many differ from another one in 0 to 20 bits."""
    rng = np.random.default_rng(seed)
    masks = np.packbits(rng.random((count, 256)) < rng.random((count, 1)) / 3, axis=1)
    return clustered(seed, count) & masks.view(">u2").astype(np.uint16)


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
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(0, MAX_BITS), st.booleans())
def test_nothing_is_missed_and_nothing_is_too_far(
    seed: int, count: int, most: int, few: bool
) -> None:
    hashes = sparse(seed, count) if few else clustered(seed, count)
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


COLOURS = ("red", "blue", "green", "black", "gold", "pink", "lightgrey")

SHAPES: dict[str, list[tuple[str, tuple[int, ...]]]] = {
    "disc": [("ellipse", (48, 48, 208, 208))],
    "small disc": [("ellipse", (108, 108, 148, 148))],
    "square": [("rectangle", (48, 48, 208, 208))],
    "small square": [("rectangle", (110, 110, 146, 146))],
    "wide": [("rectangle", (16, 100, 240, 156))],
    "tall": [("rectangle", (100, 16, 156, 240))],
    "half": [("rectangle", (0, 0, 128, 256))],
    "diamond": [("polygon", (128, 32, 224, 128, 128, 224, 32, 128))],
    "triangle": [("polygon", (128, 40, 216, 208, 40, 208))],
    "cross": [("rectangle", (104, 32, 152, 224)), ("rectangle", (32, 104, 224, 152))],
    "ring": [("ellipse", (48, 48, 208, 208)), ("hole", (72, 72, 184, 184))],
    "bars": [("rectangle", (x, 16, x + 20, 240)) for x in range(16, 256, 48)],
    "plain": [],
}
"""Shapes in a square of 256 pixels: the methods of ImageDraw that draw them."""


@pytest.mark.parametrize("background", ["white", "navy"])
def test_other_shapes_are_not_near_copies_in_any_colour(background: str) -> None:
    names, hashes = [], []
    for name, parts in SHAPES.items():
        for colour in COLOURS:
            picture = Image.new("RGB", (256, 256), background)
            for method, place in parts:
                draw = ImageDraw.Draw(picture)
                if method == "hole":
                    draw.ellipse(place, fill=background)
                else:
                    getattr(draw, method)(place, fill=colour)
            names.append(name)
            hashes.append(perceptual_hash(picture.convert("L")))
    words, compared = hash_words(hashes), has_structure(hashes)
    shape = np.array(names)
    for name in SHAPES:
        queries, others = compared & (shape == name), compared & (shape != name)
        assert (nearest(words[queries], words[others], MAX_BITS).rows == NO_ROW).all()
    assert compared.sum() > len(SHAPES) * len(COLOURS) / 2


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 60), st.booleans())
def test_the_nearest_by_parts_of_the_words_is_that_by_all(
    seed: int, count: int, earlier: bool
) -> None:
    hashes = np.unique(sparse(seed, count), axis=0)
    search = HashSearch(hashes, hashes, MAX_BITS, earlier)
    whole = search_hashes(search)
    for size in (1, 5):
        starts = range(0, WORDS, size)
        words = [range(start, min(start + size, WORDS)) for start in starts]
        found = nearest_of([search.by_words(one) for one in words])
        assert np.array_equal(found.rows, whole.rows)
        assert np.array_equal(found.bits, whole.bits)
