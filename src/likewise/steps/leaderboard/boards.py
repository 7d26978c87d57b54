"""The boards of a catalogue, and their forms for papers, pages and notebooks."""

from dataclasses import dataclass

from likewise.formats.paths import StrPath
from likewise.pages.written import write_page
from likewise.steps.leaderboard import board_texts
from likewise.steps.leaderboard.board import Board


@dataclass(frozen=True)
class Leaderboard:
    """The runs of a catalogue side by side, one board per protocol.

    Attributes:
        boards: the boards, by name and version of their protocols.
        left_out: one line for each run without a usable report, with the reason.
    """

    boards: list[Board]
    left_out: list[str]

    def __repr__(self) -> str:
        sizes = (
            f"{board.protocol['name']}: {len(board.entries)} x {len(board.datasets)}"
            for board in self.boards
        )
        return f"Leaderboard({', '.join(sizes) or 'no results'})"

    def _repr_html_(self) -> str:
        return board_texts.notebook_html(self.boards, self.left_out)

    def to_markdown(self) -> str:
        """Return the boards as Markdown tables."""
        return board_texts.as_markdown(self.boards, self.left_out)

    def to_latex(self) -> str:
        """Return the boards as LaTeX tables, which need the package booktabs."""
        return board_texts.as_latex(self.boards)

    def to_html(self, path: StrPath) -> None:
        """Write the boards as one HTML page.

        Raises:
            DataError: the file cannot be written.
        """
        write_page(path, board_texts.as_html(self.boards, self.left_out))
