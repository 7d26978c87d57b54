"""Assumptions of likewise.imaging about private and undocumented behaviour of Pillow.

If a test fails after an upgrade of Pillow, its message names the code that depends on it.
"""

import io
import struct
import warnings
import zlib

import pytest
from PIL import Image, ImageFile, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from likewise.imaging import probe

ORIENTATION = 0x0112


def encoded(format_: str, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).convert(mode).save(out, format_, **options)
    return out.getvalue()


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[ORIENTATION] = orientation
    return block.tobytes()


def damaged_exif_jpeg() -> bytes:
    """Make a JPEG whose EXIF block announces too many entries, so Pillow's reader warns."""
    tiff = b"II*\0" + struct.pack("<IH", 8, 9)
    block = b"Exif\0\0" + tiff
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    plain = encoded("JPEG")
    start = plain.index(b"\xff\xdb")  # after SOI, without JFIF, like files of cameras
    return plain[:2] + segment + plain[start:]


def test_jpeg_reads_the_resolution_in_a_method_that_can_be_overridden() -> None:
    hint = "see likewise.imaging.probe._JpegFile, which overrides _read_dpi_from_exif"
    method = getattr(JpegImageFile, "_read_dpi_from_exif", None)
    assert callable(method), f"Pillow renamed or removed _read_dpi_from_exif: {hint}"
    data = damaged_exif_jpeg()
    with pytest.warns(UserWarning, match="EXIF"):
        JpegImageFile(io.BytesIO(data))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image, orientation = probe.open_image(data)
    assert (image.size, orientation) == ((40, 30), 1), f"the override is not called: {hint}"


def test_jpeg_keeps_quantisation_tables_and_tiles() -> None:
    image = JpegImageFile(io.BytesIO(encoded("JPEG")))
    assert image.quantization, "quantization is empty: see likewise.imaging.probe._seems_whole"
    assert image.tile, "tile is empty after the header: see likewise.imaging.probe._open_jpeg"
    image.load()
    assert not image.tile, "tile is kept after load: see likewise.imaging.probe._seems_whole"


def test_a_jpeg_without_pixels_has_no_tile_or_raises_at_its_end() -> None:
    data = encoded("JPEG")
    header = data[: data.index(b"\xff\xda")]
    stream = io.BytesIO(header)
    try:
        has_tile = bool(JpegImageFile(stream).tile)
    except Exception:  # noqa: BLE001 (any error is allowed)
        has_tile = False
        assert stream.tell() == len(header), (
            "Pillow stops before the end of truncated JPEGs: "
            "see likewise.imaging.probe._open_jpeg"
        )
    assert not has_tile, "truncated JPEGs have tiles: see likewise.imaging.probe._open_jpeg"


def test_jpeg_reader_reads_mpo_as_jpeg() -> None:
    out = io.BytesIO()
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(out, "MPO", save_all=True, append_images=[second])
    image = JpegImageFile(io.BytesIO(out.getvalue()))
    assert (image.format, image.size) == ("JPEG", (8, 8)), (
        "JpegImageFile no longer reads MPO as JPEG: see likewise.imaging.probe._JpegFile"
    )
    opened = Image.open(io.BytesIO(out.getvalue()))
    assert opened.format == "MPO", "Pillow no longer distinguishes MPO: _JpegFile may go"


def test_plugin_classes_open_streams_and_do_not_check_sizes() -> None:
    readers = {reader.format: reader for _, _, reader in probe._OTHER_FORMATS}
    expected = {"WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF"}
    assert set(readers) == expected, "plugin classes: see likewise.imaging.probe._OTHER_FORMATS"
    for name in sorted(expected & set(Image.registered_extensions().values())):
        image = readers[name](io.BytesIO(encoded(name)))
        assert image.size == (40, 30), (
            f"{readers[name].__name__} does not read its header in the constructor: "
            "see likewise.imaging.probe._open_other"
        )
    # Header of a PNG with 20,000 x 20,000 pixels, for which Image.open would raise.
    huge = bytearray(encoded("PNG"))
    huge[16:24] = struct.pack(">II", 20_000, 20_000)
    huge[29:33] = struct.pack(">I", zlib.crc32(huge[12:29]))
    image = PngImageFile(io.BytesIO(bytes(huge)))
    assert image.size == (20_000, 20_000), (
        "plugin classes check sizes themselves: see likewise.imaging.probe.open_image"
    )


def test_the_limit_of_pixels_is_pillows() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    assert limit is not None
    assert 2 * limit == probe.MAX_PIXELS, "see likewise.imaging.probe.MAX_PIXELS"


def test_png_reader_needs_only_the_chunks_that_are_kept() -> None:
    data = encoded("PNG", pnginfo=None, exif=exif(6))
    clean, block = probe._png(data)
    assert b"eXIf" in data
    assert b"eXIf" not in clean
    hint = "see likewise.imaging.probe._PNG_CHUNKS"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = PngImageFile(io.BytesIO(clean))
        image.load()
    assert image.size == (40, 30), hint
    assert block.startswith((b"II*\0", b"MM\0*")), f"eXIf is written in another form: {hint}"


def test_tiff_reader_applies_the_orientation() -> None:
    data = encoded("TIFF", tiffinfo={ORIENTATION: 6})
    image = TiffImageFile(io.BytesIO(data))
    image.load()
    assert image.size == (30, 40), (
        "Pillow no longer applies the orientation of TIFF: the patch of its value in "
        "likewise.imaging.probe._open_other is not needed"
    )
    stored, orientation = probe.open_image(data)
    probe.load_pixels(stored)
    assert (stored.size, orientation) == ((40, 30), 6), (
        "Pillow reads the orientation of TIFF elsewhere: see likewise.imaging.probe._open_other"
    )


@pytest.mark.parametrize("format_", ["JPEG", "WEBP", "AVIF"])
def test_readers_keep_the_exif_block_as_bytes(format_: str) -> None:
    if format_ not in Image.registered_extensions().values():
        pytest.skip(f"this Pillow has no {format_}")
    image = Image.open(io.BytesIO(encoded(format_, exif=exif(6))))
    block = image.info.get("exif")
    assert isinstance(block, bytes), (
        f"info['exif'] of {format_} is {type(block).__name__}: "
        "see likewise.imaging.probe._exif_orientation"
    )
    assert probe._orientation(block)[0] == 6


@pytest.mark.parametrize("format_", ["JPEG", "BMP", "TIFF", "GIF"])
def test_errors_about_truncated_pixels_are_recognised(format_: str) -> None:
    hint = "see likewise.imaging.probe.pillow_errors_as_bad_image"
    assert not ImageFile.LOAD_TRUNCATED_IMAGES, f"truncated images are loaded: {hint}"
    image, _ = probe.open_image(encoded(format_)[:-200])
    with pytest.raises(probe.BadImage) as error:
        probe.load_pixels(image)
    assert error.value.check == "truncated", f"{error.value.detail!r}: {hint}"


def test_grey_of_16_bits_has_the_modes_that_decode_scales() -> None:
    hint = "see likewise.imaging.decode._rgb"
    grey = Image.new("I;16", (2, 1))
    grey.putpixel((1, 0), 65535)
    for format_ in ("PNG", "TIFF"):
        out = io.BytesIO()
        grey.save(out, format_)
        mode = Image.open(out).mode
        assert mode.startswith("I;16"), f"16-bit {format_} has mode {mode}: {hint}"
    pgm = b"P5 2 1 65535\n" + struct.pack(">HH", 0, 65535)
    image = Image.open(io.BytesIO(pgm))
    assert (image.mode, image.getpixel((1, 0))) == ("I", 65535), f"16-bit PGM: {hint}"


def test_a_derived_image_can_be_given_an_orientation() -> None:
    part = Image.new("RGB", (4, 2)).resize((3, 2))
    part.getexif()[ORIENTATION] = 6
    upright = ImageOps.exif_transpose(part)
    assert upright.size == (2, 3), (
        "exif_transpose ignores a value set in getexif(): see likewise.pages.gallery._upright"
    )


def test_drafts_of_jpeg_are_not_smaller_than_asked() -> None:
    image = JpegImageFile(io.BytesIO(encoded("JPEG")))
    image.draft(None, (19, 14))
    hint = "see likewise.imaging.decode.decode_reduced"
    assert image.size == (20, 15), f"the size of drafts: {hint}"
    assert image.mode == "RGB", f"draft(None, ...) changes the mode: {hint}"
