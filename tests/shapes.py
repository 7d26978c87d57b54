"""Pictures of simple shapes, and the strokes by which a test draws them."""

import math
from pathlib import Path

from PIL import Image, ImageDraw

SIDE = 512

HOSTILE = "<img src=x onerror=alert(1)>.png"
"""Name of one of the pictures."""

Strokes = list[list[tuple[float, float]]]


def strokes(shape: str, shift: int = 0) -> Strokes:
    """Return the lines of a shape, in pixels of a square of 512."""
    low, high, middle = 110 + shift, 400 + shift, 256 + shift
    if shape == "cross":
        return [[(low, low), (high, high)], [(low, high), (high, low)]]
    if shape == "bars":
        return [[(low, y + shift), (high, y + shift)] for y in (130, 215, 300, 385)]
    turns = [step * math.tau / 40 for step in range(41)]
    return [[(middle + 145 * math.cos(a), middle + 145 * math.sin(a)) for a in turns]]


def draw_shapes(folder: Path) -> None:
    """Draw three pictures of each of three shapes."""
    for shape in ("bars", "cross", "ring"):
        (folder / shape).mkdir(parents=True)
        for shift in (-12, 0, 12):
            picture = Image.new("RGB", (SIDE, SIDE), "white")
            pen = ImageDraw.Draw(picture)
            for line in strokes(shape, shift):
                pen.line(line, "black", 6, "curve")
            picture.save(folder / shape / f"{shape}{shift + 12:02}.png")
    (folder / "bars" / "bars12.png").rename(folder / "bars" / HOSTILE)
