"""Compare dvc.yaml and params.yaml with those of this release, and add missing entries."""

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
    """Places in dvc.yaml, such as ``stages.embed.do.deps: models``, that differ.

    Attributes:
        lacking: places that are only in the dvc.yaml of this release.
        other: places with another value in the dvc.yaml of this release.
    """

    lacking: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return True if there is any difference."""
        return bool(self.lacking or self.other)


def template(name: str) -> str:
    """Return the text of a template of ``init``."""
    return (resources.files("likewise.catalogue") / "templates" / name).read_text(
        encoding="utf-8"
    )


def pipeline_differences(text: str) -> PipelineDifferences:
    """Compare a dvc.yaml with that of this release; additional entries are ignored.

    Raises:
        ConfigError: the text is not YAML.
    """
    differences = PipelineDifferences()
    _merge(_stages(text), _stages(template("dvc.yaml")), "", differences)
    return differences


def complete_pipeline(text: str) -> tuple[str, PipelineDifferences]:
    """Add the missing entries to the text of a dvc.yaml.

    Existing stages, dependencies, comments and values do not change. The unmodified dvc.yaml
    of an older release is replaced by that of this release.

    Returns:
        The new text, and the differences before.

    Raises:
        ConfigError: the text is not YAML.
    """
    ours, differences, own = template("dvc.yaml"), PipelineDifferences(), PipelineDifferences()
    _merge(_stages(ours), _stages(text), "", own)
    theirs = round_trip().load(text) or {}
    _merge(theirs, _stages(ours), "", differences)
    if not own and all(line in ours for line in _comments(text)):
        return ours, differences
    if not differences.lacking:
        return text, differences
    return dump_yaml(theirs), differences


def missing_sections(text: str) -> list[str]:
    """Return the sections that stages of dvc.yaml iterate over and a params.yaml lacks.

    Raises:
        ConfigError: the text is not YAML.
    """
    pipeline, params = _stages(template("dvc.yaml")), parse_yaml(text.encode(), "params.yaml")
    if not isinstance(params, dict | None):
        return []  # reading params.yaml reports the error
    defaults = {name for part in pipeline["vars"] for name in part}
    iterated = [stage["foreach"].strip("${}") for stage in pipeline["stages"].values()]
    sections = [name for name in dict.fromkeys(iterated) if name not in defaults]
    return [name for name in sections if name not in (params or {})]


def append_sections(text: str, names: list[str]) -> str:
    """Append empty sections, with their comments in the template, to a params.yaml."""
    parts = [text if text.endswith("\n") or not text else f"{text}\n"]
    for name in names:
        comment = "".join(_comment_of(name))
        parts.append(f"\n{comment}{name}: {{}}\n" if comment else f"{name}: {{}}\n")
    return "".join(parts)


def _comment_of(section: str) -> list[str]:
    """Return the comment lines above a section of the template."""
    lines: list[str] = []
    for line in template("params.yaml").splitlines(keepends=True):
        if line.startswith(f"{section}:"):
            return lines
        lines = [*lines, line] if line.startswith("#") else []
    return []


def _merge(theirs: Any, ours: Any, at: str, differences: PipelineDifferences) -> None:
    """Add the missing entries of ``ours`` to ``theirs``, and record the differences."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key, value in ours.items():
            place = f"{at}.{key}".strip(".")
            if key in theirs:
                _merge(theirs[key], value, place, differences)
            else:
                theirs[key] = copy.deepcopy(value)
                differences.lacking.append(place)
    elif isinstance(theirs, list) and isinstance(ours, list):
        _merge_lists(theirs, ours, at, differences)
    elif theirs != ours:
        differences.other.append(at)


def _merge_lists(
    theirs: list[Any], ours: list[Any], at: str, differences: PipelineDifferences
) -> None:
    present = {_name(item): item for item in theirs}
    for item in ours:
        name = _name(item)
        if name not in present:
            theirs.append(copy.deepcopy(item))
            differences.lacking.append(f"{at}: {name}")
        elif isinstance(item, dict) and isinstance(present[name], dict):
            _merge(present[name][name], item[name], f"{at}: {name}", differences)
        elif item != present[name]:
            differences.other.append(f"{at}: {name}")


def _name(item: Any) -> str:
    """Return the key of a list entry: ``path``, or ``path`` of ``path: {cache: false}``."""
    return str(next(iter(item))) if isinstance(item, dict) and item else str(item)


def _comments(text: str) -> Iterator[str]:
    yield from (line.strip() for line in text.splitlines() if line.lstrip().startswith("#"))


def _stages(text: str) -> dict[str, Any]:
    """Return the document of a dvc.yaml."""
    document = parse_yaml(text.encode(), "dvc.yaml") or {}
    if not isinstance(document, dict):
        raise ConfigError("dvc.yaml contains no stages; rename it: mv dvc.yaml dvc.yaml.old")
    return document
