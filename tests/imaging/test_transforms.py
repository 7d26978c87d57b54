import pickle  # noqa: TID251 (what worker processes use)
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from likewise.errors import ConfigError, UnknownNameError
from likewise.imaging.decode import decode, decode_reduced
from likewise.imaging.transforms import TRANSFORMS
from likewise.imaging.transforms.chain import Chain
from likewise.imaging.transforms.letterbox import Letterbox


def noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(width * height)
    small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def plain(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), "white")


@pytest.mark.parametrize("kind", TRANSFORMS.kinds())
def test_every_transform_can_travel_and_leaves_the_picture(kind: str) -> None:
    sides = {"crop": {"side": 20}, "resize": {"side": 20}}
    part = TRANSFORMS.build({"kind": kind, **sides.get(kind, {})}, "here")
    picture = noise(50, 30)
    before = picture.tobytes()
    once, again = (np.asarray(t(picture)) for t in (part, pickle.loads(pickle.dumps(part))))  # noqa: S301
    assert np.array_equal(once, again)
    assert picture.tobytes() == before


@pytest.mark.parametrize(
    ("size", "options", "expected"),
    [
        ((500, 375), {"side": 256}, (341, 256)),  # 256 * 500 / 375 = 341.33
        ((375, 500), {"side": 256}, (256, 341)),
        ((100, 60), {"side": 256}, (426, 256)),  # 426.67
        ((256, 300), {"side": 256}, (256, 300)),
        ((500, 375), {"side": 100, "edge": "longer"}, (100, 75)),
        ((500, 375), {"side": 64, "edge": "both"}, (64, 64)),
        ((1000, 1), {"side": 100, "edge": "longer"}, (100, 1)),
    ],
)
def test_resize(
    size: tuple[int, int], options: dict[str, object], expected: tuple[int, int]
) -> None:
    assert Chain([{"kind": "resize", **options}]).picture(plain(*size)).size == expected


def test_crop_takes_the_middle_and_adds_black() -> None:
    numbers = np.arange(7 * 5 * 3, dtype=np.uint8).reshape(5, 7, 3)
    done = np.asarray(Chain([{"kind": "crop", "side": 3}]).picture(Image.fromarray(numbers)))
    assert np.array_equal(done, numbers[1:4, 2:5])
    wide = np.asarray(Chain([{"kind": "crop", "side": 7}]).picture(Image.fromarray(numbers)))
    assert wide.shape == (7, 7, 3)
    assert not wide[0].any()
    assert np.array_equal(wide[1:6], numbers)


def test_normalise() -> None:
    values = Chain([{"kind": "normalise"}])(plain(4, 2))
    assert values.shape == (3, 2, 4)  # type: ignore[union-attr]
    expected = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert np.allclose(np.asarray(values)[:, 0, 0], expected)


def test_what_makes_numbers_comes_last() -> None:
    with pytest.raises(
        ConfigError, match="normalise makes an array; no transform can follow it"
    ):
        Chain([{"kind": "normalise"}, {"kind": "crop", "side": 3}])
    with pytest.raises(UnknownNameError, match="no transform kind named 'rezise'; did you"):
        Chain([{"kind": "rezise"}])


def zeros(pixels: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Count the rows and columns that are all black."""
    dark: npt.NDArray[np.bool_] = pixels.max(axis=2) == 0
    return int(dark.all(axis=1).sum()), int(dark.all(axis=0).sum())


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    # Values from the output of the original; width x height.
    [((900, 600), 1, 0), ((300, 1200), 0, 57), ((224, 225), 0, 1), ((224, 224), 0, 0)],
)
def test_the_original_leaves_black_lines_and_ours_none(
    size: tuple[int, int], rows: int, columns: int
) -> None:
    picture = plain(*size)
    assert zeros(Letterbox(original_bugs=True).pixels(picture)) == (rows, columns)
    for fill in ("gaussian", "white"):
        ours = Letterbox.model_validate({"fill": fill}).pixels(picture)
        assert ours.shape == (224, 224, 3)
        assert ours.min() == 255


@pytest.mark.parametrize(
    "size", [(900, 600), (600, 900), (301, 1200), (77, 200), (5, 5), (1, 9)]
)
@pytest.mark.parametrize("fill", ["gaussian", "black", "white"])
def test_a_letterbox_holds_the_whole_picture_in_the_middle(
    size: tuple[int, int], fill: str
) -> None:
    picture = noise(*size)
    box = Letterbox.model_validate({"fill": fill})
    done = box.pixels(picture)
    width, height = box.size(*size)
    assert max(width, height) == 224
    left, top = (224 - width) // 2, (224 - height) // 2
    inside = done[top : top + height, left : left + width]
    expected = picture.resize((width, height), Image.Resampling.BILINEAR)
    assert np.array_equal(inside, np.asarray(expected))
    outside = done.copy()
    outside[top : top + height, left : left + width] = 0
    if fill == "black":
        assert not outside.any()


def test_bars_are_the_strips_next_to_them_blurred() -> None:
    picture = noise(224, 100)
    done = Letterbox().pixels(picture)
    strip = np.asarray(picture)[:62].astype(float)  # (224 - 100) / 2
    # Far from the edges of the strip, a pixel is the mean of the 7 x 7 pixels around it.
    for row, column in ((10, 50), (30, 100), (50, 200)):
        mean = strip[row - 3 : row + 4, column - 3 : column + 4].mean(axis=(0, 1))
        assert np.abs(done[row, column] - mean).max() <= 1


@pytest.mark.parametrize("size", [(224, 1), (224, 100), (224, 222), (9, 3), (50, 20)])
def test_the_blur_is_pillows_bit_for_bit(size: tuple[int, int]) -> None:
    picture = noise(*size)
    width, height = size
    done = Letterbox(side=width).pixels(picture)
    above = (width - height) // 2
    # Rows above the picture repeat the adjacent rows, or the whole picture if it is too low.
    strip = np.asarray(picture)[: above if width - height - above <= height else height]
    around = np.pad(strip, ((3, 3), (3, 3), (0, 0)), mode="reflect")
    soft = np.asarray(Image.fromarray(around).filter(ImageFilter.BoxBlur(3)))[3:-3, 3:-3]
    nearest = min(above, len(soft))
    assert np.array_equal(done[above - nearest : above], soft[len(soft) - nearest :])


def test_a_square_can_be_drawn_into_planes() -> None:
    for size in ((900, 600), (60, 90), (224, 224), (20, 200)):
        planes = np.empty((3, 224, 224), np.uint8)
        Letterbox().draw(noise(*size), planes.transpose(1, 2, 0))
        assert np.array_equal(planes.transpose(1, 2, 0), Letterbox().pixels(noise(*size)))


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("short", [56, 55, 40, 3])
def test_long_pictures_have_the_originals_bars_line_by_line(short: int, upright: bool) -> None:
    values = np.asarray(noise(224, short)) // 2 + 1  # no black pixel
    blur = np.asarray(Letterbox(side=224).pixels(Image.fromarray(values)))
    start = (224 - short + short % 2) // 2  # the row of the picture; half of what is left
    bar = (224 - short) // 2
    # The line before the bar's end stays black if the row after the bar holds something; an
    # upright picture's columns are tested by a row, which always does.
    first = bar - 1 if upright or not short % 2 else bar
    plain = Letterbox(fill="black", original_bugs=True, side=224)
    picture = values.transpose(1, 0, 2) if upright else values
    done = plain.pixels(Image.fromarray(np.ascontiguousarray(picture)))
    done = done.transpose(1, 0, 2) if upright else done
    below = blur[(224 - short) // 2 + short :][
        :short
    ]  # ours repeats the whole picture outwards
    assert np.array_equal(done[first - short : first], below)
    assert np.array_equal(done[first + short : first + 2 * short], below)
    assert np.array_equal(done[start : first + short], values[: first + short - start])
    black = [*range(first - short), *range(first, start), *range(first + 2 * short, 224)]
    assert [row for row in range(224) if not done[row].any()] == black


def test_the_originals_white_is_225() -> None:
    box = Letterbox(fill="white", original_bugs=True)
    assert set(np.unique(box.pixels(Image.new("RGB", (200, 100), (9, 9, 9))))) == {9, 225}


def test_a_jpeg_is_decoded_no_larger_than_it_is_needed() -> None:
    picture, out = noise(900, 600), BytesIO()
    picture.save(out, "JPEG", quality=95)
    box = Letterbox()
    quick = decode_reduced(out.getvalue(), box.size)
    assert quick.size == (225, 150)  # a quarter
    slow = decode(out.getvalue())
    difference = np.abs(box.pixels(quick).astype(int) - box.pixels(slow))
    assert difference.mean() < 2
    small = BytesIO()
    noise(300, 200).save(small, "JPEG")
    assert decode_reduced(small.getvalue(), box.size).size == (300, 200)
    png = BytesIO()
    picture.save(png, "PNG")
    assert decode_reduced(png.getvalue(), box.size).size == (900, 600)
