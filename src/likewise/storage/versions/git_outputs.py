"""Outputs of stages that git stores instead of DVC: those with ``cache: false`` in dvc.yaml."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from likewise.storage.config import read_yaml
from likewise.storage.versions.lock_file import Output, outputs
from likewise.storage.workspace import Workspace

_TEMPLATE = re.compile(r"\$\{[^}]*\}")
"""A part of a path in dvc.yaml that DVC replaces by a value."""


class _Rule(NamedTuple):
    """An output of a stage in dvc.yaml: its paths, and whether DVC stores them."""

    paths: re.Pattern[str]
    literal: int
    cached: bool


def cached_outputs(ws: Workspace) -> list[Output]:
    """Return the outputs in dvc.lock that DVC stores in its cache."""
    recorded = outputs(ws.root)
    in_git = paths_in_git(ws, recorded)
    return [output for path, output in recorded.items() if path not in in_git]


def paths_in_git(ws: Workspace, paths: Iterable[str]) -> set[str]:
    """Return those of the output ``paths`` that dvc.yaml leaves to git.

    Paths that no stage of dvc.yaml writes are not among them.
    """
    rules = sorted(_rules(ws), key=lambda rule: -rule.literal)
    return {path for path in paths if not _is_cached(path, rules)}


def _is_cached(path: str, rules: Iterable[_Rule]) -> bool:
    """Return the rule of the pattern with the most literal characters; True without one."""
    return next((rule.cached for rule in rules if rule.paths.fullmatch(path)), True)


def _rules(ws: Workspace) -> Iterator[_Rule]:
    document = read_yaml(ws.pipeline) if ws.pipeline.is_file() else None
    stages = document.get("stages") if isinstance(document, dict) else None
    for stage in (stages or {}).values():
        body = stage.get("do", stage) if isinstance(stage, dict) else {}
        for section in ("outs", "metrics", "plots") if isinstance(body, dict) else ():
            for entry in body.get(section) or ():
                yield from _rules_of(entry)


def _rules_of(entry: Any) -> Iterator[_Rule]:
    """Yield the rules of one entry: a path, or a mapping of a path to its options."""
    options = entry if isinstance(entry, dict) else {entry: None}
    for path, flags in options.items():
        parts = [re.escape(part) for part in _TEMPLATE.split(str(path).rstrip("/"))]
        cached = not isinstance(flags, dict) or flags.get("cache", True) is not False
        yield _Rule(re.compile("[^/]+".join(parts)), sum(map(len, parts)), cached)
