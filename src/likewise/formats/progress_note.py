"""A note or a bar on the terminal while something slow is read, loaded or drawn."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

_SECONDS = 0.5
"""Time after which the note appears: what ends before needs none."""


@contextmanager
def progress_note(text: str) -> Iterator[None]:
    """Show ``text`` on stderr while a block runs, from half a second on, on a terminal only."""
    if sys.stderr is None or not sys.stderr.isatty():
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


def progress_bar(total: int, text: str, unit: str = "img") -> "tqdm[NoReturn]":
    """Return a bar that appears on stderr after half a second, on a terminal only."""
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, desc=text, delay=_SECONDS, leave=False, disable=None)
