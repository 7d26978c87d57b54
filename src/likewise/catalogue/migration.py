"""Rename old options, stages and commands in params.yaml, dvc.yaml and dvc.lock.

Names are replaced in the text of the files, so comments, quotes, anchors and layout stay.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from likewise.catalogue.params_editor import round_trip
from likewise.errors import ConfigError
from likewise.formats import atomic
from likewise.formats.text_files import read_text
from likewise.formats.yaml_documents import parse_yaml
from likewise.storage import journal, versions
from likewise.storage.renamed_options import RENAMED, current, outdated
from likewise.storage.renamed_stages import (
    SECTIONS,
    Entries,
    current_lock,
    entries_of,
    renamed_parameters,
)
from likewise.storage.workspace import Workspace

Edit = tuple[int, str, str]
"""A position in a text, the old name at it, and the new name."""

JOB = "migrate"

_ITEM = re.compile(r"\$\{\s*item\.([a-z_]+)(?=\s*\})")
"""A reference to an option of the entry of a ``foreach`` stage."""

_SECTIONS = {f"${{{section}}}": section for section in SECTIONS}


def migrate(ws: Workspace) -> list[str]:
    """Rename old names in the three files of a catalogue, in all or none of them.

    Returns:
        The files that changed, each with its renamed names in brackets.

    Raises:
        ConfigError: a file is not YAML, or a name in it cannot be replaced safely.
        DataError: another process is migrating the catalogue, or it cannot be written.
    """
    with journal.exclusive_job(ws, JOB):
        texts: dict[Path, str] = {}
        changed = []
        entries = entries_of(_read(_text(ws.params_file), ws.params_file.name))
        for path, rename in (
            (ws.params_file, rename_params),
            (ws.pipeline, partial(rename_pipeline, entries=entries)),
            (ws.lock, partial(rename_lock, entries=entries)),
        ):
            new, names = rename(_text(path))
            if names:
                texts[path] = new
                changed.append(f"{path.name} (renamed {', '.join(dict.fromkeys(names))})")
        if texts:
            staging = journal.Staging(ws, JOB)
            for path, new in texts.items():
                atomic.write_text(staging.path(path), new)
            staging.commit()
    return changed


def rename_params(text: str) -> tuple[str, list[str]]:
    """Rename old options in the text of a params.yaml.

    Returns:
        The new text, and the renamed names as ``old -> new``.

    Raises:
        ConfigError: the text is not YAML, or an entry has both names of an option.
    """
    document = _read(text, "params.yaml")
    edits: list[Edit] = []
    for place, entry in entries_of(document).items():
        for old, new in outdated(entry):
            if new in entry:
                raise ConfigError(
                    f"params.yaml: {place} has both {old!r} and {new!r}; remove one"
                )
            edits += _key(text, entry, old, new)
    edited = _apply(text, edits)
    before, after = entries_of(document), entries_of(_read(edited, "params.yaml"))
    if {place: current(entry) for place, entry in before.items()} != after:
        raise ConfigError(
            "params.yaml: its options cannot be renamed automatically; rename them by hand: "
            + ", ".join(dict.fromkeys(_names(edits)))
        )
    return edited, _names(edits)


def rename_pipeline(text: str, entries: Entries) -> tuple[str, list[str]]:
    """Rename old stages, commands and options in the text of a dvc.yaml.

    Raises:
        ConfigError: the text is not YAML, or another stage already has the new name.
    """
    stages = _stages(_read(text, "dvc.yaml"))
    loads, trains = (
        _iterates(stages, "train", "${models}"),
        _iterates(stages, "fit", "${trained}"),
    )
    if trains and "train" in stages and not loads:
        raise ConfigError(
            "dvc.yaml: the stage `fit` is now called `train`, but dvc.yaml already has "
            "another stage `train`; rename that stage, then run: likewise init"
        )
    edits: list[Edit] = []
    if loads:
        edits += _key(text, stages, "train", "load")
        edits += _value(text, _body(stages["train"]), "cmd", "likewise train", "likewise load")
    if trains:
        edits += _key(text, stages, "fit", "train")
    edits += _references(text, stages, entries)
    return _apply(text, edits), _names(edits)


def rename_lock(text: str, entries: Entries) -> tuple[str, list[str]]:
    """Rename old names in the text of a dvc.lock, so that no stage is run again.

    Raises:
        ConfigError: the text is not YAML.
    """
    document: Any = parse_yaml(text.encode(), "dvc.lock")
    stages = _stages(document)
    present = current_lock(stages, entries)
    if list(present) == list(stages) and present == stages:
        return text, []
    lock = versions.lock_text({**document, "stages": present})
    names = [f"{old} -> {new}" for old, new in zip(stages, present, strict=True) if old != new]
    return lock, names or ["options"]


def _text(path: Path) -> str:
    return read_text(path) if path.is_file() else ""


def _read(text: str, name: str) -> Any:
    """Parse a document that has the positions of its names."""
    parse_yaml(text.encode(), name)  # reports errors
    return round_trip().load(text) or CommentedMap()


def _stages(document: Any) -> Any:
    stages = document.get("stages") if isinstance(document, dict) else None
    return stages if isinstance(stages, dict) else CommentedMap()


def _iterates(stages: Any, name: str, section: str) -> bool:
    """Return True if the stage ``name`` iterates over a section of params.yaml."""
    stage = stages.get(name)
    return isinstance(stage, dict) and stage.get("foreach") == section


def _body(stage: Any) -> Any:
    return stage.get("do") or CommentedMap()


def _references(text: str, stages: Any, entries: Entries) -> Iterator[Edit]:
    """Yield edits of the options in a dvc.yaml: ``${item.start}``, ``trained.tuned.clip``."""
    yield from renamed_parameters(text, entries)
    starts = sorted(_offset(text, *stages.lc.key(name)) for name in stages)
    for name, stage in stages.items():
        if isinstance(stage, dict) and stage.get("foreach") in _SECTIONS:
            names = _renamed_in(_SECTIONS[stage["foreach"]], entries)
            start = _offset(text, *stages.lc.key(name))
            end = next((place for place in starts if place > start), len(text))
            for match in _ITEM.finditer(text, start, end):
                if match[1] in names:
                    yield match.start(1), match[1], names[match[1]]


def _renamed_in(section: str, entries: Entries) -> dict[str, str]:
    """Return old name -> new name of the options of all kinds in a section."""
    kinds = {
        str(entry.get("kind"))
        for path, entry in entries.items()
        if path.startswith(f"{section}.")
    }
    names = {} if section == "models" else dict(RENAMED["whiten"])
    for kind in sorted(kinds & RENAMED.keys()):
        names |= RENAMED[kind]
    return names


def _key(text: str, mapping: Any, old: str, new: str) -> Iterator[Edit]:
    """Yield the edit of a key, unless the key is part of an alias or a merge."""
    try:
        place = _offset(text, *mapping.lc.key(old))
    except KeyError:
        return
    if text[place : place + 1] in ("'", '"'):
        place += 1
    yield place, old, new


def _value(text: str, mapping: Any, key: str, old: str, new: str) -> Iterator[Edit]:
    """Yield the edit of the beginning of a text value."""
    if not str(mapping.get(key, "")).startswith(old):
        return
    place = text.find(old, _offset(text, *mapping.lc.value(key)))
    if place >= 0:
        yield place, old, new


def _offset(text: str, line: int, column: int) -> int:
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[:line])) + column


def _apply(text: str, edits: list[Edit]) -> str:
    for place, old, new in sorted(set(edits), reverse=True):
        if not text.startswith(old, place):
            raise ConfigError(f"{old!r} cannot be renamed to {new!r} here; edit it by hand")
        text = text[:place] + new + text[place + len(old) :]
    return text


def _names(edits: list[Edit]) -> list[str]:
    return [f"{old} -> {new}" for _, old, new in sorted(set(edits))]
