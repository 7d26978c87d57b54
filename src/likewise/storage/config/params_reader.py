"""Read params.yaml; one broken entry stops only what reads it."""

import copy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from likewise.errors import ConfigError
from likewise.formats.yaml_documents import read_yaml
from likewise.registry import check, faults
from likewise.storage.config.entry_names import Names
from likewise.storage.config.params import MODEL_SECTIONS, BrokenEntry, Params
from likewise.storage.config.params_faults import entry_faults, renamed_options
from likewise.storage.config.references import references
from likewise.storage.renamed_options import current

_Faults = dict[tuple[str, str], list[str]]
"""Section and name of an entry -> its faults."""


def read_params(path: Path, *, historic: bool = False) -> Params:
    """Return the checked content of params.yaml, all of whose entries can be used.

    Args:
        path: the file.
        historic: accept old names of options, as files of earlier revisions have them.

    Raises:
        ConfigError: lists every fault of the file, one line each.
    """
    params = read_intact_params(path, historic=historic)
    lines = [line for entry in params.broken if entry.own for line in entry.faults]
    if lines:
        raise ConfigError("\n".join(lines))
    return params


def read_intact_params(path: Path, *, historic: bool = False) -> Params:
    """Return the content of params.yaml without its broken entries, which ``broken`` lists.

    An entry is broken if it has a fault, or refers to a broken entry.

    Args:
        path: the file.
        historic: accept old names of options, as files of earlier revisions have them.

    Raises:
        ConfigError: a fault is outside the entries; the text lists every fault of the file.
    """
    document: Any = read_yaml(path) or {}
    written, broken = _valid(document, path.name)
    names = Names.of(document if isinstance(document, dict) else {})
    params = _with_current_options(written)
    renamed = () if historic else tuple(renamed_options(written))
    for fault in (*renamed, *entry_faults(params, names)):
        broken.setdefault((fault.section, fault.name), []).append(f"{path.name}: {fault.text}")
    own = set(broken)
    _spread(params, names, broken, path.name)
    entries = [
        BrokenEntry(*place, tuple(lines), _entry(document, *place), place in own)
        for place, lines in broken.items()
    ]
    return params.without(entries)


def params_faults(params: Params) -> list[str]:
    """Return the faults of names and references in a params.yaml."""
    return [fault.text for fault in entry_faults(params, Names.of(params.model_dump()))]


def _valid(document: Any, where: str) -> tuple[Params, _Faults]:
    """Validate the entries; return the valid ones, and the faults of the others.

    Raises:
        ConfigError: a fault is outside the entries.
    """
    try:
        return Params.model_validate(document), {}
    except ValidationError as error:
        lines = faults(where, error, Params)
        places = [fault["loc"][:2] for fault in error.errors()]
        if any(len(place) < 2 or place[0] == "public_remotes" for place in places):
            raise ConfigError("\n".join(lines)) from error
    broken: _Faults = {}
    rest = copy.deepcopy(document)
    for (section, name), line in zip(places, lines, strict=True):
        rest[section].pop(name, None)
        broken.setdefault((str(section), str(name)), []).append(line)
    return check(Params, rest, where), broken


def _entry(document: Any, section: str, name: str) -> Any:
    return next((e for n, e in document[section].items() if str(n) == name), None)


def _with_current_options(params: Params) -> Params:
    """Return ``params`` with the present names of the options of models."""
    sections = {
        section: {name: current(entry) for name, entry in getattr(params, section).items()}
        for section in MODEL_SECTIONS
    }
    return params.model_copy(update=sections)


def _spread(params: Params, names: Names, broken: _Faults, where: str) -> None:
    """Add the entries that refer to a broken one, directly or through others."""
    links = references(params, names)
    again = True
    while again:
        again = False
        for entry, targets in links.items():
            target = next((target for target in targets if target in broken), None)
            if target and entry not in broken:
                broken[entry] = [_text(where, entry, target)]
                again = True


def _text(where: str, entry: tuple[str, str], target: tuple[str, str]) -> str:
    return f"{where}: {'.'.join(entry)}: it refers to {'.'.join(target)}, which is broken"
