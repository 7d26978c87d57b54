"""What an encoded image is and whether it is whole, mostly without decoding it.

Pillow warns through ``warnings.warn``, whose filters belong to the whole process; silencing it
image by image would not be safe beside other threads. So JPEG and PNG, nearly all images, are
opened in ways that cannot warn; only other formats hold a lock while their header is read.
"""

import struct
import threading
import warnings
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

MAX_PIXELS = 178_956_970
"""Width times height beyond which an image is not decoded: Pillow's own bound."""

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp"}
    | {".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".avif"}
)
"""Endings of the names of image files, lower-case."""

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4

# No other decoder is ever reached: some of them start programs (EPS), most are little used.
_OTHERS: tuple[tuple[int, tuple[bytes, ...], type[ImageFile.ImageFile]], ...] = (
    (8, (b"WEBP",), WebPImageFile),
    (0, (b"GIF87a", b"GIF89a"), GifImageFile),
    (0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImageFile),
    (0, (b"BM",), BmpImageFile),
    (0, (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), PpmImageFile),
    (0, (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"), Jpeg2KImageFile),
    (4, (b"ftypavif", b"ftypavis", b"ftypmif1", b"ftypmsf1"), AvifImageFile),
)

_lock = threading.Lock()


class BadImage(ValueError):  # noqa: N818 (it is a verdict on a file, which becomes a finding)
    """A file that is no usable image: ``check`` names what is wrong, ``detail`` says it.

    ``check`` is one of: empty, not-an-image, unreadable, truncated, too-large, bad-box.
    """

    def __init__(self, check: str, detail: str) -> None:
        """Keep both; as its only arguments, so that it travels between processes."""
        super().__init__(check, detail)
        self.check = check
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an encoded image is.

    ``width`` and ``height`` are pixels as stored, before the EXIF ``orientation`` (1 to 8);
    ``format`` and ``mode`` are Pillow's names. An MPO is a JPEG with further pictures behind
    it, and is called JPEG.
    """

    width: int
    height: int
    format: str
    mode: str
    orientation: int


def probe(data: bytes) -> Facts:
    """The facts of an encoded image that is whole.

    A JPEG is whole where its data end in the end marker (zero bytes may follow), a PNG where
    all its chunks are there with their checksums; any other image is decoded to find out.

    Raises:
        BadImage: it is empty, no image, broken, cut short or too large.
    """
    image, orientation = open_image(data)
    size, mode = image.size, image.mode  # decoding may change the mode
    if not _seems_whole(image, data):
        load(image)
    return Facts(*size, image.format or "", mode, orientation)


def open_image(data: bytes) -> tuple[ImageFile.ImageFile, int]:
    """An image whose header has been read, its pixels not yet, and its EXIF orientation.

    Raises:
        BadImage: it is empty, no image, or too large, or its header is broken or cut short.
    """
    if not data:
        raise BadImage("empty", "the file has 0 bytes")
    with translated():
        image, orientation = _open(data)
    if image.width * image.height > MAX_PIXELS:
        raise BadImage(
            "too-large",
            f"{image.width:,} x {image.height:,} pixels; at most {MAX_PIXELS:,} are decoded",
        )
    return image, orientation


def load(image: ImageFile.ImageFile) -> None:
    """Decode the pixels of an image that ``open_image`` opened.

    Raises:
        BadImage: they are broken or cut short.
    """
    with translated():
        if isinstance(image, TiffImageFile):  # which reads more of its header only now
            with _quiet():
                image.load()
        else:
            image.load()


class _Jpeg(JpegImageFile):
    """Pillow's JPEG reader; what it calls JPEG or MPO is JPEG here."""

    def _read_dpi_from_exif(self) -> None:
        # The resolution is of no use here, and looking for it warns where the EXIF is damaged.
        self.info.setdefault("dpi", (72, 72))


def _open(data: bytes) -> tuple[ImageFile.ImageFile, int]:
    if data.startswith(_JPEG):
        return _open_jpeg(data)
    if data.startswith(_PNG):
        clean, exif = _png(data)
        return PngImageFile(BytesIO(clean)), _orientation(exif)[0]
    for at, magics, reader in _OTHERS:
        if data.startswith(magics, at):
            with _quiet():
                return _open_other(data, reader)
    raise BadImage("not-an-image", "it does not begin as any image format that is read")


def _open_jpeg(data: bytes) -> tuple[ImageFile.ImageFile, int]:
    stream, cut = BytesIO(data), f"it ends after {len(data):,} bytes, before its pixels"
    try:
        image = _Jpeg(stream)
    except Exception as error:
        if stream.tell() < len(data):
            raise
        raise BadImage("truncated", cut) from error
    if not image.tile:
        raise BadImage("truncated", cut)
    return image, _exif_orientation(image)


def _open_other(
    data: bytes, reader: type[ImageFile.ImageFile]
) -> tuple[ImageFile.ImageFile, int]:
    if reader is not TiffImageFile:
        image = reader(BytesIO(data))
        return image, _exif_orientation(image)
    orientation, at = _orientation(data)
    if at:
        # Pillow would turn the pixels itself, unasked and only for this format.
        upright = struct.pack("<H" if data.startswith(b"II") else ">H", 1)
        data = data[:at] + upright + data[at + 2 :]
    return TiffImageFile(BytesIO(data)), orientation


def _seems_whole(image: ImageFile.ImageFile, data: bytes) -> bool:
    """Whether an image that is known by its header to be whole needs no decoding."""
    if not image.tile:
        return False
    if isinstance(image, _Jpeg):
        # Without quantisation tables it is one of JPEG's rare kinds: let the decoder say.
        return bool(image.quantization) and data.rstrip(b"\0").endswith(b"\xff\xd9")
    return isinstance(image, PngImageFile)


def _png(data: bytes) -> tuple[bytes, bytes]:
    """The chunks of a PNG that make its first picture, checked, and its EXIF block.

    Left out are texts (which may unpack to anything), colour profiles, and the further frames
    of an animation.
    """
    kept, exif, at, kind = [_PNG], b"", len(_PNG), b""
    view = memoryview(data)
    while kind != b"IEND":
        if at + 12 > len(data):
            raise BadImage("truncated", f"it ends after {len(data):,} bytes, within a PNG")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise BadImage("truncated", f"it ends after {len(data):,} bytes, within a PNG")
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise BadImage("unreadable", f"the checksum of its chunk {kind!r} differs")
        if kind == b"eXIf":
            exif = data[at + 8 : end - 4]
        elif kind in _KEPT_CHUNKS:
            kept.append(data[at:end])
        at = end
    return b"".join(kept), exif


def _exif_orientation(image: ImageFile.ImageFile) -> int:
    exif = image.info.get("exif", b"")
    return _orientation(exif)[0] if isinstance(exif, bytes) else 1


def _orientation(exif: bytes) -> tuple[int, int]:
    """The orientation that a TIFF header says, 1 to 8, and where the value lies (0: nowhere).

    Damaged or absent is 1. Source: TIFF 6.0, section 2; EXIF 2.32, section 4.6.4.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return 1, 0
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return 1, 0
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for at in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(order + "HH", tiff, at)
        if tag == _ORIENTATION and kind in (_SHORT, _LONG):
            place = at + (10 if (kind, order) == (_LONG, ">") else 8)
            (value,) = struct.unpack_from(order + "H", tiff, place)
            return (value, place) if 1 <= value <= 8 else (1, 0)
    return 1, 0


@contextmanager
def _quiet() -> Iterator[None]:
    # One thread at a time: the filters that are put aside here belong to the whole process.
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever Pillow says of a bad image into a ``BadImage``."""
    try:
        yield
    except (BadImage, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise BadImage("too-large", str(error)) from error
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        cut = isinstance(error, EOFError) or "truncated" in said.lower()
        raise BadImage("truncated" if cut else "unreadable", said) from error
