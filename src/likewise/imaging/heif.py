"""HEIC images, which an optional library decodes."""

from io import BytesIO

from PIL import ImageFile

_HEIF = tuple(
    b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc")


def is_heif(data: bytes) -> bool:
    """Return whether a file is HEIC by its main brand, or by a brand that it lists."""
    if data.startswith(_HEIF, 4):
        return True
    brands = data[16 : min(int.from_bytes(data[:4], "big"), 128)]
    listed = {brands[n : n + 4] for n in range(0, len(brands), 4)}
    return data.startswith((b"ftypmif1", b"ftypmsf1"), 4) and bool(listed & {*_HEIF_BRANDS})


def open_heif(data: bytes) -> ImageFile.ImageFile:
    """Read the header of an image; the library turns its pixels upright.

    Raises:
        ImportError: pillow-heif is not installed.
    """
    from pillow_heif.as_plugin import HeifImageFile

    image: ImageFile.ImageFile = HeifImageFile(BytesIO(data))  # type: ignore[no-untyped-call]
    return image
