"""Leaderboards for people: a matrix of models and data sets, then a ranking per data set."""

import sys
from typing import TYPE_CHECKING

from likewise.cli.output import print_line, print_table
from likewise.cli.terminal_text import terminal_width, width
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import Board, Leaderboard

SHOWN = 10
"""Number of runs without a report that a terminal lists; --json lists all."""


def print_leaderboard(table: "Leaderboard") -> None:
    """Print the boards, and the runs that are not on them."""
    for number, board in enumerate(table.boards):
        if number:
            print_line("")
        _print_board(board)
    most = SHOWN if sys.stdout.isatty() else len(table.left_out)
    for line in table.left_out[:most]:
        print_line(f"not shown: {line}")
    rest = len(table.left_out) - most
    if rest > 0:
        print_line(
            f"and {counted(rest, 'more run', 'is', 'are')} not shown; list all with --json"
        )


def _print_board(board: "Board") -> None:
    print_line(board.title)
    if len(board.datasets) > 1:
        print_line("")
        print_table(*_matrix(board))
    for dataset in board.datasets:
        print_line("")
        print_line(dataset)
        print_table(*board.ranking_table(dataset))
    print_line("")
    print_line("tie (=): the paired test finds no difference; p is corrected by Holm's method")
    for note in [*board.sources, *board.notes]:
        print_line(f"note: {note}")


def _matrix(board: "Board") -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of all data sets, or without these if a terminal is too narrow."""
    heads, rows = board.matrix(cell=type(board).short)
    most = terminal_width(sys.stdout)
    sizes = [max(map(width, column)) for column in zip(heads, *rows, strict=True)]
    if most is None or sum(sizes) + 2 * (len(sizes) - 1) <= most:
        return heads, rows
    kept = [0, *range(1 + len(board.datasets), len(heads))]
    return [heads[n] for n in kept], [[row[n] for n in kept] for row in rows]
