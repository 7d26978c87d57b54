"""dvc.yaml and params.yaml of an older release: what they lack of this one's, and adding it."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from likewise.catalogue.params_editor import dump_yaml, round_trip
from likewise.errors import ConfigError
from likewise.storage.config import parse_yaml


@dataclass
class PipelineDifferences:
    """Places in dvc.yaml (``stages.embed.do.deps: models``) by what was found there.

    ``lacking`` are in the release's and not in theirs, ``other`` in both and not the same.
    """

    lacking: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.lacking or self.other)


def template(name: str) -> str:
    """The text of a file that ``init`` writes."""
    return (resources.files("likewise.catalogue") / "templates" / name).read_text(
        encoding="utf-8"
    )


def pipeline_differences(text: str) -> PipelineDifferences:
    """How a dvc.yaml differs from the release's; what it has more is its own business.

    Raises:
        ConfigError: it is no YAML.
    """
    found = PipelineDifferences()
    _merge(_stages(text), _stages(template("dvc.yaml")), "", found)
    return found


def complete_pipeline(text: str) -> tuple[str, PipelineDifferences]:
    """``text`` of a dvc.yaml with what it lacks, and how it differed before.

    Nothing in it changes: stages, dependencies and comments of its own stay, and so do values
    that are other ones here. A dvc.yaml of an older release that nobody changed becomes the
    release's own.

    Raises:
        ConfigError: it is no YAML.
    """
    ours, found, own = template("dvc.yaml"), PipelineDifferences(), PipelineDifferences()
    _merge(_stages(ours), _stages(text), "", own)
    theirs = round_trip().load(text) or {}
    _merge(theirs, _stages(ours), "", found)
    if not own and all(line in ours for line in _comments(text)):
        return ours, found
    if not found.lacking:
        return text, found
    return dump_yaml(theirs), found


def missing_sections(text: str) -> list[str]:
    """The sections that the stages of dvc.yaml walk through and a params.yaml has not.

    Raises:
        ConfigError: it is no YAML.
    """
    pipeline, params = _stages(template("dvc.yaml")), parse_yaml(text.encode(), "params.yaml")
    if not isinstance(params, dict | None):
        return []  # whoever reads it will say what is wrong
    defaults = {name for part in pipeline["vars"] for name in part}
    walked = [stage["foreach"].strip("${}") for stage in pipeline["stages"].values()]
    named = [name for name in dict.fromkeys(walked) if name not in defaults]
    return [name for name in named if name not in (params or {})]


def append_sections(text: str, names: list[str]) -> str:
    """``text`` of a params.yaml with empty sections at its end, and what they are for."""
    parts = [text if text.endswith("\n") or not text else f"{text}\n"]
    for name in names:
        comment = "".join(_comment_of(name))
        parts.append(f"\n{comment}{name}: {{}}\n" if comment else f"{name}: {{}}\n")
    return "".join(parts)


def _comment_of(section: str) -> list[str]:
    """The comment above a section of the template."""
    lines: list[str] = []
    for line in template("params.yaml").splitlines(keepends=True):
        if line.startswith(f"{section}:"):
            return lines
        lines = [*lines, line] if line.startswith("#") else []
    return []


def _merge(theirs: Any, ours: Any, at: str, found: PipelineDifferences) -> None:
    """Put into ``theirs`` what of ``ours`` it lacks, and note it."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key, value in ours.items():
            place = f"{at}.{key}".strip(".")
            if key in theirs:
                _merge(theirs[key], value, place, found)
            else:
                theirs[key] = copy.deepcopy(value)
                found.lacking.append(place)
    elif isinstance(theirs, list) and isinstance(ours, list):
        _merge_lists(theirs, ours, at, found)
    elif theirs != ours:
        found.other.append(at)


def _merge_lists(
    theirs: list[Any], ours: list[Any], at: str, found: PipelineDifferences
) -> None:
    there = {_name(item): item for item in theirs}
    for item in ours:
        name = _name(item)
        if name not in there:
            theirs.append(copy.deepcopy(item))
            found.lacking.append(f"{at}: {name}")
        elif isinstance(item, dict) and isinstance(there[name], dict):
            _merge(there[name][name], item[name], f"{at}: {name}", found)
        elif item != there[name]:
            found.other.append(f"{at}: {name}")


def _name(item: Any) -> str:
    """What an entry of a list is about: ``path``, or ``path: {cache: false}``."""
    return str(next(iter(item))) if isinstance(item, dict) and item else str(item)


def _comments(text: str) -> Iterator[str]:
    yield from (line.strip() for line in text.splitlines() if line.lstrip().startswith("#"))


def _stages(text: str) -> dict[str, Any]:
    """The document of a dvc.yaml."""
    document = parse_yaml(text.encode(), "dvc.yaml") or {}
    if not isinstance(document, dict):
        raise ConfigError("dvc.yaml: it holds no stages; mv dvc.yaml dvc.yaml.old")
    return document
