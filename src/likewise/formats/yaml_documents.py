"""YAML documents with plain values, within limits; repeated keys are an error."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from likewise.errors import ConfigError
from likewise.formats.counted_nouns import counted
from likewise.formats.document_limits import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_INTEGER,
    MAX_YAML_BYTES,
    MAX_YAML_NODES,
    TOO_DEEP,
    size_fault,
)

_MERGE = "tag:yaml.org,2002:merge"


class _Composer(yaml.composer.Composer):
    """Builds the nodes of a document, and refuses it as soon as it exceeds a limit.

    libyaml's own composer calls itself for each level: 100 kB of ``[`` end the process.
    """

    if TYPE_CHECKING:  # methods of the parser that is mixed in
        check_event: Callable[..., bool]
        peek_event: Callable[[], Any]

    def __init__(self) -> None:
        yaml.composer.Composer.__init__(self)
        self._depth = self._nodes = 0
        self._sizes: dict[int, int] = {}  # anchored node -> number of nodes in it

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            return self._aliased(parent, index)
        event, before = self.peek_event(), self._nodes
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _fault(TOO_DEEP, event.start_mark)
        self._count(1, event.start_mark)
        node = super().compose_node(parent, index)
        if event.anchor is not None:
            self._sizes[id(node)] = self._nodes - before
        self._depth -= 1
        return node

    def _aliased(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the node of an alias, and count all nodes below it again."""
        mark = self.peek_event().start_mark
        node = super().compose_node(parent, index)
        if id(node) not in self._sizes:
            raise _fault("an alias within the value that it repeats", mark)
        self._count(self._sizes[id(node)], mark)
        return node

    def _count(self, nodes: int, mark: yaml.Mark) -> None:
        self._nodes += nodes
        if self._nodes > MAX_YAML_NODES:
            raise _fault(f"more than {MAX_YAML_NODES:,} values, with repeated ones", mark)


class _Loader(_Composer, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Loads plain values; a repeated key is an error instead of overwriting the first."""

    def __init__(self, text: str) -> None:
        getattr(yaml, "CSafeLoader", yaml.SafeLoader).__init__(self, text)
        _Composer.__init__(self)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            names = {key.value}  # 1 and "1" are two keys that look the same
            if key.tag != _MERGE:
                names.add(self.construct_object(key))  # 1 and 0x1 are one key
            if names & seen:
                raise _fault(f"{key.value!r} is repeated", key.start_mark)
            seen |= names
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        _refuse_long_number(node)
        value: int = super().construct_yaml_int(node)
        if abs(value) >= MAX_INTEGER:
            raise _fault(f"the number {node.value} has more than 64 bits", node.start_mark)
        return value

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        _refuse_long_number(node)
        value: float = super().construct_yaml_float(node)
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def read_yaml(path: Path) -> object:
    """Read the YAML document in ``path``.

    Raises:
        ConfigError: not UTF-8, not YAML, a repeated key, or more than the limits of
            ``document_limits``; the message names the line.
    """
    fault = size_fault(path.stat().st_size, MAX_YAML_BYTES)
    if fault:
        raise ConfigError(f"{path.name}: {fault}")
    return parse_yaml(path.read_bytes(), path.name)


def parse_yaml(data: bytes, where: str) -> object:
    """Parse the YAML document ``data``; ``where`` names its origin in messages.

    Raises:
        ConfigError: not UTF-8, not YAML, a repeated key, or more than the limits of
            ``document_limits``; the message names the line.
    """
    fault = size_fault(len(data), MAX_YAML_BYTES)
    if fault:
        raise ConfigError(f"{where}: {fault}")
    try:
        return _Loader(data.decode()).get_single_data()
    except Exception as error:
        message = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        if not isinstance(error, yaml.YAMLError | ValueError):  # e.g. of "!!bool x"
            message = "a value does not fit its tag"
        raise ConfigError(f"{where}: not YAML: {message}") from error


def _refuse_long_number(node: yaml.ScalarNode) -> None:
    if len(node.value) > MAX_DIGITS:
        raise _fault(f"a number of {counted(len(node.value), 'character')}", node.start_mark)


def _fault(message: str, mark: yaml.Mark) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, message, mark)
