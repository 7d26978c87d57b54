"""Ready entries of known models, with their published numbers: the files of ``known/``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from likewise.errors import UnknownNameError
from likewise.formats.yaml_documents import parse_yaml


@dataclass(frozen=True)
class KnownModels:
    """A group of known models, such as those of one paper.

    Attributes:
        name: name of the group.
        title: its title.
        source: origin of the models and of their numbers.
        models: name of a model -> its entry in params.yaml.
        protocol: protocol of the published numbers; "" if there are none.
        metric: metric of the published numbers.
        published: name of a model -> its published number, in percent.
    """

    name: str
    title: str
    source: str
    models: Mapping[str, dict[str, Any]]
    protocol: str = ""
    metric: str = ""
    published: Mapping[str, float] = field(default_factory=dict)


@cache
def known_models() -> dict[str, KnownModels]:
    """Return the groups of known models, sorted by name."""
    folder = resources.files("likewise.models") / "known"
    groups: dict[str, KnownModels] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        content: Any = parse_yaml(file.read_bytes(), file.name)
        name = file.name.removesuffix(".yaml")
        groups[name] = KnownModels(name=name, **content)
    return groups


def known_entries(name: str) -> dict[str, dict[str, Any]]:
    """Return the entries of a group, or of one known model.

    Raises:
        UnknownNameError: no such group or model.
    """
    groups = known_models()
    if name in groups:
        return dict(groups[name].models)
    models = {n: entry for group in groups.values() for n, entry in group.models.items()}
    if name not in models:
        raise UnknownNameError("known model", name, [*groups, *models])
    return {name: models[name]}
