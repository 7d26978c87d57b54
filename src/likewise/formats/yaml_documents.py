"""YAML documents with plain values; repeated keys are an error."""

from pathlib import Path
from typing import Any

import yaml

from likewise.errors import ConfigError


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Loads plain values; a repeated key is an error instead of overwriting the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                fault = f"{key.value!r} is repeated"
                raise yaml.constructor.ConstructorError(None, None, fault, key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_yaml(path: Path) -> object:
    """Read the YAML document in ``path``.

    Raises:
        ConfigError: not UTF-8, not YAML, or a repeated key; the message names the line.
    """
    return parse_yaml(path.read_bytes(), path.name)


def parse_yaml(data: bytes, where: str) -> object:
    """Parse the YAML document ``data``; ``where`` names its origin in messages.

    Raises:
        ConfigError: not UTF-8, not YAML, or a repeated key; the message names the line.
    """
    try:
        return _Loader(data.decode()).get_single_data()
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        message = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        raise ConfigError(f"{where}: not YAML: {message}") from error
