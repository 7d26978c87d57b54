"""Download a known data set, or report how to obtain it."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from likewise.errors import DataError, UnknownNameError
from likewise.formats.archives import is_archive
from likewise.formats.paths import StrPath
from likewise.sources.known import KnownDataset, find_known, known_datasets
from likewise.storage.config.names import dataset_name_fault
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
        renamed: a sentence about a former name that was given; else "".
    """

    name: str
    folder: str
    fetched: list[str]
    kept: list[str]
    licence: str
    unverified: list[str]
    next: str
    renamed: str = ""


def download(name: str, folder: StrPath | None = None) -> Downloaded:
    """Download the files of the data set ``name``.

    Call it again to resume an interrupted download. Existing files are never overwritten.
    Archives are not unpacked: ingest reads them directly.

    Args:
        name: a name in ``likewise.downloads()``, or a former name.
        folder: folder for the files; by default ``data/<name>``.

    Raises:
        UnknownNameError: no data set of that name is known.
        DataError: the data set is not public (the message tells how to obtain it), an existing
            file has other contents, or the server refuses, disconnects or sends another file.

    Example:
        A data set behind a registration cannot be downloaded by a program:

        >>> likewise.download("shoe-v2")
        Traceback (most recent call last):
        likewise.errors.DataError: QMUL-Shoe-V2 cannot be downloaded automatically: ask at
        https://sketchx.eecs.qmul.ac.uk/downloads/ for QMUL-Shoe-V2, and put its folders of
        photos and sketches with their lists into data/shoe-v2, and run:
        likewise add shoe_v2 --source shoe-v2 --path data/shoe-v2
    """
    present = find_known(name)
    if present is None:
        raise UnknownNameError("download", name, known_datasets())
    known = known_datasets()[present]
    place = Path("data") / name if folder is None else Path(folder)
    follows = add_command(present, place)
    renamed = "" if name == present else f"{name!r} is called {present!r} now"
    if not known.download:
        raise DataError(
            f"{known.title} cannot be downloaded automatically: {known.by_hand} into {place}, "
            f"and run: {follows}"
        )
    fetched, kept = _files(known, place)
    unverified = [file.name for file in known.download if file.digest is None]
    return Downloaded(
        present, str(place), fetched, kept, known.terms, unverified, follows, renamed
    )


def add_command(name: str, place: Path) -> str:
    """Return the command that adds the known data set ``name`` from the folder ``place``."""
    dataset = catalogue_name(name)
    return f"likewise add {dataset} --source {name} --path {shlex.quote(str(place))}"


def catalogue_name(name: str) -> str:
    """Return a valid name for the known data set ``name`` in a catalogue.

    Example:
        >>> catalogue_name("food-101"), catalogue_name("open-images")
        ('food_101', 'openimages')
    """
    plain = name.replace("-", "_")
    return plain.replace("_", "") if dataset_name_fault(plain) else plain


def _files(known: KnownDataset, place: Path) -> tuple[list[str], list[str]]:
    """Return the names of the files that were downloaded, and of those that existed."""
    fetched: list[str] = []
    kept: list[str] = []
    for part in known.download:
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
