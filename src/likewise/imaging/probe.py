"""Read format and size of encoded images, and check that they are complete.

Most images are checked without decoding. Pillow warns through ``warnings.warn``, whose filters
are global to the process; changing them per image is not thread-safe. Therefore JPEG and PNG
are opened in ways that never warn, and other formats hold a lock while their header is read.

Parts of this module depend on undocumented behaviour of Pillow;
tests/imaging/test_pillow_internals.py checks it.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from likewise.formats.quiet import quiet
from likewise.imaging.heif import is_heif, open_heif
from likewise.imaging.plain_jpeg import read_plain_jpeg

MAX_PIXELS = 178_956_970
"""Maximum number of pixels of an image: Pillow's own limit."""

MAX_IMAGE_BYTES = 3 * MAX_PIXELS + (1 << 20)
"""Maximum size of an encoded image: the largest image in uncompressed RGB, and metadata."""

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4

# Other decoders are never used: some start external programs (EPS), most are rare.
_OTHER_FORMATS: tuple[tuple[int, tuple[bytes, ...], type[ImageFile.ImageFile]], ...] = (
    (8, (b"WEBP",), WebPImageFile),
    (0, (b"GIF87a", b"GIF89a"), GifImageFile),
    (0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImageFile),
    (0, (b"BM",), BmpImageFile),
    (0, (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), PpmImageFile),
    (0, (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"), Jpeg2KImageFile),
    (4, (b"ftypavif", b"ftypavis", b"ftypmif1", b"ftypmsf1"), AvifImageFile),
)
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")


class BadImage(ValueError):  # noqa: N818 (it becomes a finding about the file)
    """An image that cannot be used.

    Attributes:
        check: empty, not-an-image, unread-format, unreadable, truncated, too-large or bad-box.
        detail: description of the problem.
    """

    def __init__(self, check: str, detail: str) -> None:
        """Store both as the only arguments, so that the exception can be pickled."""
        super().__init__(check, detail)
        self.check = check
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Size and format of an encoded image.

    Attributes:
        width: width in stored pixels, before the EXIF orientation is applied.
        height: height in stored pixels.
        format: Pillow's name of the format; MPO (several JPEGs in one file) is JPEG.
        mode: Pillow's mode.
        orientation: EXIF orientation, 1 to 8.
    """

    width: int
    height: int
    format: str
    mode: str
    orientation: int


def probe(data: bytes) -> ImageInfo:
    """Return size and format of a complete image.

    A JPEG is complete if its data ends with the end marker (zero bytes may follow), a PNG if
    all chunks are present with correct checksums. All other images are decoded.

    Raises:
        BadImage: the file is empty, not an image, damaged, truncated or too large.
    """
    plain = read_plain_jpeg(data)
    if plain is not None and plain.width * plain.height <= MAX_PIXELS:
        return ImageInfo(plain.width, plain.height, "JPEG", plain.mode, 1)
    image, orientation = open_image(data)
    size, mode = image.size, image.mode  # decoding may change the mode
    if not _seems_whole(image, data):
        load_pixels(image)
    return ImageInfo(*size, image.format or "", mode, orientation)


def open_image(data: bytes) -> tuple[ImageFile.ImageFile, int]:
    """Read the header of an image; return the image and its EXIF orientation.

    Raises:
        BadImage: the file is empty, not an image or too large, or its header is damaged.
    """
    if not data:
        raise BadImage("empty", "the file has 0 bytes")
    with pillow_errors_as_bad_image():
        image, orientation = _open(data)
    if image.width * image.height > MAX_PIXELS:
        raise BadImage(
            "too-large",
            f"{image.width:,} x {image.height:,} pixels; at most {MAX_PIXELS:,} are decoded",
        )
    return image, orientation


def load_pixels(image: ImageFile.ImageFile) -> None:
    """Decode the pixels of an image from ``open_image``.

    Raises:
        BadImage: the pixels are damaged or truncated.
    """
    with pillow_errors_as_bad_image():
        if isinstance(image, TiffImageFile):  # it reads more of its header only now
            with quiet():
                image.load()
        else:
            image.load()


class _JpegFile(JpegImageFile):
    """Pillow's JPEG reader without warnings; MPO is read as JPEG."""

    def _read_dpi_from_exif(self) -> None:
        # The resolution is not needed, and reading it warns if the EXIF data is damaged.
        self.info.setdefault("dpi", (72, 72))


def _open(data: bytes) -> tuple[ImageFile.ImageFile, int]:
    if data.startswith(_JPEG):
        return _open_jpeg(data)
    if data.startswith(_PNG):
        clean, exif = _png(data)
        return PngImageFile(BytesIO(clean)), _orientation(exif)[0]
    if is_heif(data):
        with quiet():
            return _heif(data), 1  # its decoder returns upright pixels
    for at, magics, reader in _OTHER_FORMATS:
        if data.startswith(magics, at):
            with quiet():
                return _open_other(data, reader)
    if data.startswith(_JPEG_XL):
        raise BadImage("unread-format", "JPEG XL, which is not read; convert it to PNG or JPEG")
    raise BadImage("not-an-image", "it does not begin as any image format that is read")


def _heif(data: bytes) -> ImageFile.ImageFile:
    try:
        return open_heif(data)
    except ImportError as error:
        detail = "HEIC, which needs another library: pip install 'likewise[heic]'"
        raise BadImage("unread-format", detail) from error


def _open_jpeg(data: bytes) -> tuple[ImageFile.ImageFile, int]:
    stream, detail = BytesIO(data), f"it ends after {len(data):,} bytes, before its pixels"
    try:
        image = _JpegFile(stream)
    except Exception as error:
        if stream.tell() < len(data):
            raise
        raise BadImage("truncated", detail) from error
    if not image.tile:
        raise BadImage("truncated", detail)
    return image, _exif_orientation(image)


def _open_other(
    data: bytes, reader: type[ImageFile.ImageFile]
) -> tuple[ImageFile.ImageFile, int]:
    if reader is not TiffImageFile:
        image = reader(BytesIO(data))
        return image, _exif_orientation(image)
    orientation, position = _orientation(data)
    if position:
        # Pillow would apply the orientation itself, for this format only.
        upright_value = struct.pack("<H" if data.startswith(b"II") else ">H", 1)
        data = data[:position] + upright_value + data[position + 2 :]
    return TiffImageFile(BytesIO(data)), orientation


def _seems_whole(image: ImageFile.ImageFile, data: bytes) -> bool:
    """Return True if the image is complete according to its structure, without decoding."""
    if not image.tile:
        return False
    if isinstance(image, _JpegFile):
        # JPEGs without quantisation tables are rare variants; decode them.
        return bool(image.quantization) and data.rstrip(b"\0").endswith(b"\xff\xd9")
    return isinstance(image, PngImageFile)


def _png(data: bytes) -> tuple[bytes, bytes]:
    """Return the verified chunks of a PNG's first frame, and its EXIF block.

    Text (which may decompress to any size), colour profiles, and other frames of animations
    are dropped.
    """
    chunks, exif, position, chunk_type = [_PNG], b"", len(_PNG), b""
    view = memoryview(data)
    while chunk_type != b"IEND":
        if position + 12 > len(data):
            raise BadImage("truncated", f"it ends after {len(data):,} bytes, within a PNG")
        length, chunk_type = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise BadImage("truncated", f"it ends after {len(data):,} bytes, within a PNG")
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(
            view[end - 4 : end], "big"
        ):
            raise BadImage("unreadable", f"the checksum of its chunk {chunk_type!r} differs")
        if chunk_type == b"eXIf":
            exif = data[position + 8 : end - 4]
        elif chunk_type in _PNG_CHUNKS:
            chunks.append(data[position:end])
        position = end
    return b"".join(chunks), exif


def _exif_orientation(image: ImageFile.ImageFile) -> int:
    exif = image.info.get("exif", b"")
    return _orientation(exif)[0] if isinstance(exif, bytes) else 1


def _orientation(exif: bytes) -> tuple[int, int]:
    """Return the orientation in a TIFF header (1 to 8), and the position of its value.

    Damaged or missing values are 1 at position 0. Source: TIFF 6.0, section 2; EXIF 2.32,
    section 4.6.4.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    byte_order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if byte_order is None or len(tiff) < 10:
        return 1, 0
    (directory,) = struct.unpack_from(byte_order + "I", tiff, 4)
    if directory + 2 > len(tiff):
        return 1, 0
    (count,) = struct.unpack_from(byte_order + "H", tiff, directory)
    for entry in range(directory + 2, min(directory + 2 + 12 * count, len(tiff) - 11), 12):
        tag, value_type = struct.unpack_from(byte_order + "HH", tiff, entry)
        if tag == _ORIENTATION and value_type in (_SHORT, _LONG):
            value_position = entry + (10 if (value_type, byte_order) == (_LONG, ">") else 8)
            (value,) = struct.unpack_from(byte_order + "H", tiff, value_position)
            return (value, value_position) if 1 <= value <= 8 else (1, 0)
    return 1, 0


@contextmanager
def pillow_errors_as_bad_image() -> Iterator[None]:
    """Convert all errors of Pillow into ``BadImage``."""
    try:
        yield
    except BadImage:
        raise
    except MemoryError as error:  # Pillow also raises it for a row that is too long
        raise BadImage("too-large", "decoding it needs more memory than there is") from error
    except Image.DecompressionBombError as error:
        raise BadImage("too-large", str(error)) from error
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        is_truncated = isinstance(error, EOFError) or "truncated" in message.lower()
        raise BadImage("truncated" if is_truncated else "unreadable", message) from error
