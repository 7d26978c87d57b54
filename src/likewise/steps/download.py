"""Download a known data set, or report how to obtain it."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from likewise.errors import DataError, UnknownNameError
from likewise.formats.archives import is_archive
from likewise.formats.paths import StrPath
from likewise.sources.known_datasets import KNOWN_DATASETS, KnownDataset
from likewise.storage.fetch import discard_partial, fetch, matches

_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2")


@dataclass(frozen=True)
class Downloaded:
    """Result of a download.

    Attributes:
        name: name of the data set.
        folder: folder of its files.
        fetched: names of the files that were downloaded.
        kept: names of the files that were already in the folder.
        licence: terms of the data set, in one line.
        unverified: names of the files for which nobody publishes a checksum.
        next: command that adds the data set to a catalogue.
    """

    name: str
    folder: str
    fetched: list[str]
    kept: list[str]
    licence: str
    unverified: list[str]
    next: str


def download(name: str, folder: StrPath | None = None) -> Downloaded:
    """Download the files of the data set ``name``.

    Call it again to resume an interrupted download. Existing files are never overwritten.
    Archives are not unpacked: ingest reads them directly.

    Args:
        name: a name in ``likewise.downloads()``.
        folder: folder for the files; by default ``data/<name>``.

    Raises:
        UnknownNameError: no data set of that name is known.
        DataError: the data set is not public (the message tells how to obtain it), an existing
            file has other contents, or the server refuses, disconnects or sends another file.

    Example:
        A data set behind a registration cannot be downloaded by a program:

        >>> likewise.download("shoev2")
        Traceback (most recent call last):
        likewise.errors.DataError: QMUL-Shoe-V2 cannot be downloaded automatically: ask at
        https://sketchx.eecs.qmul.ac.uk/downloads/ for QMUL-Shoe-V2, put its folders of photos
        and sketches with their lists into data/shoev2, and run:
        likewise add shoev2 --source sketch --path data/shoev2
    """
    if name not in KNOWN_DATASETS:
        raise UnknownNameError("download", name, KNOWN_DATASETS)
    known = KNOWN_DATASETS[name]
    place = Path("data") / name if folder is None else Path(folder)
    follows = f"likewise add {name} {known.add.replace('{}', shlex.quote(str(place)))}"
    if not known.parts:
        raise DataError(
            f"{known.title} cannot be downloaded automatically: {known.by_hand} into {place}, "
            f"and run: {follows}"
        )
    fetched, kept = _files(known, place)
    unverified = [part.name for part in known.parts if part.wanted.digest is None]
    return Downloaded(name, str(place), fetched, kept, known.licence, unverified, follows)


def _files(known: KnownDataset, place: Path) -> tuple[list[str], list[str]]:
    """Return the names of the files that were downloaded, and of those that existed."""
    fetched: list[str] = []
    kept: list[str] = []
    for part in known.parts:
        target = place / part.name
        if target.exists():
            if not matches(part.wanted, target):
                raise DataError(
                    f"{target} exists and differs from {part.wanted.url}; move it to download "
                    "that file"
                )
            discard_partial(target)
            kept.append(part.name)
        else:
            fetch(part.wanted, target)
            fetched.append(part.name)
            _refuse_page(target, part.wanted.url)
    return fetched, kept


def _refuse_page(target: Path, url: str) -> None:
    """Remove and refuse a file that should be an archive but is not, mostly an error page."""
    if target.suffix in _ARCHIVES and not is_archive(target):
        with target.open("rb") as stream:
            head = stream.read(200).decode("utf-8", "replace")
        target.unlink()
        start = " ".join(head.split())[:80]
        raise DataError(
            f"{url} sent a file that is not an archive and begins with {start!r}; the file "
            "was removed"
        )
