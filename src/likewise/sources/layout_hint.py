"""Find the layouts that fit a place, for ``add`` without a layout and for its errors."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from likewise.errors import AmbiguousLayoutError, DamagedError, DataError
from likewise.formats.archives import FileCollection, open_files
from likewise.formats.counted_nouns import counted
from likewise.formats.object_storage import StoreError, is_remote
from likewise.sources import SOURCES
from likewise.sources.base import Source, SourceResult

_MAX_SUGGESTIONS = 3
_GENERAL = ("folder", "webdataset", "fissp")
"""Layouts that accept any folder of images; they are suggested last, in this order."""

_TABLES = ("table", "csv")
"""Layouts that accept any table; others that read the same are better, in this order."""

_TAR = r"(?i)\.tar(\.(gz|xz|bz2))?\z"
_FACTS = ("label", "box", "text", "split", "subset", "role", "columns")
"""Columns of items that tell how much a layout reads; "columns" are those of its own."""

_SMALL_FACTS = frozenset(("split", "subset", "columns"))
"""Facts that alone do not make another layout better."""


class LayoutFit(NamedTuple):
    """A layout that can read a place.

    Attributes:
        kind: kind of source.
        items: number of items.
        labelled: number of items with a label.
        findings: number of findings.
        facts: columns that some items have, in the order of ``_FACTS``.
    """

    kind: str
    items: int
    labelled: int
    findings: int
    facts: tuple[str, ...]

    @property
    def is_general(self) -> bool:
        """True if the layout only reads names of folders."""
        return self.kind in _GENERAL and not {"box", "text"} & set(self.facts)

    def describe(self, others: Collection["LayoutFit"] = ()) -> str:
        """Return what the layout reads, or what of ``others`` it does not."""
        numbers = f"{counted(self.items, 'item')}, {counted(self.findings, 'finding')}"
        lost = [f for f in _FACTS if f not in self.facts and any(f in o.facts for o in others)]
        facts = f" with {', '.join(self.facts)}" if self.facts and not others else ""
        facts += f" without {', '.join(lost)}" if lost else ""
        return f"--source {self.kind} ({numbers}){facts}"


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
    except (DamagedError, StoreError):
        raise  # repairing the file helps, another layout would not
    except DataError as error:
        raise DataError(f"{error}; {_suggestion(kind, place, annotation_place)}") from error


def find_layout(path: Path, annotations: Path) -> LayoutFit:
    """Return the layout that fits ``path`` best.

    A layout is better than another if it reads all that the other reads, and more.

    Raises:
        AmbiguousLayoutError: several layouts fit, and none is better than all others.
        DataError: no layout fits.
    """
    place, annotation_place = path.expanduser(), annotations.expanduser()
    fits = sorted(_fits("", place, annotation_place), key=_rank)
    best = [fit for fit in fits if not any(_is_better(other, fit) for other in fits)]
    if not best:
        raise DataError(
            f"{path}: no layout fits{_without_images(place)}; name one by --source KIND, or "
            "describe your own by --source table or --source pattern (docs/layouts.md)"
        )
    if len(best) > 1:
        shown = best[:_MAX_SUGGESTIONS]
        either = " or ".join(fit.describe(shown) for fit in shown)
        raise AmbiguousLayoutError(
            f"{path}: several layouts fit: {either}", [f.kind for f in best]
        )
    return best[0]


def _without_images(path: Path) -> str:
    """Return why a place without images cannot be read; "" if there are images."""
    layout = SOURCES.load("folder")()
    try:
        layout.read(layout.open(path), path)
    except DataError as error:
        return f": {error}"
    return ""


def _is_better(one: LayoutFit, other: LayoutFit) -> bool:
    """Return whether ``one`` reads all that ``other`` reads, and more of it."""
    if one.kind == other.kind:
        return False
    if one.is_general or other.is_general:
        return _is_better_than_folders(one, other)
    facts, further = set(one.facts) - {"columns"}, set(other.facts) - {"columns"}
    if not facts >= further or one.items * 2 < other.items:
        return False
    if facts == further and one.labelled == other.labelled:
        ranks = [
            _TABLES.index(fit.kind) + 1 if fit.kind in _TABLES else 0 for fit in (one, other)
        ]
        return ranks[0] < ranks[1] or (ranks[0] == ranks[1] and one.findings < other.findings)
    return facts > further or one.labelled > other.labelled


def _is_better_than_folders(one: LayoutFit, other: LayoutFit) -> bool:
    """Compare layouts of which at least one only reads names of folders."""
    main, others = set(one.facts) - _SMALL_FACTS, set(other.facts) - _SMALL_FACTS
    if one.is_general and other.is_general:
        return main > others or (main == others and _rank(one) < _rank(other))
    if other.is_general:
        return bool(main or "columns" in one.facts) and main >= others
    return main > others and not others


def _suggestion(kind: str, path: Path, annotations: Path) -> str:
    fits = sorted(_fits(kind, path, annotations), key=_rank)[:_MAX_SUGGESTIONS]
    if not fits:
        return "no other layout fits either"
    return f"layouts that fit: {', '.join(fit.describe(fits) for fit in fits)}"


def _rank(fit: LayoutFit) -> tuple[int, int, int, str]:
    position = _GENERAL.index(fit.kind) + 1 if fit.is_general else 0
    return position, -fit.labelled, fit.findings, fit.kind


def _fits(except_kind: str, path: Path, annotations: Path) -> Iterator[LayoutFit]:
    """Yield the layouts that read ``path``; data of another layout may cause any error."""
    plain: FileCollection | None = None
    for kind in SOURCES.kinds():
        if kind == except_kind or (kind == "webdataset" and not _has_tar(path)):
            continue
        try:
            layout = SOURCES.load(kind)()
            if type(layout).open is not Source.open:
                result = layout.read(layout.open(path), annotations)
            else:
                plain = plain or layout.open(path)  # its listing is read once for all
                result = layout.read(plain, annotations)
        except (KeyboardInterrupt, SystemExit, GeneratorExit, StoreError):
            raise
        except BaseException:  # noqa: BLE001, S112 (a panic of Rust is no Exception)
            continue
        fit = _fit(kind, result)
        if fit.items and (fit.items > fit.findings or fit.is_general or fit.labelled):
            yield fit


def _fit(kind: str, result: SourceResult) -> LayoutFit:
    items = result.items
    labelled = len(items) - items["label"].null_count()
    facts = [name for name in _FACTS[:-1] if items[name].null_count() < len(items)]
    if kind in _GENERAL and "label" in facts and items["label"].drop_nulls().n_unique() < 2:
        facts.remove("label")  # one folder around all images, rather than a class
    further = (items[c.name].null_count() < len(items) for c in result.extra_columns)
    facts += ["columns"] if any(further) else []
    return LayoutFit(kind, len(items), labelled, len(result.findings), tuple(facts))


def _has_tar(path: Path) -> bool:
    """Return whether ``path`` is a tar, or a folder with one."""
    if path.is_file():
        return bool(pl.Series([path.name]).str.contains(_TAR).item())
    if is_remote(path):
        return bool(open_files(path).listing()["path"].str.contains(_TAR).any())
    return any(
        child.name.lower().endswith((".tar", ".tar.gz")) for child in path.rglob("*.tar*")
    )
