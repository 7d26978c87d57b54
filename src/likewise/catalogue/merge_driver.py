"""Git's merge driver of a catalogue: registration, and the merge of what people write."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from likewise.catalogue import corrections, doubts, item_selections, item_tags
from likewise.catalogue.corrections import Conflict, Corrections, Key
from likewise.catalogue.keyed_text import KeyedText
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
        (_ANY.tags("*"), "likewise"),
        (_ANY.reviews("*"), "likewise"),
        (_ANY.selection("*", "*"), "likewise"),
    )
)

ATTRIBUTES = "".join(f"{pattern} merge={how}\n" for pattern, how in _MERGED)
"""Files that git merges by the driver: what people write, and the outputs of stages in git."""


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


def curated_format(name: str) -> KeyedText[Any, Any] | None:
    """Return the format of a file of tags, verdicts or a selection; None for other files."""
    path = PurePosixPath(name)
    formats: dict[str, KeyedText[Any, Any]] = {
        _ANY.tags("").name: item_tags.FILE,
        _ANY.reviews("").name: doubts.FILE,
    }
    if path.parent.name == _ANY.selections("").name and path.suffix == ".csv":
        return item_selections.FILE
    return formats.get(path.name)


def merge_curated(
    form: KeyedText[Any, Any], texts: Iterable[str], name: str, prefer: Side | None
) -> tuple[str, list[str]]:
    """Merge three versions of a file; return its text, and a line per conflict."""
    base, ours, theirs = (form.parse(text, name) if text else {} for text in texts)
    merged, conflicts = form.merge(base, ours, theirs)
    if prefer == "theirs":
        for key, (_, other) in conflicts.items():
            merged.pop(key, None)
            if other is not None:
                merged[key] = other
    lines = [
        f"{form.describe(key)} is {_shown(ours)} here, {_shown(theirs)} there"
        for key, (ours, theirs) in conflicts.items()
    ]
    return form.text(merged), [] if prefer else lines


def _shown(value: tuple[str | None, ...] | None) -> str:
    return "absent" if value is None else " ".join(repr(cell) for cell in value if cell)


def merge_texts(texts: Iterable[str], name: str) -> tuple[Corrections, dict[Key, Conflict]]:
    """Merge three versions of the file ``name`` (base, ours, theirs); see ``merge``."""
    base, ours, theirs = (corrections.parse(text, name) if text else {} for text in texts)
    return corrections.merge(base, ours, theirs)


def describe_conflict(key: Key, pair: Conflict) -> str:
    """Describe a conflict in one line."""
    sides = [repr(value.value) if value else "as the source says" for value in pair]
    return f"{key.column} of {key.item_id!r} is {sides[0]} here, {sides[1]} there"
