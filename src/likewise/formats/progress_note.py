"""A note or a bar on the terminal while something slow is read, loaded or drawn."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, NoReturn, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

_SECONDS = 0.5
"""Time after which the note appears: what ends before needs none."""


@contextmanager
def progress_note(text: str) -> Iterator[None]:
    """Show ``text`` on stderr while a block runs, from half a second on, on a terminal only."""
    if not _is_terminal(sys.stderr):
        yield
        return
    notes = []

    def show() -> None:
        from tqdm import tqdm

        notes.append(tqdm(desc=text, bar_format="{desc} ...", leave=False, disable=None))

    timer = Timer(_SECONDS, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for note in notes:
            note.close()


def _is_terminal(stream: TextIO | None) -> bool:
    """Return True for a terminal; a program around this one may have closed its stderr."""
    return stream is not None and not stream.closed and stream.isatty()


def progress_bar(total: int, text: str, unit: str = "img") -> "tqdm[NoReturn]":
    """Return a bar that appears on stderr after half a second, on a terminal only."""
    from tqdm import tqdm

    hidden = not _is_terminal(sys.stderr)
    return tqdm(total=total, unit=unit, desc=text, delay=_SECONDS, leave=False, disable=hidden)
