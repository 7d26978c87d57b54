"""Which layouts fit a place: for the message when the one that was named does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from likewise.errors import DamagedError, DataError, LikewiseError
from likewise.sources import SOURCES
from likewise.sources.base import Reading, Source

_MOST = 3
_GENERAL = ("folder", "webdataset")
"""Layouts that take any folder of images; they are named last."""


class Fit(NamedTuple):
    """A layout that a place may be in, and what would come of it."""

    kind: str
    items: int
    labelled: int
    findings: int


def read_as(layout: Source, kind: str, path: Path, annotations: Path) -> Reading:
    """The reading of ``path`` by ``layout``, which is of that ``kind``.

    Raises:
        DamagedError: one of its files cannot be read; the text names it.
        DataError: it does not fit the layout; the text names those that it fits.
    """
    # A shell leaves the ~ of --path=~/data as it is.
    place, notes = path.expanduser(), annotations.expanduser()
    files = layout.open(place)
    try:
        return layout.read(files, notes)
    except DamagedError:
        raise  # mending the file helps, another layout would not
    except DataError as error:
        raise DataError(f"{error}; {_advice(kind, place, notes)}") from error


def _advice(kind: str, path: Path, annotations: Path) -> str:
    fits = sorted(_fits(kind, path, annotations), key=_rank)[:_MOST]
    if not fits:
        return "no other layout fits either"
    told = [
        f"--source {fit.kind} ({fit.items:,} items, {fit.findings:,} findings)" for fit in fits
    ]
    return f"what fits it: {', '.join(told)}"


def _rank(fit: Fit) -> tuple[bool, int, int, str]:
    return fit.kind in _GENERAL, -fit.labelled, fit.findings, fit.kind


def _fits(but: str, path: Path, annotations: Path) -> Iterator[Fit]:
    for kind in SOURCES.kinds():
        if kind == but:
            continue
        try:
            layout = SOURCES.load(kind)()
            reading = layout.read(layout.open(path), annotations)
        except LikewiseError:
            continue
        labelled = len(reading.items) - reading.items["label"].null_count()
        if len(reading.items) > len(reading.findings) or kind in _GENERAL:
            yield Fit(kind, len(reading.items), labelled, len(reading.findings))
