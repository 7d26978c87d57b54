"""Figures as SVG text, which is the same for the same numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, BLUE = "#3c3f45", "#8a8d94", "#2f6fb2"

_STYLE: Any = {
    "svg.hashsalt": "likewise",  # else ids differ from run to run
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",
}


class Drawing:
    """A figure in the making; ``svg`` is its text once the drawing is done."""

    svg: str = ""


@contextmanager
def drawing(
    width: float, height: float, paper: str = "none"
) -> Iterator[tuple["Axes", Drawing]]:
    """One pair of axes to draw on, ``width`` by ``height`` inches, on ``paper``: a colour."""
    with canvas(width, height, paper) as (figure, drawn):
        yield figure.add_subplot(), drawn


@contextmanager
def canvas(
    width: float, height: float, paper: str = "none"
) -> Iterator[tuple["Figure", Drawing]]:
    """A figure to put axes on."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    drawn = Drawing()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        yield figure, drawn
        out = StringIO()
        nobody = {"Date": None, "Creator": None}
        figure.savefig(out, format="svg", dpi=150, metadata=nobody, facecolor=paper)
    text = out.getvalue()
    drawn.svg = text[text.index("<svg") :]
