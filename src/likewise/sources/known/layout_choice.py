"""Find the files of a known data set at a place, and the layout that reads them."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from likewise.errors import DataError, UnknownNameError, bounded
from likewise.formats.archives import is_archive, open_files
from likewise.formats.object_storage import is_remote
from likewise.sources import SOURCES
from likewise.sources.base import is_image
from likewise.sources.glob_paths import glob_pattern
from likewise.sources.known import KnownDataset, KnownLayout, find_known, known_datasets
from likewise.storage.config import ExpectedCounts

_MAX_TOPS = 100
"""Maximum number of folders that are tried as the top of a data set."""


@dataclass(frozen=True)
class LayoutChoice:
    """The layout of a known data set that fits a place.

    Attributes:
        name: name of the data set.
        known: its declaration.
        layout: the layout that fits.
        path: folder or archive to read; an archive in the given folder, if the files are in it.
        annotations: folder, archive or file of the annotations.
        packed: the files are in several archives of the folder.
    """

    name: str
    known: KnownDataset
    layout: KnownLayout
    path: Path
    annotations: Path
    packed: bool = False

    @property
    def source(self) -> dict[str, Any]:
        """Kind and options of the source that reads it."""
        return {**self.layout.source, **({"nested": True} if self.packed else {})}

    @property
    def counts(self) -> ExpectedCounts:
        """The published counts of this layout."""
        return self.known.counts if self.layout.counts is None else self.layout.counts

    @property
    def protocols(self) -> dict[str, dict[str, Any]] | None:
        """The protocols that score it; None for those of the kind of source."""
        own = self.layout.protocols
        return self.known.protocols if own is None else own

    def describe(self) -> str:
        """Return the layout in one line."""
        note = f": {self.layout.note}" if self.layout.note else ""
        return f"{self.name}, read by --source {self.layout.source['kind']}{note}"

    def card_facts(self) -> dict[str, Any]:
        """Return the values of a new card except its title and source."""
        facts = known_facts(self.name, self.known)
        return {**facts, "counts": self.counts.model_dump(exclude_defaults=True)}


def known_facts(name: str, known: KnownDataset) -> dict[str, Any]:
    """Return the values of a card that the declaration of ``name`` states."""
    facts: dict[str, Any] = {
        "known": name,
        "licence": known.licence.model_dump(mode="json", exclude_defaults=True)
        or {"spdx": known.licence.spdx},
        "citation": known.citation,
        "homepage": known.homepage,
        "counts": known.counts.model_dump(exclude_defaults=True),
        "faults": list(known.faults),
    }
    return {key: value for key, value in facts.items() if value}


def known_layout(source: str | None, path: Path) -> LayoutChoice | None:
    """Return the layout of the public data set ``source``; None if there is none.

    Without ``source``, the data set is recognised by its files. A kind of source may have the
    name of a data set; ``path`` then need not have its files.

    Raises:
        DataError: ``path`` does not have the files of the data set.
        UnknownNameError: there is no such kind of source and no such data set.
    """
    if source is None:
        return recognise(path)
    name, kinds = find_known(source), SOURCES.kinds()
    if name is None:
        if source in kinds:
            return None
        raise UnknownNameError("source kind", source, sorted({*kinds, *known_datasets()}))
    known = known_datasets()[name]
    if source not in kinds:
        return choose_layout(name, known, path)
    with suppress(DataError):
        return choose_layout(name, known, path)
    return None


def recognise(path: Path) -> LayoutChoice | None:
    """Return the layout of the public data set that the folder ``path`` has.

    The names of files must be those of one data set only, and the number of images must be
    between half and one and a half times the published one: people use the layouts of public
    data sets for their own data too. Archives are not recognised, because they would be listed
    twice.
    """
    if not path.is_dir():
        return None
    names = pl.Series(dtype=pl.String)
    with suppress(DataError):
        names = open_files(path).listing()["path"]
    number = names.to_frame("path").filter(is_image()).height
    hits = []
    for name, known in known_datasets().items():
        choices = (LayoutChoice(name, known, one, path, path) for one in known.layouts)
        fits = (c for c in choices if _is_near(number, c) and _fits(names, c.layout.files))
        hits += [choice for choice in fits if choice.source["kind"] != name][:1]
    return hits[0] if len(hits) == 1 else None


def _is_near(number: int, choice: LayoutChoice) -> bool:
    """Return whether the number of images is near the published one."""
    published = choice.counts.images
    return published is not None and published <= 2 * number <= 3 * published


def choose_layout(name: str, known: KnownDataset, path: Path) -> LayoutChoice:
    """Return the first layout of ``known`` whose files exist in ``path``.

    The files may be in a folder at any depth, in an archive, or in one archive of the folder;
    a layout may also be read from several archives.

    Raises:
        DataError: no layout fits; the message lists the expected files.
    """
    plain = open_files(path).listing()["path"]
    for layout in known.layouts:
        if _fits(plain, layout.files):
            return LayoutChoice(name, known, layout, path, path)
    for layout in known.layouts:
        if layout.packed and path.is_dir() and _fits(plain, layout.packed):
            return LayoutChoice(name, known, layout, path, path, packed=True)
    for archive in _single_archives(known, path):
        names = open_files(archive).listing()["path"]
        for layout in known.layouts:
            if _fits(names, layout.files):
                annotations = path / layout.annotations
                place = annotations if annotations.is_file() else archive
                return LayoutChoice(name, known, layout, archive, place)
    raise DataError(
        f"{path}: these are not the files of {name}; expected {_expected(known)}; there is "
        f"{bounded(map(repr, plain.head(5)), len(plain)) or 'nothing'}; give the folder or "
        "archive of these files, or describe your own layout by --source table or --source "
        "pattern (docs/datasets.md, docs/layouts.md)"
    )


def _expected(known: KnownDataset) -> str:
    """Return the files of all layouts, and the archives, for messages."""
    forms = [", ".join(layout.files) for layout in known.layouts]
    forms += [", ".join(layout.packed) for layout in known.layouts if layout.packed]
    return " or ".join(dict.fromkeys(forms))


def _single_archives(known: KnownDataset, path: Path) -> Iterator[Path]:
    """Yield the archives of a folder that may have all files: as published, or the only one."""
    if not path.is_dir():
        return
    files = [path / file.name for file in known.download]
    present = [file for file in files if file.is_file() and is_archive(file)]
    if not present and not is_remote(path):
        others = [file for file in sorted(path.iterdir()) if file.is_file()]
        archives = [file for file in others if file.stat().st_size and is_archive(file)]
        present = archives if len(archives) == 1 else []
    yield from present


def _fits(paths: pl.Series, wanted: Sequence[str]) -> bool:
    """Return whether all ``wanted`` files are below one folder."""
    tops: set[str] | None = None
    for name in wanted:
        if not name.startswith("**/"):
            hits = paths.str.extract(rf"(?s)\A((?:.*?/)??){_pattern(name)}").drop_nulls()
            tops = set(hits.unique()) if tops is None else tops & set(hits.unique())
    deep = [name for name in wanted if name.startswith("**/")]
    candidates = sorted({""} if tops is None else tops, key=len)[:_MAX_TOPS]
    return any(
        all(paths.str.contains(rf"(?s)\A{re.escape(top)}{_pattern(n)}").any() for n in deep)
        for top in candidates
    )


def _pattern(name: str) -> str:
    """Return the regular expression for a file, or for a folder with files."""
    return glob_pattern(name.rstrip("/")) + ("/" if name.endswith("/") else r"\z")
