"""Read the header of a JPEG of the plainest structure, as most files have it.

Pillow needs several times as long, because it keeps tables, comments and profiles. Whatever is
not plain is left to Pillow.

Source of the structure: ITU-T T.81, annex B; JFIF 1.02.
"""

from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
_JFIF, _COMMENT, _QUANTISATION, _HUFFMAN, _RESTART = 0xE0, 0xFE, 0xDB, 0xC4, 0xDD
_BASELINE, _PROGRESSIVE, _SCAN = 0xC0, 0xC2, 0xDA
_TABLE = 65
_MODES = {1: "L", 3: "RGB"}


class PlainJpeg(NamedTuple):
    """Size in pixels, and Pillow's mode."""

    width: int
    height: int
    mode: str


def read_plain_jpeg(data: bytes) -> PlainJpeg | None:
    """Return size and mode of a complete JPEG; None if its structure is not plain.

    Plain is: one frame of 8 bits with one or three components, quantisation tables of 8 bits,
    no EXIF, profile or Adobe segment, and an end marker, after which zeros may follow.
    """
    if not data.startswith(_START) or not data.rstrip(b"\0").endswith(_END):
        return None
    frame, has_tables = None, False
    for marker, begin, end in _segments(data):
        if marker == _SCAN:
            return frame if has_tables else None
        if marker == _QUANTISATION and _are_plain(data, begin, end):
            has_tables = True
        elif marker in (_BASELINE, _PROGRESSIVE) and frame is None:
            frame = _frame(data, begin, end)
            if frame is None:
                return None
        elif not _is_passed_over(data, marker, begin, end):
            return None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, begin and end of the content of segments, up to one that is not whole."""
    position = 2
    while position + 4 <= len(data):
        mark, marker, length = unpack_from(">BBH", data, position)
        begin, position = position + 4, position + 2 + length
        if mark != 0xFF or length < 2 or position > len(data):
            return
        yield marker, begin, position


def _are_plain(data: bytes, begin: int, end: int) -> bool:
    """Return True if a segment holds whole quantisation tables of 8 bits."""
    if begin == end or (end - begin) % _TABLE:
        return False
    return all(data[at] < 4 for at in range(begin, end, _TABLE))


def _frame(data: bytes, begin: int, end: int) -> PlainJpeg | None:
    if end - begin < 9:
        return None
    depth, height, width, components = unpack_from(">BHHB", data, begin)
    whole = end - begin == 6 + 3 * components
    if depth != 8 or components not in _MODES or not whole or not width or not height:
        return None
    return PlainJpeg(width, height, _MODES[components])


def _is_passed_over(data: bytes, marker: int, begin: int, end: int) -> bool:
    if marker == _JFIF:
        return end - begin >= 12 and data.startswith(b"JFIF\0", begin)
    return marker in (_COMMENT, _HUFFMAN, _RESTART)
