"""Stages of dvc.lock that were renamed, with their commands and parameters."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from likewise.storage.renamed_options import current, outdated

STAGES: Mapping[str, str] = {"train": "load", "fit": "train"}
"""Old name -> new name. Both stages are renamed in one pass, because a new name of one is the
old name of the other.
"""

SECTIONS = ("models", "trained", "pretrained", "distilled")

_PARAMETER = re.compile(rf"\b({'|'.join(SECTIONS)})\.([a-z0-9_]+)\.([a-z_]+)\b")
"""One option of one model, as stages name it: ``trained.tuned.clip``."""

Entries = Mapping[str, Mapping[str, Any]]
"""Section and name of a model, ``trained.tuned`` -> its entry in params.yaml."""


def entries_of(params: object) -> dict[str, dict[str, Any]]:
    """Return the entries of all models in the document of a params.yaml."""
    sections = params if isinstance(params, dict) else {}
    return {
        f"{section}.{name}": entry
        for section in SECTIONS
        if isinstance(sections.get(section), dict)
        for name, entry in sections[section].items()
        if isinstance(entry, dict)
    }


def renamed_parameters(text: str, entries: Entries) -> Iterator[tuple[int, str, str]]:
    """Yield place, old and new name of each renamed option that ``text`` names."""
    for match in _PARAMETER.finditer(text):
        entry = entries.get(f"{match[1]}.{match[2]}", {})
        kind = {"kind": entry.get("kind"), match[3]: None}
        for old, new in outdated(kind):
            yield match.start(3), old, new


def current_lock(stages: Mapping[str, Any], entries: Entries) -> dict[str, Any]:
    """Return the stages of a dvc.lock with the new names.

    Args:
        stages: the stages by name, as DVC wrote them.
        entries: the entries of models; they tell which options a parameter's model has.
    """
    return {
        _stage_name(name, stage): _stage_entry(name, stage, entries)
        for name, stage in stages.items()
    }


def _stage_name(name: str, stage: object) -> str:
    kind, at, model = name.partition("@")
    if kind not in STAGES or not at or (kind == "train" and not _frozen(model, stage)):
        return name
    return f"{STAGES[kind]}@{model}"


def _frozen(model: str, stage: object) -> bool:
    """Return whether a stage makes a model of the section ``models``, not a trained one."""
    return f"models.{model}" in _parameters(stage)


def _stage_entry(name: str, stage: object, entries: Entries) -> object:
    if not isinstance(stage, dict):
        return stage
    entry = dict(stage)
    kind, _, model = name.partition("@")
    command = f"likewise train {model}"
    if kind == "train" and _frozen(model, stage) and entry.get("cmd") == command:
        entry["cmd"] = f"likewise load {model}"
    if params := _parameters(stage):
        values = {
            _parameter_name(parameter, entries): _value(parameter, value)
            for parameter, value in params.items()
        }
        entry["params"] = {**stage["params"], "params.yaml": values}
    return entry


def _parameter_name(parameter: str, entries: Entries) -> str:
    for place, old, new in renamed_parameters(parameter, entries):
        return parameter[:place] + new + parameter[place + len(old) :]
    return parameter


def _value(parameter: str, value: object) -> object:
    """A whole entry with its new names; any other value as it is."""
    section, _, name = parameter.partition(".")
    if section in SECTIONS and "." not in name and isinstance(value, dict):
        return current(value)
    return value


def _parameters(stage: object) -> dict[str, Any]:
    params = stage.get("params") if isinstance(stage, dict) else None
    values = params.get("params.yaml") if isinstance(params, dict) else None
    return values if isinstance(values, dict) else {}
