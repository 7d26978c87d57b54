"""Named parts: a registry is a table that one can read, and a part's fields are its options."""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from likewise.errors import ConfigError, UnknownNameError, hint


class Part(BaseModel):
    """A frozen object whose fields are exactly its options; an unknown option is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Part)


def faults(where: str, error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Every fault of a ``model``, a line each; an unknown key gets the nearest known ones."""
    lines = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"]
        if fault["type"] == "extra_forbidden":
            message = f"unknown key; {hint(str(fault['loc'][-1]), _keys(model, fault['loc']))}"
        elif fault["type"] == "dict_type" and fault["input"] is None:
            message = "it is empty; write {} where there is none"
        elif fault["type"] in {"tuple_type", "list_type"}:
            message = f'it is a list, written as ["a", "b"]; there is {fault["input"]!r}'
        lines.append(f"{where}: {place}: {message}" if place else f"{where}: {message}")
    return lines


def _keys(model: type[BaseModel], place: tuple[int | str, ...]) -> Iterable[str]:
    """The keys that are known beside the last of ``place``, which leads down from ``model``."""
    kind: Any = model
    for part in place[:-1]:
        if hasattr(kind, "model_fields"):
            kind = kind.model_fields[part].annotation
        else:  # of a mapping, what its values are
            kind = (get_args(kind) or [None])[-1]
    return kind.model_fields if hasattr(kind, "model_fields") else ()


def check(model: type[P], value: object, where: str) -> P:
    """``value`` as a ``model``.

    Raises:
        ConfigError: with every fault, each with its place in the file ``where``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ConfigError("\n".join(faults(where, error, model))) from error


class Registry(Generic[P]):
    """The kinds of one family of parts: kind -> "module:Class", loaded when asked for."""

    def __init__(self, noun: str, table: Mapping[str, str]) -> None:
        """Name the family (for messages) and list its kinds."""
        self.noun = noun
        self._table = dict(table)

    def kinds(self) -> list[str]:
        """Every kind, sorted."""
        return sorted(self._table)

    def load(self, kind: str) -> type[P]:
        """The class behind ``kind``.

        Raises:
            UnknownNameError: nothing is registered under that name.
        """
        if kind not in self._table:
            raise UnknownNameError(f"{self.noun} kind", kind, self._table)
        module, _, name = self._table[kind].partition(":")
        return cast("type[P]", getattr(importlib.import_module(module), name))

    def build(self, entry: Mapping[str, Any], where: str) -> P:
        """The part that ``entry`` (``{kind: ..., **options}``) describes; ``where`` it stands.

        Raises:
            ConfigError: an option is unknown or wrong (all of them are listed).
            UnknownNameError: no such kind.
        """
        options = dict(entry)
        kind = options.pop("kind", None)
        if not isinstance(kind, str):
            raise ConfigError(f"{where}: kind is missing; there are: {', '.join(self.kinds())}")
        return check(self.load(kind), options, where)
