"""Plots of a board: the quality of models against dimensions and speeds."""

from collections.abc import Callable

from likewise.pages.quality_plot import QualityPoint, quality_plot
from likewise.pages.rendering import inline_svg
from likewise.steps.leaderboard.board import Board, BoardCell, BoardEntry

_Cost = Callable[[BoardEntry, BoardCell], float | None]

_COSTS: tuple[tuple[str, bool, _Cost], ...] = (
    ("dimensions (numbers per vector)", True, lambda entry, _: entry.dim),
    ("images embedded per second", False, lambda entry, _: entry.images_per_s),
    ("milliseconds per query", True, lambda _, cell: cell.ms),
)
"""Name, whether less is better, and number of a model."""


def board_plots(board: Board, dataset: str, name: str) -> list[tuple[str, str]]:
    """Return the plots of a data set: title and SVG, of each cost that models differ in.

    Args:
        board: the board.
        dataset: the data set.
        name: begins the ids of the figures.
    """
    ranking = board.ranking(dataset)
    plots = []
    for number, (label, less, cost) in enumerate(_COSTS):
        points = [
            QualityPoint(entry.name, cell.value, cell.low, cell.high, float(x))
            for entry, cell in ranking
            if (x := cost(entry, cell)) is not None and x > 0
        ]
        if len({point.cost for point in points}) > 1:
            unit = " (%)" if board.protocol.get("percent") else ""
            corner = "top left" if less else "top right"
            title = f"{dataset}: {board.metric} and {label}; best in the {corner}"
            drawn = quality_plot(points, f"{board.metric}{unit}", label, less_is_better=less)
            plots.append((title, inline_svg(drawn, f"{name}-{number}")))
    return plots
