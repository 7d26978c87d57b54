from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from likewise.imaging.decode import decode
from likewise.imaging.near_duplicates import hash_words
from likewise.imaging.pixel_statistics import (
    brightness,
    measure,
    perceptual_hash,
    sharpness,
)

SAMPLES = Path(__file__).parents[2] / "samples"
DRAWINGS = sorted((SAMPLES / "emoji" / "images").glob("*.jpg"))[::40]


def encoded(picture: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def bits_between(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def laplacian_variance(grey: npt.NDArray[np.uint8]) -> float:
    """Compute the definition pixel by pixel; mirror borders without repeating the edge."""
    padded = np.pad(grey.astype(float), 1, mode="reflect")
    found = [
        padded[y - 1, x] + padded[y + 1, x] + padded[y, x - 1] + padded[y, x + 1]
        - 4 * padded[y, x]
        for y in range(1, grey.shape[0] + 1)
        for x in range(1, grey.shape[1] + 1)
    ]  # fmt: skip
    return float(np.var(found))


def test_brightness_is_the_mean_grey_value() -> None:
    assert brightness(np.array([[0, 255], [255, 0]], np.uint8)) == (2 * 255) / (4 * 255)
    assert brightness(np.full((3, 5), 51, np.uint8)) == 0.2


def test_sharpness_is_the_variance_of_the_laplacian(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for shape in ((7, 5), (2, 2), (3, 30)):
        grey = rng.integers(0, 256, shape, dtype=np.uint8)
        assert sharpness(grey) == pytest.approx(laplacian_variance(grey), rel=1e-12)
        with monkeypatch.context() as patch:  # strips of one row give the same value
            patch.setattr("likewise.imaging.pixel_statistics._STRIP_PIXELS", 1)
            assert sharpness(grey) == pytest.approx(laplacian_variance(grey), rel=1e-12)
    assert sharpness(np.full((9, 9), 77, np.uint8)) == 0
    assert sharpness(np.full((1, 1), 77, np.uint8)) == 0


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_a_smaller_or_worse_copy_has_nearly_the_same_hash(path: Path) -> None:
    picture = decode(path.read_bytes())
    original = measure(path.read_bytes()).phash
    assert original is not None
    for size in ((80, 80), (100, 100), (250, 250)):
        copy = measure(encoded(picture.resize(size, Image.Resampling.LANCZOS), "JPEG"))
        assert copy.phash is not None
        assert bits_between(original, copy.phash) <= 15
    worse = measure(encoded(picture, "JPEG", quality=30)).phash
    assert worse is not None
    assert bits_between(original, worse) <= 15


def test_different_drawings_have_hashes_far_apart() -> None:
    hashes = [measure(path.read_bytes()).phash or "" for path in DRAWINGS]
    distances = [bits_between(a, b) for n, a in enumerate(hashes) for b in hashes[:n]]
    assert min(distances) > 30


def test_a_hash_is_of_low_frequencies_but_not_of_brightness() -> None:
    flat = [perceptual_hash(Image.new("L", (50, 40), grey)) for grey in (0, 128, 255)]
    assert flat == ["0" * 64] * 3
    # One cosine across the picture: bit (0, 1), which belongs to the second word.
    ramp = np.tile(np.rint(127 + 100 * np.cos(np.pi * (np.arange(32) + 0.5) / 32)), (32, 1))
    found = hash_words([perceptual_hash(Image.fromarray(ramp.astype(np.uint8)))])
    assert found.sum() == found[0, 1] == 1 << 15


def test_what_cannot_be_decoded_says_why() -> None:
    whole = encoded(Image.effect_noise((64, 64), 80), "JPEG")
    found = measure(whole[:300])
    assert found.phash is None
    assert found.fault is not None
    assert found.fault.startswith("truncated: ")
    assert measure(b"").fault == "empty: the file has 0 bytes"


def test_transparent_pixels_are_white() -> None:
    found = measure(encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 0))))
    assert (found.brightness, found.sharpness) == (1.0, 0.0)
