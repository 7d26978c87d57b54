"""Boards as Markdown, LaTeX, HTML and for notebooks: a matrix of models and data sets."""

from collections.abc import Iterable, Sequence

from likewise.errors import LikewiseError
from likewise.evaluation.metrics import METRICS
from likewise.formats.latex_text import latex
from likewise.pages import notebook
from likewise.pages.markdown import Markup, inline, table
from likewise.pages.rendering import render
from likewise.steps.kinds import kinds
from likewise.steps.leaderboard.board import TIE, Board, BoardCell
from likewise.steps.leaderboard.board_plots import board_plots

LEGEND = (
    f"Values with 95 % confidence intervals; greater is better. {TIE}: the paired test cannot "
    "distinguish the run from the best one of the data set (p > 0.05, Holm)."
)
_MEANINGS = {
    "p to best": "p to best, p to next: p-value of the paired test against the best run, and "
    "against the following one; tie: above 0.05.",
    "mean rank": "mean rank: mean of the ranks on the data sets; 1 is the best.",
    "dimensions": "dimensions: numbers per vector.",
    "images/s": "images/s: images that this machine embedded per second.",
    "ms a query": "ms a query: time of one query of the index on this machine.",
}
"""Head of a column -> its meaning."""

BOLD = "Bold: the best run of a data set, and its ties."


def as_markdown(boards: Iterable[Board], left_out: Iterable[str]) -> str:
    """Return boards as tables in GitHub's Markdown."""
    lines: list[str] = []
    for board in boards:
        heads, rows = board.matrix(inline, _markdown)
        lines += [f"## {inline(board.title)}", ""]
        lines += [*table([*map(Markup, heads)], [[*map(Markup, row)] for row in rows]), ""]
        notes = [f"{LEGEND} {BOLD}", *board.sources, *board.notes]
        lines += [*(f"- {inline(note)}" for note in notes), ""]
    absent = [f"- not shown: {inline(line)}" for line in left_out]
    return "\n".join([*lines, *absent, *([""] if absent else [])])


def _markdown(board: Board, cell: BoardCell) -> str:
    value, between = board.number(cell.value), board.interval(cell)
    value = f"**{value}**" if cell.is_best else value
    return f"{value}{f' ({between})' if between else ''}{cell.mark}"


_WITH_CI = (
    r"\providecommand{\withci}[2]{\begin{tabular}[t]{@{}r@{}}#1\\[-2pt]{\scriptsize (#2)}"
    r"\end{tabular}}"
)
"""Sets the interval below the value, so that a page has room for several data sets."""


def as_latex(boards: Iterable[Board]) -> str:
    r"""Return boards as LaTeX tables; the preamble needs ``\usepackage{booktabs}``.

    ``\withci{VALUE}{INTERVAL}`` sets a value with its interval; a document that defines it
    itself decides how, e.g. ``\newcommand{\withci}[2]{#1}`` without intervals.
    """
    return "\n".join(map(_latex_table, boards))


def _latex_table(board: Board) -> str:
    heads, rows = board.matrix(latex, _latex)
    ours = len(board.entries)
    lines = [
        r"\begin{table}",
        r"\centering",
        _WITH_CI,
        rf"\caption{{{latex(f'{board.title}. {LEGEND} {BOLD}')}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
        r"\toprule",
        _latex_row(heads),
        r"\midrule",
        *map(_latex_row, rows[:ours]),
    ]
    if rows[ours:]:
        lines += [r"\midrule", *map(_latex_row, rows[ours:])]
    lines += [r"\bottomrule", r"\end{tabular}"]
    notes = [*board.sources, *board.notes]
    lines += [rf"\par {{\footnotesize {latex(note)}}}" for note in notes]
    return "\n".join([*lines, r"\end{table}", ""])


def _latex_row(cells: Iterable[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _latex(board: Board, cell: BoardCell) -> str:
    value, between = board.number(cell.value), board.interval(cell, "--")
    value = rf"\textbf{{{value}}}" if cell.is_best else value
    marked = rf"{value}\rlap{{{cell.mark}}}" if cell.mark else value
    return rf"\withci{{{marked}}}{{{between}}}" if between else marked


def as_html(boards: Iterable[Board], left_out: Sequence[str]) -> str:
    """Return boards as one HTML page."""
    shown = [
        {
            "title": board.title,
            "summary": _summary(board),
            # The ranking of a single data set has all numbers of the table of models.
            "matrix": board.matrix() if len(board.datasets) > 1 else None,
            "rankings": [
                (name, *board.ranking_table(name), board_plots(board, name, f"b{number}-{at}"))
                for at, name in enumerate(board.datasets)
            ],
            "notes": [*_notes(board), *_meanings(board)],
        }
        for number, board in enumerate(boards)
    ]
    return render("leaderboard.html", boards=shown, left_out=left_out)


def _summary(board: Board) -> str:
    """Return what the protocol measures; "" if it is not installed."""
    try:
        return kinds("protocols")[str(board.protocol["name"])].summary
    except LikewiseError:
        return ""


def _meanings(board: Board) -> list[str]:
    """Explain the columns that a board has."""
    columns = {head for name in board.datasets for head in board.ranking_table(name)[0]}
    columns |= set(board.matrix()[0])
    texts = [text for head, text in _MEANINGS.items() if head in columns]
    metric, average = (str(board.protocol.get(key, "")) for key in ("metric", "average"))
    known = METRICS.get(metric.partition("@")[0])
    if known is None:
        return texts
    return [f"{board.metric}: {metric}, averaged {average}. {known.summary}", *texts]


def notebook_html(boards: Iterable[Board], left_out: Iterable[str]) -> str:
    """Return boards as HTML that a notebook shows."""
    parts = []
    for board in boards:
        parts += [notebook.heading(board.title), notebook.table(*board.matrix())]
        parts += map(notebook.paragraph, _notes(board))
    return "".join([*parts, *(notebook.paragraph(f"not shown: {line}") for line in left_out)])


def _notes(board: Board) -> list[str]:
    return [LEGEND, *board.sources, *board.notes]
