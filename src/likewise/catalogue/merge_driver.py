"""Git's merge driver of a catalogue: registration, and the merge of corrections."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from likewise.catalogue import corrections
from likewise.catalogue.corrections import Conflict, Corrections, Key
from likewise.formats import atomic
from likewise.formats.text_files import read_text
from likewise.storage import versions
from likewise.storage.workspace import Workspace

Side = Literal["ours", "theirs"]


_ANY = Workspace(Path())

CORRECTIONS = _ANY.corrections("").name
LOCK = _ANY.lock.name

_MERGED = tuple(
    (_ANY.relative(path), how)
    for path, how in (
        (_ANY.corrections("*"), "likewise"),
        (_ANY.forgotten("*"), "union"),
        (_ANY.digests("*", "*"), "likewise"),
        (_ANY.published_digests("*"), "likewise"),
        (_ANY.metrics("*"), "likewise"),
        (_ANY.lock, "likewise"),
        (_ANY.pixel_digests("*"), "likewise"),
        (_ANY.flag_digests("*"), "likewise"),
        (_ANY.training("**"), "likewise"),
    )
)

ATTRIBUTES = "".join(f"{pattern} merge={how}\n" for pattern, how in _MERGED)
"""Files that git merges by the driver: corrections, and the outputs of stages in git."""


DRIVER = "merge-file %O %A %B %P"


def register_driver(ws: Workspace) -> None:
    """Register the driver in this clone; no file of the checkout is changed.

    Raises:
        VersionError: the catalogue is not in a git repository.
    """
    versions.run_git(ws.root, "config", "merge.likewise.name", "corrections and digests")
    versions.run_git(ws.root, "config", "merge.likewise.driver", f"likewise {DRIVER}")


def write_attributes(ws: Workspace) -> Path:
    """Write the attributes to a private file, for a checkout whose .gitattributes is older.

    git reads a file of ``core.attributesFile`` from the top folder of the repository, and
    .gitattributes takes precedence over it.
    """
    prefix = versions.run_git(ws.root, "rev-parse", "--show-prefix").strip()
    quoted = prefix.replace("\\", "\\\\").replace('"', '\\"')
    lines = [f'"{quoted}{pattern}" merge={how}\n' for pattern, how in _MERGED]
    atomic.write_text(ws.record("attributes"), "".join(lines))
    return ws.record("attributes")


def register(ws: Workspace) -> list[str]:
    """Register the driver in this clone, and return the names of the files that were written.

    Raises:
        VersionError: the catalogue is not in a git repository.
    """
    register_driver(ws)
    path = ws.attributes
    present = read_text(path) if path.is_file() else ""
    missing = [line for line in ATTRIBUTES.splitlines() if line not in present.splitlines()]
    if not missing:
        return []
    lines = [*present.splitlines(), *missing]
    atomic.write_text(path, "".join(f"{line}\n" for line in lines))
    return [path.name]


def merge_texts(texts: Iterable[str], name: str) -> tuple[Corrections, dict[Key, Conflict]]:
    """Merge three versions of the file ``name`` (base, ours, theirs); see ``merge``."""
    base, ours, theirs = (corrections.parse(text, name) if text else {} for text in texts)
    return corrections.merge(base, ours, theirs)


def describe_conflict(key: Key, pair: Conflict) -> str:
    """Describe a conflict in one line."""
    sides = [repr(value.value) if value else "as the source says" for value in pair]
    return f"{key.column} of {key.item_id!r} is {sides[0]} here, {sides[1]} there"
