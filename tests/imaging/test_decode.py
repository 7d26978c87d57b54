"""Every stored image is decoded to RGB with the right colours."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from likewise.imaging.decode import crop, decode
from likewise.imaging.probe import BadImage, probe

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def pixels(image: Image.Image) -> list[tuple[int, ...]]:
    assert image.mode == "RGB"
    values: npt.NDArray[np.uint8] = np.asarray(image)
    return [tuple(int(v) for v in pixel) for pixel in values.reshape(-1, 3)]


def row(mode: str, *values: Any) -> Image.Image:
    image = Image.new(mode, (len(values), 1))
    for x, value in enumerate(values):
        image.putpixel((x, 0), value)
    return image


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM"])
def test_colours_stay(form: str) -> None:
    assert pixels(decode(encoded(row("RGB", RED, BLUE, (1, 2, 3)), form))) == [
        RED,
        BLUE,
        (1, 2, 3),
    ]


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_is_put_on_white(form: str) -> None:
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    image = row("RGBA", (255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 255, 51))
    # 51 / 255 = 1/5 of blue and 4/5 of white
    assert pixels(decode(encoded(image, form, **options))) == [RED, WHITE, (204, 204, 255)]


def test_grey_with_transparency_is_put_on_white() -> None:
    image = row("LA", (0, 255), (0, 0), (0, 51))
    assert pixels(decode(encoded(image, "PNG"))) == [(0,) * 3, WHITE, (204,) * 3]


@pytest.mark.parametrize("transparency", [1, bytes([255, 0]), bytes([255, 0, 255])])
def test_a_transparent_entry_of_a_palette_is_put_on_white(transparency: int | bytes) -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *BLUE, 0, 0, 0])
    image.putdata([0, 1, 2])
    data = encoded(image, "PNG", transparency=transparency)
    assert pixels(decode(data)) == [RED, WHITE, (0, 0, 0)]


def test_a_transparent_entry_of_a_gif_is_put_on_white() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *BLUE, 0, 0, 0])
    image.putdata([0, 1, 2])
    assert pixels(decode(encoded(image, "GIF", transparency=1))) == [RED, WHITE, (0, 0, 0)]


def test_a_transparent_colour_is_put_on_white() -> None:
    data = encoded(row("RGB", RED, BLUE), "PNG", transparency=BLUE)
    assert pixels(decode(data)) == [RED, WHITE]
    data = encoded(row("L", 10, 20), "PNG", transparency=20)
    assert pixels(decode(data)) == [(10,) * 3, WHITE]
    data = encoded(row("I;16", 257 * 10, 257 * 20), "PNG", transparency=257 * 20)
    assert pixels(decode(data)) == [(10,) * 3, WHITE]


def test_grey_of_16_bits_is_scaled_and_not_clipped() -> None:
    image = row("I;16", 0, 128, 129, 257 * 100, 65535)
    expected = [(0,) * 3, (0,) * 3, (1,) * 3, (100,) * 3, WHITE]  # v * 255 / 65535, rounded
    assert pixels(decode(encoded(image, "PNG"))) == expected
    assert pixels(decode(encoded(image, "TIFF"))) == expected
    pgm = b"P5\n5 1\n65535\n" + b"".join(
        v.to_bytes(2, "big") for v in (0, 128, 129, 25700, 65535)
    )
    assert pixels(decode(pgm)) == expected


def test_numbers_without_a_white_go_from_their_least_to_their_greatest() -> None:
    assert pixels(decode(encoded(row("F", -1.0, 0.0, 1.0), "TIFF"))) == [
        (0,) * 3,
        (128,) * 3,  # 127.5, rounded to the even number
        WHITE,
    ]
    assert pixels(decode(encoded(row("I", 7, 7), "TIFF"))) == [(0,) * 3] * 2
    assert pixels(decode(encoded(row("F", float("nan"), 1.0, 2.0), "TIFF"))) == [
        (0,) * 3,
        (0,) * 3,
        WHITE,
    ]
    with pytest.raises(BadImage, match="none of its values"):
        decode(encoded(row("F", float("nan")), "TIFF"))


def test_two_colours_and_cmyk() -> None:
    assert pixels(decode(encoded(row("1", 0, 255), "PNG"))) == [(0,) * 3, WHITE]
    square = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red, green, blue = pixels(decode(encoded(square, "JPEG", quality=100)))[0]
    assert red > 250
    assert max(green, blue) < 5
    assert pixels(decode(encoded(square, "TIFF")))[0] == RED


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_of_an_animation_the_first_frame_is_taken(form: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    red, green, blue = pixels(decode(data))[0]
    assert red > 245
    assert max(green, blue) < 10


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_upright_applies_the_orientation_and_only_when_asked(
    form: str, orientation: int
) -> None:
    stored = Image.effect_noise((24, 16), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(stored, form, exif=exif, **options)
    plain = Image.open(BytesIO(encoded(stored, form, **options))).convert("RGB")
    assert pixels(decode(data)) == pixels(plain)
    plain.getexif()[0x0112] = orientation
    expected = ImageOps.exif_transpose(plain)
    shown = decode(data, upright=True)
    assert shown.size == expected.size == ((24, 16) if orientation < 5 else (16, 24))
    assert pixels(shown) == pixels(expected)


def test_orientation_six_is_turned_clockwise() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(row("RGB", RED, BLUE), "PNG", exif=exif)
    shown = decode(data, upright=True)
    assert shown.size == (1, 2)
    assert pixels(shown) == [RED, BLUE]


@pytest.mark.parametrize(
    ("data", "check"),
    [(b"", "empty"), (b"text", "not-an-image"), (b"\xff\xd8\xff", "truncated")],
)
def test_what_cannot_be_decoded_is_reported(data: bytes, check: str) -> None:
    with pytest.raises(BadImage) as bad:
        decode(data)
    assert bad.value.check == check


def test_a_cut_image_is_never_half_grey() -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        data = encoded(Image.effect_noise((80, 80), 90).convert("RGB"), form)
        with pytest.raises(BadImage):
            decode(data[: len(data) // 2])


def test_crop_is_half_open() -> None:
    image = Image.effect_noise((9, 7), 90).convert("RGB")
    part = crop(image, (2, 1, 5, 7))
    assert part.size == (3, 6)
    assert part.tobytes() == image.crop((2, 1, 5, 7)).tobytes()
    assert crop(image, (0, 0, 9, 7)).tobytes() == image.tobytes()


def test_crop_takes_every_pixel_that_the_box_touches_and_no_other() -> None:
    image = Image.effect_noise((9, 7), 90).convert("RGB")
    assert crop(image, (1.5, 0.2, 2.1, 1.0)).size == (2, 1)
    assert crop(image, (-3, -3, 100.0001, 2)).size == (9, 2)
    for box in ((9, 0, 12, 7), (3, 3, 3, 5), (5, 3, 4, 5), (0, -4, 9, 0)):
        with pytest.raises(BadImage, match="bad-box"):
            crop(image, box)
    for bad in (float("nan"), float("inf")):
        with pytest.raises(BadImage, match="is no box"):
            crop(image, (0, 0, bad, 5))


def test_a_part_of_a_large_image_does_not_warn() -> None:
    image = Image.new("RGB", (10_000, 9_000))  # 90 million pixels, for which Pillow would warn
    assert crop(image, (0, 0, 10_000, 8_999)).size == (10_000, 8_999)


def test_what_is_probed_is_what_is_decoded() -> None:
    image = Image.effect_noise((31, 17), 60)
    for form in ("JPEG", "PNG", "TIFF", "WEBP"):
        data = encoded(image.convert("RGB"), form)
        facts = probe(data)
        assert decode(data).size == (facts.width, facts.height)
