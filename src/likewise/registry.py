"""Named parts: a registry maps kinds to classes, whose fields are the options of a kind."""

import importlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib import metadata
from typing import Any, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from likewise.errors import ConfigError, UnknownNameError, hint


class Part(BaseModel):
    """A frozen object whose fields are exactly its options; an unknown option is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Part)


def faults(where: str, error: ValidationError, model: type[BaseModel]) -> list[str]:
    """List every fault of a ``model``, one line each; an unknown key gets a suggestion."""
    lines = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"]
        if fault["type"] == "extra_forbidden":
            message = f"unknown key; {hint(str(fault['loc'][-1]), _keys(model, fault['loc']))}"
        elif fault["type"] == "dict_type" and fault["input"] is None:
            message = "it is empty; write {} for none"
        elif fault["type"] in {"tuple_type", "list_type"}:
            message = f'it must be a list such as ["a", "b"], not {fault["input"]!r}'
        lines.append(f"{where}: {place}: {message}" if place else f"{where}: {message}")
    return lines


def _keys(model: type[BaseModel], place: tuple[int | str, ...]) -> Iterable[str]:
    """List the known keys at the level of the last part of ``place``, starting at ``model``."""
    kind: Any = model
    for part in place[:-1]:
        if hasattr(kind, "model_fields"):
            kind = kind.model_fields[part].annotation
        else:  # a mapping: continue with the type of its values
            kind = (get_args(kind) or [None])[-1]
    return kind.model_fields if hasattr(kind, "model_fields") else ()


def check(model: type[P], value: object, where: str) -> P:
    """Validate ``value`` as a ``model``.

    Raises:
        ConfigError: lists every fault, each with its place in the file ``where``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ConfigError("\n".join(faults(where, error, model))) from error


class Registry(Generic[P]):
    """The kinds of one family of parts: kind -> "module:Class", imported on first use.

    Another package adds a kind by an entry point of the group ``likewise.<family>``, in its
    own pyproject.toml; this package is not edited:

        [project.entry-points."likewise.sources"]
        polyvore = "my_package.polyvore:PolyvoreSource"

    Reading the entry points runs no code of that package. Its module is imported when the
    kind is used.
    """

    def __init__(self, noun: str, table: Mapping[str, str], *, base: str) -> None:
        """Create the registry of a family.

        Args:
            noun: the family's name in messages, singular: "source".
            table: the kinds of this package.
            base: the class that every kind extends, as "module:Class".
        """
        self.noun = noun
        self.group = f"likewise.{noun}s" if noun != "index" else "likewise.indexes"
        self._table = dict(table)
        self._base = base

    def kinds(self) -> list[str]:
        """All kinds, those of other packages included, sorted."""
        return sorted({*self._table, *self._plugins})

    def builtin(self) -> list[str]:
        """The kinds of this package, sorted."""
        return sorted(self._table)

    def entry_points(self, kind: str) -> list[metadata.EntryPoint]:
        """The entry points of other packages that register ``kind``; nothing is imported."""
        return list(self._plugins.get(kind, ()))

    def load_builtin(self, kind: str) -> type[P]:
        """Return this package's class of ``kind``, which must be one of ``builtin``."""
        return cast("type[P]", _imported(self._table[kind]))

    def load(self, kind: str, where: str = "") -> type[P]:
        """Return the class of ``kind``; ``where`` is the entry that has it, for messages.

        Raises:
            UnknownNameError: nothing is registered under that name.
            ConfigError: another package registers the kind wrongly: under a name that is
                taken, or with a class that cannot be imported or does not fit the family.
        """
        if kind in self._table and kind not in self._plugins:
            return self.load_builtin(kind)
        if kind not in self._plugins:
            raise UnknownNameError(
                f"{self.noun} kind", kind, self.kinds(), complete=True, entry=where
            )
        return self._load_plugin(kind)

    def build(self, entry: Mapping[str, Any], where: str) -> P:
        """Return the part that ``entry`` (``{kind: ..., **options}``) describes.

        Args:
            entry: the kind and its options.
            where: the place of the entry, for messages: "params.yaml: indexes.ivf".

        Raises:
            ConfigError: an option is unknown or wrong (all of them are listed).
            UnknownNameError: no such kind.
        """
        options = dict(entry)
        kind = options.pop("kind", None)
        if not isinstance(kind, str):
            raise ConfigError(
                f"{where}: kind is missing; choose one of: {', '.join(self.kinds())}"
            )
        return check(self.load(kind, where), options, where)

    def owners(self, kind: str) -> list[str]:
        """The packages that register ``kind``; a kind with several cannot be used."""
        own = ["likewise"] if kind in self._table else []
        return [*own, *map(_distribution, self.entry_points(kind))]

    @cached_property
    def _plugins(self) -> dict[str, list[metadata.EntryPoint]]:
        """Kind -> the entry points of other packages that register it."""
        plugins: dict[str, list[metadata.EntryPoint]] = {}
        for point in metadata.entry_points(group=self.group):
            plugins.setdefault(point.name, []).append(point)
        return plugins

    def _load_plugin(self, kind: str) -> type[P]:
        points = self._plugins[kind]
        owners = self.owners(kind)
        if len(owners) > 1:
            names = " and ".join(sorted(owners))
            raise ConfigError(
                f"the {self.noun} kind {kind!r} is registered by {names}; uninstall one of them"
            )
        where = f"the {self.noun} kind {kind!r} of the package {owners[0]}"
        try:
            plugin = points[0].load()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise ConfigError(f"{where} cannot be imported ({reason})") from error
        if not (isinstance(plugin, type) and issubclass(plugin, _imported(self._base))):
            expected = self._base.replace(":", ".")
            raise ConfigError(f"{where} is not a subclass of {expected}: {points[0].value}")
        return cast("type[P]", plugin)


def _imported(place: str) -> type:
    """Import the class at "module:Class"."""
    module, _, name = place.partition(":")
    return cast("type", getattr(importlib.import_module(module), name))


def _distribution(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
