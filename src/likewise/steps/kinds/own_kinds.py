"""Describe the kinds of this package by their classes."""

import ast
import functools
import inspect
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ByteSize
from pydantic.fields import FieldInfo

from likewise.steps.kinds.class_source import class_facts, details, source, summary
from likewise.steps.kinds.kind import Kind, KindOption

_PLAIN_NAMES = {type(None): "null", ByteSize: "size"}
_LIMITS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def class_kind(name: str, kind: type[BaseModel]) -> Kind:
    """Describe a kind of this package."""
    docs = [inspect.getdoc(one) or "" for one in _lineage(kind)]
    docs.append(ast.get_docstring(_tree(inspect.getfile(kind))) or "")
    cited = next(filter(None, map(source, docs)), "")
    options = list(class_options(kind))
    return Kind(name, summary(docs[0]), options, source=cited, details=details(docs[0]))


def class_options(kind: type[BaseModel], prefix: str = "") -> Iterator[KindOption]:
    """Yield the options of a class: its fields, and those of nested options."""
    described = {
        n: t for one in reversed(_lineage(kind)) for n, t in _descriptions(one).items()
    }
    for name, field in kind.model_fields.items():
        value = field.annotation
        if isinstance(value, type) and issubclass(value, BaseModel):
            yield from class_options(value, f"{prefix}{name}.")
            continue
        yield KindOption(
            prefix + name,
            _type_name(value),
            None
            if field.is_required()
            else _plain(field.get_default(call_default_factory=True)),
            field.is_required(),
            _range(field),
            described.get(name, ""),
        )


def _lineage(kind: type[BaseModel]) -> list[type]:
    """Return the class and its base classes of this package, nearest first."""
    return [one for one in kind.__mro__ if one.__module__.startswith("likewise.")]


def _descriptions(kind: type) -> dict[str, str]:
    facts = class_facts(_tree(inspect.getfile(kind)), kind.__name__)
    return facts.descriptions if facts else {}


@functools.cache
def _tree(file: str) -> ast.Module:
    with open(file, encoding="utf-8") as text:  # noqa: PTH123 (a path from inspect)
        return ast.parse(text.read())


def _type_name(annotation: Any) -> str:
    """Return the name of a type as a writer of params.yaml knows it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin is Annotated:
        return _type_name(arguments[0])
    if origin in (Union, types.UnionType):
        return " | ".join(map(_type_name, arguments))
    if origin in (tuple, list):
        inner = list(dict.fromkeys(_type_name(a) for a in arguments if a is not Ellipsis))
        number = "" if Ellipsis in arguments or origin is list else f"{len(arguments)} "
        return f"list of {number}{', '.join(inner)}"
    if origin is dict or annotation is dict:
        return "mapping"
    return _PLAIN_NAMES.get(annotation, str(getattr(annotation, "__name__", "any")))


def _range(field: FieldInfo) -> str:
    limits = [
        f"{sign} {getattr(limit, name)}"
        for limit in field.metadata
        for name, sign in _LIMITS.items()
        if hasattr(limit, name)
    ]
    patterns = [limit.pattern for limit in field.metadata if getattr(limit, "pattern", None)]
    return ", ".join([*limits, *(f"matches {pattern}" for pattern in patterns)])


def _plain(value: Any) -> Any:
    """Return a default in the types of JSON."""
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value
