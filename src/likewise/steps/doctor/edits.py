"""Edits of params.yaml and cards because of which stages are out of date."""

from collections.abc import Iterator, Mapping
from typing import Any

from likewise.errors import LikewiseError
from likewise.storage import versions
from likewise.storage.config import parse_yaml
from likewise.storage.workspace import Workspace

_Status = Mapping[str, list[Any]]
"""Stage -> what changed, as ``versions.changed_stages`` returns it."""


def changed_entries(ws: Workspace, status: _Status) -> dict[str, set[str]]:
    """Return the changed entries of params.yaml and of cards that the stages depend on.

    The result maps a file to places such as ``models.tiny``.
    """
    files = {ws.relative(ws.params_file), *(ws.relative(card) for card in ws.cards)}
    entries: dict[str, set[str]] = {}
    changes = [change for several in status.values() for change in several]
    for change in (change for change in changes if isinstance(change, dict)):
        for file, places in change.get("changed deps", {}).items():
            if file in files and isinstance(places, dict):
                entries.setdefault(file, set()).update(map(str, places))
    return entries


def changed_options(ws: Workspace, entries: Mapping[str, set[str]]) -> list[str]:
    """Return the options that differ from the last commit, or the entries without a commit.

    Each begins with its file: ``params.yaml: models.tiny.backbone``.
    """
    texts = []
    for file, places in sorted(entries.items()):
        differing = list(_differing(ws, file))
        for place in sorted(places):
            own = [key for key in differing if f"{key}.".startswith(f"{place}.")]
            texts += [f"{file}: {key}" for key in own or [place]]
    return texts


def _differing(ws: Workspace, file: str) -> Iterator[str]:
    """Yield the places of ``file`` whose values differ from those of the last commit."""
    try:
        before = versions.text_at(ws.root, "HEAD", file)
        if before is None:
            return
        old = dict(_values(parse_yaml(before.encode(), file)))
        new = dict(_values(parse_yaml((ws.root / file).read_bytes(), file)))
    except (LikewiseError, OSError):
        return
    for place in {**old, **new}:
        if (place in old, old.get(place)) != (place in new, new.get(place)):
            yield place


def _values(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield the values of a document that are not mappings, with their places."""
    if not isinstance(value, dict):
        yield place, value
        return
    for key, inner in value.items():
        yield from _values(inner, f"{place}.{key}" if place else str(key))
