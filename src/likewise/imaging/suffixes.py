"""Suffixes of image files."""

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp"}
    | {".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".avif"}
    | {".heic", ".heif", ".hif"}
)
"""Lower-case suffixes of image files."""

UNREAD_SUFFIXES = {
    ".jxl": "JPEG XL",
    **dict.fromkeys((".svg", ".svgz"), "a vector drawing"),
    **dict.fromkeys(
        (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2"), "a raw photograph"
    ),
    ".psd": "a Photoshop document",
}
"""Lower-case suffixes of pictures that are never read -> their format."""
