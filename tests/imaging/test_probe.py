"""Only complete files are images; their facts equal Pillow's, and no warning is printed."""

import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from likewise.imaging.probe import MAX_PIXELS, BadImage, ImageInfo, probe
from likewise.imaging.suffixes import IMAGE_SUFFIXES

NOISE = Image.effect_noise((67, 43), 60)
EVERY: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {}),
    ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "LA", {}),
    ("PNG", "L", {}),
    ("PNG", "P", {}),
    ("PNG", "1", {}),
    ("PNG", "I;16", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("GIF", "P", {}),
    ("BMP", "RGB", {}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "I;16", {}),
    ("TIFF", "F", {}),
    ("PPM", "RGB", {}),
    ("PPM", "L", {}),
    ("JPEG2000", "RGB", {}),
    ("AVIF", "RGB", {}),
]


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def picture(mode: str) -> Image.Image:
    return NOISE.convert("I;16" if mode == "I;16" else mode)


def verdict(data: bytes) -> str:
    """Return the failed check of the probe, or "" for a complete image."""
    try:
        probe(data)
    except BadImage as bad:
        return bad.check if bad.detail else "a verdict without a detail"
    return ""


def test_the_facts_of_every_format_are_pillows() -> None:
    for form, mode, options in EVERY:
        data = encoded(picture(mode), form, **options)
        with Image.open(BytesIO(data)) as image:
            assert probe(data) == ImageInfo(67, 43, form, image.mode, 1)
            assert (image.format, image.size) == (form, (67, 43))


@pytest.mark.parametrize(("form", "mode", "options"), EVERY)
def test_a_file_cut_at_any_length_is_not_a_complete_image(
    form: str, mode: str, options: dict[str, Any]
) -> None:
    data = encoded(picture(mode), form, **options)
    # The last bytes of GIF (its trailer) and of some other formats contain no pixels.
    for length in range(1, len(data) - 16, max(1, len(data) // 150)):
        assert verdict(data[:length]) in {"truncated", "unreadable", "not-an-image"}, length


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_cut_jpeg_or_png_is_called_truncated_to_the_last_byte(form: str) -> None:
    data = encoded(picture("RGB"), form)
    for length in (*range(8, 700), len(data) // 2, *range(len(data) - 40, len(data))):
        assert verdict(data[:length]) == "truncated", length


def test_a_jpeg_cut_within_its_thumbnail_is_truncated() -> None:
    small = encoded(NOISE.resize((16, 16)), "JPEG")
    data = encoded(picture("RGB"), "JPEG", exif=b"Exif\0\0" + bytes(20) + small)
    cut = data[: data.index(small) + len(small)]
    assert cut.endswith(b"\xff\xd9")
    assert verdict(cut) == "truncated"


@pytest.mark.parametrize("tail", [b"", b"\0" * 3, b"\0" * 4096, b"\n", b"<html>", b"\xff"])
def test_what_follows_a_whole_jpeg_does_no_harm(tail: bytes) -> None:
    assert probe(encoded(picture("RGB"), "JPEG") + tail).width == 67


@pytest.mark.parametrize(
    ("data", "check"),
    [
        (b"", "empty"),
        (b"hello, world", "not-an-image"),
        (b"<!DOCTYPE html><html></html>", "not-an-image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not-an-image"),
        (b"8BPS\0\1" + bytes(40), "not-an-image"),
        (b"\0\0\1\0\1\0\x10\x10" + bytes(40), "not-an-image"),
        (b"\xff\xd8", "not-an-image"),
        (b"\xff\xd8\xff\xd9", "truncated"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (b"BM", "unreadable"),
        (b"P6\n-1 4\n255\n", "unreadable"),
        (b"GIF89a", "unreadable"),
        (b"RIFF\4\0\0\0WEBP", "unreadable"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "unreadable"),
    ],
)
def test_what_is_not_an_image_is_reported(data: bytes, check: str) -> None:
    assert verdict(data) == check


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )


def png(width: int, height: int, *chunks: bytes, rows: int = 1) -> bytes:
    """Build a grey PNG: header, ``chunks``, and ``rows`` black rows."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(width + 1)) for _ in range(rows)) + packer.flush()
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *chunks]
    return b"".join((*parts, chunk(b"IDAT", pixels), chunk(b"IEND")))


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    bomb = png(20_000, 10_000, rows=10_000)
    assert len(bomb) < 300_000
    assert verdict(bomb) == "too-large"
    # otherwise it would be truncated
    assert verdict(png(20_000, 10_000, rows=1)) == "too-large"
    jpeg = bytearray(encoded(picture("RGB"), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 60_000, 60_000)
    assert verdict(bytes(jpeg)) == "too-large"
    for head in (b"P6\n20000 10000\n255\n", b"GIF89a" + struct.pack("<HH", 60_000, 60_000)):
        assert verdict(head + b"\0\0\0,\0\0\0\0\1\0\1\0\0" + bytes(50)) == "too-large"


def test_the_bound_is_inclusive() -> None:
    # 178,956,970 = 2 * 5 * 17,895,697
    assert MAX_PIXELS == 10 * 17_895_697
    assert probe(png(17_895_697, 10)).height == 10
    assert verdict(png(17_895_697, 11)) == "too-large"


def test_pillows_own_bound_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert probe(encoded(picture("RGB"), "JPEG")).width == 67
    assert probe(encoded(picture("RGB"), "PNG")).width == 67


def test_a_png_is_checked_chunk_by_chunk() -> None:
    data = bytearray(encoded(picture("RGB"), "PNG"))
    data[data.index(b"IDAT") + 10] ^= 1
    assert verdict(bytes(data)) == "unreadable"
    assert verdict(png(3, 3, chunk(b"tEXt", b"k\0v"), rows=3)) == ""
    assert verdict(png(3, 3).replace(b"IDAT", b"IDAX")) == "unreadable"
    no_pixels = b"\x89PNG\r\n\x1a\n" + png(3, 3)[8:33] + chunk(b"IEND")
    assert verdict(no_pixels) == "unreadable"
    assert verdict(png(3, 3, rows=3) + b"what follows the end") == ""


def test_texts_and_broken_animations_of_a_png_are_not_looked_at() -> None:
    huge = zlib.compress(bytes(100 << 20), 9)
    for extra in (chunk(b"zTXt", b"k\0\0" + huge), chunk(b"acTL", bytes(8)), chunk(b"acTL")):
        assert probe(png(3, 3, extra, rows=3)) == ImageInfo(3, 3, "PNG", "L", 1)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_reported_and_the_size_is_as_stored(
    form: str, orientation: int
) -> None:
    facts = probe(encoded(picture("RGB"), form, exif=exif_of(orientation)))
    assert (facts.width, facts.height, facts.orientation) == (67, 43, orientation)


def tiff_block(order: str, kind: int, value: int) -> bytes:
    magic = b"II*\0" if order == "<" else b"MM\0*"
    field = struct.pack(
        order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,))
    )
    return magic + struct.pack(order + "IHHHI", 8, 1, 0x0112, kind, 1) + field + bytes(4)


@pytest.mark.parametrize(
    ("exif", "orientation"),
    [
        (tiff_block("<", 3, 6), 6),
        (tiff_block(">", 3, 6), 6),
        (tiff_block("<", 4, 8), 8),
        (tiff_block(">", 4, 8), 8),
        (tiff_block(">", 3, 0), 1),
        (tiff_block(">", 3, 9), 1),
        (tiff_block("<", 3, 6)[:20], 1),
        (b"II*\0\xff\xff\xff\xff" + bytes(9), 1),
        (b"II*\0\x08\0\0\0\xff\xff" + bytes(30), 1),
        (b"MM*\0" + bytes(20), 1),
        (b"garbage", 1),
        (b"", 1),
    ],
)
def test_a_damaged_exif_block_is_not_an_orientation(exif: bytes, orientation: int) -> None:
    data = encoded(picture("RGB"), "JPEG", exif=b"Exif\0\0" + exif)
    assert probe(data).orientation == orientation
    assert probe(png(3, 3, chunk(b"eXIf", exif), rows=3)).orientation == orientation
    late = png(3, 3, rows=3)[:-12] + chunk(b"eXIf", exif) + chunk(b"IEND")
    assert probe(late).orientation == orientation


def test_animations_are_their_first_frame() -> None:
    frames = [Image.new("RGB", (20, 10), c) for c in ("red", "blue", "lime")]
    for form in ("GIF", "WEBP", "PNG", "TIFF", "MPO"):
        data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
        facts = probe(data)
        assert (facts.width, facts.height) == (20, 10)
        assert facts.format == ("JPEG" if form == "MPO" else form)


def test_no_other_decoder_is_reached() -> None:
    for form, mode in (("PCX", "RGB"), ("SGI", "RGB"), ("TGA", "RGB"), ("ICO", "RGBA")):
        assert verdict(encoded(picture(mode), form)) == "not-an-image"
    assert {".jpg", ".jpeg", ".png", ".tif", ".webp", ".avif"} < IMAGE_SUFFIXES
    assert all(s == s.lower() and s.startswith(".") for s in IMAGE_SUFFIXES)


def test_a_bad_image_travels_between_processes() -> None:
    bad = ForkingPickler.loads(ForkingPickler.dumps(BadImage("truncated", "it ends")))
    assert (bad.check, bad.detail, str(bad)) == ("truncated", "it ends", "truncated: it ends")


def noisy() -> dict[str, bytes]:
    """Images for which Pillow warns: an 8-byte resolution has an offset beyond the end."""
    block = b"II*\0" + struct.pack("<IH", 8, 3)
    for tag, kind, value in ((0x0112, 3, 6), (0x011A, 5, 99_999), (0x0128, 3, 2)):
        block += struct.pack("<HHII", tag, kind, 1, value)
    jpeg = encoded(picture("RGB"), "JPEG", exif=b"Exif\0\0" + block + bytes(4))
    end = jpeg.index(b"\xff\xe1")
    tiff = encoded(picture("RGB"), "TIFF", exif=exif_of(6), dpi=(300, 300))
    at = tiff.index(struct.pack("<HHI", 0x011A, 5, 1)) + 8
    return {
        "JPEG": jpeg[:2] + jpeg[end:],  # without JFIF, which has its own resolution
        "TIFF": tiff[:at] + struct.pack("<I", 99_999) + tiff[at + 4 :],
        "PNG": png(3, 3, chunk(b"acTL", bytes(8)), rows=3),
    }


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG"])
def test_what_pillow_warns_of_is_silent(form: str) -> None:
    data = noisy()[form]
    with (
        pytest.warns(UserWarning, match="Truncated|larger|APNG"),
        Image.open(BytesIO(data)) as image,
    ):
        image.load()
    assert probe(data).orientation == (1 if form == "PNG" else 6)


def test_threads_leave_the_warning_filters_alone() -> None:
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        facts = list(pool.map(probe, [*noisy().values(), encoded(picture("P"), "GIF")] * 20))
    assert len(facts) == 80
    assert warnings.filters == before


@pytest.mark.parametrize(("form", "mode", "options"), EVERY)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_damaged_image_is_an_image_or_a_verdict(
    form: str, mode: str, options: dict[str, Any], data: st.DataObject
) -> None:
    # filterwarnings=error: any warning of Pillow would be raised here as an error.
    broken = bytearray(encoded(picture(mode), form, **options))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(broken) - 1, 400)))
        broken[at] = data.draw(st.integers(0, 255))
    assert verdict(bytes(broken)) in {
        "",
        "not-an-image",
        "unreadable",
        "truncated",
        "too-large",
    }


@settings(max_examples=300, deadline=None)
@given(
    head=st.sampled_from(
        (
            *(b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"GIF89a", b"BM"),
            *(b"P6", b"RIFF____WEBP", b"\xff\x4f\xff\x51", b"____ftypavif", b""),
        )
    ),
    body=st.binary(max_size=200),
)
def test_any_bytes_are_an_image_or_a_verdict(head: bytes, body: bytes) -> None:
    verdict(head + body)


@pytest.mark.parametrize("folder", ["gpr_like", "boxes_labels", "pairs_clothes_like"])
def test_real_images_are_whole_and_as_pillow_says(shared_data: Path, folder: str) -> None:
    paths = sorted(p for p in (shared_data / folder).rglob("*") if p.suffix in IMAGE_SUFFIXES)
    for path in paths[:: max(1, len(paths) // 150)]:
        data = path.read_bytes()
        with Image.open(BytesIO(data)) as image:
            facts = probe(data)
            assert (facts.width, facts.height) == image.size
            assert (facts.format, facts.mode) == (image.format, image.mode)
            assert facts.orientation == image.getexif().get(0x0112, 1)
