"""Rename what an older release called otherwise in params.yaml, dvc.yaml and dvc.lock.

The files are edited in place, name by name, so that comments, quotes, anchors and layout stay.
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
"""A place in a text, the name that stands there, and the name that replaces it."""

JOB = "migrate"

_ITEM = re.compile(r"\$\{\s*item\.([a-z_]+)(?=\s*\})")
"""An option of the entry that a stage is made for."""

_SECTIONS = {f"${{{section}}}": section for section in SECTIONS}


def migrate(ws: Workspace) -> list[str]:
    """Give the three files of a catalogue the names of this release, all or none of them.

    Returns:
        The files that changed, each with its renamed names in brackets.

    Raises:
        ConfigError: a file is no YAML, or a name in it cannot be replaced safely.
        DataError: another process migrates the catalogue, or it cannot be written.
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
    """A params.yaml with the present names of options, and what was renamed.

    Raises:
        ConfigError: it is no YAML, or an entry has both names of an option.
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
    """A dvc.yaml with the present names of stages, commands and options.

    Raises:
        ConfigError: it is no YAML, or it already has another stage of a present name.
    """
    stages = _stages(_read(text, "dvc.yaml"))
    frozen, learned = _walks(stages, "train", "${models}"), _walks(stages, "fit", "${trained}")
    if learned and "train" in stages and not frozen:
        raise ConfigError(
            "dvc.yaml: the stage `fit` is now called `train`, and your own stage `train` is in "
            "its place; rename yours, then run: likewise init"
        )
    edits: list[Edit] = []
    if frozen:
        edits += _key(text, stages, "train", "load")
        edits += _value(text, _body(stages["train"]), "cmd", "likewise train", "likewise load")
    if learned:
        edits += _key(text, stages, "fit", "train")
    edits += _references(text, stages, entries)
    return _apply(text, edits), _names(edits)


def rename_lock(text: str, entries: Entries) -> tuple[str, list[str]]:
    """A dvc.lock with the present names, so that DVC finds every stage as it was left.

    Raises:
        ConfigError: it is no YAML.
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
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _read(text: str, name: str) -> Any:
    """The document with the places of its names."""
    parse_yaml(text.encode(), name)  # reports what is wrong with it
    return round_trip().load(text) or CommentedMap()


def _stages(document: Any) -> Any:
    stages = document.get("stages") if isinstance(document, dict) else None
    return stages if isinstance(stages, dict) else CommentedMap()


def _walks(stages: Any, name: str, section: str) -> bool:
    """Whether the stage ``name`` is made for every entry of a section of params.yaml."""
    stage = stages.get(name)
    return isinstance(stage, dict) and stage.get("foreach") == section


def _body(stage: Any) -> Any:
    return stage.get("do") or CommentedMap()


def _references(text: str, stages: Any, entries: Entries) -> Iterator[Edit]:
    """Yield the options that dvc.yaml names: ``${item.start}``, ``trained.tuned.clip``."""
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
    """Old name -> new name of the options that the kinds of a section's entries have."""
    kinds = {
        str(entry.get("kind")) for at, entry in entries.items() if at.startswith(f"{section}.")
    }
    names = {} if section == "models" else dict(RENAMED["whiten"])
    for kind in sorted(kinds & RENAMED.keys()):
        names |= RENAMED[kind]
    return names


def _key(text: str, mapping: Any, old: str, new: str) -> Iterator[Edit]:
    """The edit of one key; none where an alias or a merge brings the key from elsewhere."""
    try:
        place = _offset(text, *mapping.lc.key(old))
    except KeyError:
        return
    if text[place : place + 1] in ("'", '"'):
        place += 1
    yield place, old, new


def _value(text: str, mapping: Any, key: str, old: str, new: str) -> Iterator[Edit]:
    """The edit of the beginning of one text value."""
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
