"""A note on the terminal while something slow is read or loaded."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def progress_note(text: str) -> Iterator[None]:
    """Show ``text`` on stderr while a block runs, if stderr is a terminal."""
    from tqdm import tqdm

    with tqdm(desc=text, bar_format="{desc} ...", leave=False, disable=None):
        yield
