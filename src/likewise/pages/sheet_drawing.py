"""Text and frames of pictures that Pillow draws: query sheets and contact sheets."""

import functools
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from likewise.errors import DataError
from likewise.pages.rendering import visible

MAX_PIXELS = 178_956_970
"""Pixels of the largest picture; Pillow warns of larger ones when it opens them."""

MAX_SIDE = 65_535
"""Pixels of the longest side; many programs cannot show a larger picture."""

RIGHT, WRONG, OTHER = "#1c7c4a", "#c0392b", "#dfdfdc"
"""Colours of the frames of right hits, of wrong ones, and of other pictures."""

_DASH = 9
_FRAME = 4

_FONTS = (
    *("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSans-Regular.ttf"),
    *("SourceHanSans-Regular.ttc", "DroidSansFallbackFull.ttf", "wqy-microhei.ttc"),
    *("msyh.ttc", "msgothic.ttc", "malgun.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc"),
    *("AppleSDGothicNeo.ttc", "Arial Unicode.ttf", "segoeui.ttf"),
)
"""Fonts of machines, for characters that the font of matplotlib lacks.

The font of Pillow has no letters but those of English.
"""


def sheet(width: int, height: int, colour: str) -> Image.Image:
    """Return an empty picture.

    Raises:
        DataError: it would have more than ``MAX_PIXELS`` pixels, or a longer side than
            ``MAX_SIDE``.
    """
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise DataError(
            f"a picture of {width:,} x {height:,} pixels is too large for one file; show fewer "
            "queries or hits, or write a page (--html)"
        )
    return Image.new("RGB", (width, height), colour)


def fitted(text: str, size: int, width: int, *, keep: str = "start") -> str:
    """Shorten a text to one line of ``width`` pixels; ``keep`` its start or its end."""
    line = " ".join(visible(text).split())
    face = font(line, size)
    if face.getlength(line) <= width:
        return line
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(_cut(line, middle, keep)) <= width:
            low = middle
        else:
            high = middle - 1
    return _cut(line, low, keep)


def wrapped(text: str, size: int, width: int, most: int) -> list[str]:
    """Break a text into at most ``most`` lines of ``width`` pixels; the last one is cut."""
    words = visible(text).split()
    lines: list[str] = []
    while words and len(lines) < most - 1:
        count = 1
        face = font(text, size)
        while count < len(words) and face.getlength(" ".join(words[: count + 1])) <= width:
            count += 1
        lines.append(fitted(" ".join(words[:count]), size, width))
        del words[:count]
    return [*lines, fitted(" ".join(words), size, width)] if words else lines


def write(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, size: int, ink: str
) -> None:
    """Write a line of text at its upper left corner."""
    draw.text(place, text, fill=ink, font=font(text, size))


def frame(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], *, right: bool | None
) -> None:
    """Draw the frame of a picture: solid and green if right, dashed and red if wrong.

    Dashes distinguish them without colours. ``None`` is neither: a thin grey line.
    """
    if right is None:
        draw.rectangle(box, outline=OTHER, width=1)
    elif right:
        draw.rectangle(box, outline=RIGHT, width=_FRAME)
    else:
        _dashed(draw, box)


def _dashed(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    last = _FRAME - 1
    for start in range(left, right + 1, 2 * _DASH):
        end = min(start + _DASH - 1, right)
        draw.rectangle((start, top, end, top + last), fill=WRONG)
        draw.rectangle((start, bottom - last, end, bottom), fill=WRONG)
    for start in range(top, bottom + 1, 2 * _DASH):
        end = min(start + _DASH - 1, bottom)
        draw.rectangle((left, start, left + last, end), fill=WRONG)
        draw.rectangle((right - last, start, right, end), fill=WRONG)


def font(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Return the font that has most characters of a text; characters of no font are boxes."""
    return _face(_path(frozenset(map(ord, text)) - {ord(" ")}), size)


@functools.cache
def _face(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


@functools.lru_cache(4096)
def _path(needed: frozenset[int]) -> str:
    shipped = _shipped()
    if needed <= _characters(shipped):
        return shipped
    return max([shipped, *_installed()], key=lambda path: len(needed & _characters(path)))


@functools.cache
def _shipped() -> str:
    """Return the file of DejaVu Sans, which is a part of matplotlib."""
    import matplotlib as mpl

    return str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


@functools.cache
def _installed() -> list[str]:
    paths = []
    for name in _FONTS:
        try:
            paths.append(str(ImageFont.truetype(name, 12).path))
        except OSError:
            continue
    return paths


@functools.cache
def _characters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path).get_charmap())


def _cut(line: str, length: int, keep: str) -> str:
    if length >= len(line):
        return line
    if keep == "start":
        return f"{line[:length].rstrip()}…"
    return f"…{line[len(line) - length :].lstrip()}"
