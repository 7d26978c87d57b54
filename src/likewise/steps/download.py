"""Fetch a data set that is known by name, or say how to get it."""

from dataclasses import dataclass
from pathlib import Path

from likewise.errors import DataError, UnknownNameError
from likewise.formats.archives import is_archive
from likewise.formats.paths import StrPath
from likewise.sources.known_datasets import KNOWN_DATASETS, KnownDataset
from likewise.storage.fetch import fetch, matches

_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2")


@dataclass(frozen=True)
class Downloaded:
    """What a download did, and the command that adds the data set.

    Attributes:
        name: the data set.
        folder: where its files lie.
        fetched: the names of those that were fetched,
        kept: ... and of those that were there already.
        licence: its terms, in a line.
        next: the command that adds it to a catalogue.
    """

    name: str
    folder: str
    fetched: list[str]
    kept: list[str]
    licence: str
    next: str


def download(name: str, folder: StrPath | None = None) -> Downloaded:
    """Fetch the files of the data set ``name`` into ``folder``, by default ``data/<name>``.

    A file that is there stays as it is, and one that came in part is gone on with. Archives
    are not unpacked: ingest reads them as they are.

    Raises:
        UnknownNameError: no data set of that name is known.
        DataError: it is not public (what to get, and where to put it); a file that is there is
            another one; a server refuses, breaks off, or sends what was not asked for.
    """
    if name not in KNOWN_DATASETS:
        raise UnknownNameError("download", name, KNOWN_DATASETS)
    known = KNOWN_DATASETS[name]
    place = Path("data") / name if folder is None else Path(folder)
    follows = f"likewise add {name} {known.add.replace('{}', str(place))}"
    if not known.parts:
        raise DataError(
            f"{known.title} cannot be fetched by a program: {known.by_hand} into {place}, and "
            f"run: {follows}"
        )
    fetched, kept = _files(known, place)
    return Downloaded(name, str(place), fetched, kept, known.licence, follows)


def _files(known: KnownDataset, place: Path) -> tuple[list[str], list[str]]:
    """The names of the files that were fetched, and of those that were there."""
    fetched: list[str] = []
    kept: list[str] = []
    for part in known.parts:
        target = place / part.name
        if target.exists():
            if not matches(part.wanted, target):
                raise DataError(
                    f"{target} is there already, and is not what is at {part.wanted.url}; "
                    "move it away to fetch that"
                )
            kept.append(part.name)
        else:
            fetch(part.wanted, target)
            fetched.append(part.name)
            _refuse_page(target, part.wanted.url)
    return fetched, kept


def _refuse_page(target: Path, url: str) -> None:
    """Refuse what a server sent in an archive's stead: a page that says sorry, mostly."""
    if target.suffix in _ARCHIVES and not is_archive(target):
        with target.open("rb") as stream:
            head = stream.read(200).decode("utf-8", "replace")
        target.unlink()
        said = " ".join(head.split())[:80]
        raise DataError(f"{url} sent no archive, but {said!r}; it was removed")
