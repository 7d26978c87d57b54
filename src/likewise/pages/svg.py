"""Reproducible figures as SVG text, and as PNG."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, BLUE = "#3c3f45", "#8a8d94", "#2f6fb2"

_STYLE: Any = {
    "svg.hashsalt": "likewise",  # otherwise ids differ between runs
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a name may hold dollar signs
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",
}


_lock = threading.RLock()


class Drawing:
    """Result of ``drawing`` and ``canvas``, set when the context ends.

    Attributes:
        svg: the figure as SVG.
        png: the figure as PNG, if the canvas was asked for one.
    """

    svg: str = ""
    png: bytes = b""


@contextmanager
def drawing(
    width: float, height: float, paper: str = "none"
) -> Iterator[tuple["Axes", Drawing]]:
    """Draw on one pair of axes.

    Args:
        width: width in inches.
        height: height in inches.
        paper: background colour.
    """
    with canvas(width, height, paper) as (figure, drawn):
        yield figure.add_subplot(), drawn


@contextmanager
def canvas(
    width: float, height: float, paper: str = "none", *, png: bool = False
) -> Iterator[tuple["Figure", Drawing]]:
    """Draw on a figure without axes; for the arguments see ``drawing``.

    With ``png``, the figure is also a PNG of 200 pixels per inch.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    result = Drawing()
    # matplotlib's settings are global to the process. They are restored at the end, and one
    # thread at a time changes them, because two would restore each other's changes.
    with _lock, mpl.rc_context(_STYLE), warnings.catch_warnings():
        # The viewer of an SVG has fonts for characters that the font of matplotlib lacks.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figure = Figure(figsize=(width, height))
        yield figure, result
        out = StringIO()
        metadata = {"Date": None, "Creator": None}
        figure.savefig(out, format="svg", dpi=150, metadata=metadata, facecolor=paper)
        if png:
            pixels = BytesIO()
            plain: Any = {"Software": None}  # the version of matplotlib
            figure.savefig(pixels, format="png", dpi=200, metadata=plain, facecolor=paper)
            result.png = pixels.getvalue()
    text = out.getvalue()
    result.svg = text[text.index("<svg") :]
