"""YAML documents: plain values, no key twice."""

from pathlib import Path
from typing import Any

import yaml

from likewise.errors import ConfigError


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Plain values only; a key that stands twice is refused, not overwritten."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                fault = f"{key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, fault, key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_yaml(path: Path) -> object:
    """The YAML document in ``path``.

    Raises:
        ConfigError: the file is not UTF-8, not YAML, or has a key twice; the line is named.
    """
    return parse_yaml(path.read_bytes(), path.name)


def parse_yaml(data: bytes, where: str) -> object:
    """The YAML document that ``data`` is; ``where`` it stands.

    Raises:
        ConfigError: it is not UTF-8, not YAML, or has a key twice; the line is named.
    """
    try:
        return _Loader(data.decode()).get_single_data()
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        raise ConfigError(f"{where}: not YAML: {said}") from error
