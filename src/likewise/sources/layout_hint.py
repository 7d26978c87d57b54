"""Suggest layouts that fit a place, for the error when the chosen one does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from likewise.errors import DamagedError, DataError
from likewise.sources import SOURCES
from likewise.sources.base import Source, SourceResult

_MAX_SUGGESTIONS = 3
_GENERAL = ("folder", "webdataset")
"""Layouts that accept any folder of images; they are suggested last."""


class LayoutFit(NamedTuple):
    """A layout that can read a place: numbers of items, labelled items and findings."""

    kind: str
    items: int
    labelled: int
    findings: int


def read_with_hint(layout: Source, kind: str, path: Path, annotations: Path) -> SourceResult:
    """Read ``path`` with ``layout``, whose kind is ``kind``.

    Raises:
        DamagedError: a file cannot be read; the message names it.
        DataError: ``path`` does not have this layout; the message names layouts that fit.
    """
    # A shell does not expand the ~ of --path=~/data.
    place, annotation_place = path.expanduser(), annotations.expanduser()
    files = layout.open(place)
    try:
        return layout.read(files, annotation_place)
    except DamagedError:
        raise  # repairing the file helps, another layout would not
    except DataError as error:
        raise DataError(f"{error}; {_suggestion(kind, place, annotation_place)}") from error


def _suggestion(kind: str, path: Path, annotations: Path) -> str:
    fits = sorted(_fits(kind, path, annotations), key=_rank)[:_MAX_SUGGESTIONS]
    if not fits:
        return "no other layout fits either"
    options = [
        f"--source {fit.kind} ({fit.items:,} items, {fit.findings:,} findings)" for fit in fits
    ]
    return f"layouts that fit: {', '.join(options)}"


def _rank(fit: LayoutFit) -> tuple[bool, int, int, str]:
    return fit.kind in _GENERAL, -fit.labelled, fit.findings, fit.kind


def _fits(except_kind: str, path: Path, annotations: Path) -> Iterator[LayoutFit]:
    for kind in SOURCES.kinds():
        if kind == except_kind:
            continue
        try:
            layout = SOURCES.load(kind)()
            result = layout.read(layout.open(path), annotations)
        except Exception:  # noqa: BLE001, S112 (data of another layout may cause anything)
            continue
        labelled = len(result.items) - result.items["label"].null_count()
        if len(result.items) > len(result.findings) or kind in _GENERAL:
            yield LayoutFit(kind, len(result.items), labelled, len(result.findings))
