"""Describe the kinds of other packages by their source text; none of it is imported."""

import ast
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import metadata
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec

from pydantic import BaseModel

from likewise.steps.kinds.class_source import ClassFacts, class_facts, source, summary
from likewise.steps.kinds.kind import Kind, KindOption
from likewise.steps.kinds.own_kinds import class_options


def entry_point_kind(point: metadata.EntryPoint, package: str) -> Kind:
    """Describe the kind that another package registers by an entry point."""
    tree = _tree(point.module)
    facts = None if tree is None else class_facts(tree, point.attr)
    if tree is None or facts is None:
        return Kind(point.name, f"{point.value} of the package {package}.", package=package)
    text = summary(facts.doc) or f"{point.value} of the package {package}."
    options = {option.name: option for option in _options(tree, facts)}
    return Kind(
        point.name, text, list(options.values()), source=source(facts.doc), package=package
    )


def _tree(module: str) -> ast.Module | None:
    """Parse the source of a module, which is not imported; None if it has none."""
    try:
        spec = _spec(module)
        loader = None if spec is None else spec.loader
        text = loader.get_source(module) if isinstance(loader, InspectLoader) else None
        return None if text is None else ast.parse(text)
    except (ImportError, OSError, SyntaxError, ValueError):
        return None


def _spec(module: str) -> ModuleSpec | None:
    """Find a module by folders; ``importlib.util.find_spec`` would import its packages."""
    locations: Sequence[str] | None = None
    spec = None
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        specs = (finder.find_spec(name, locations) for finder in sys.meta_path)
        spec = next((candidate for candidate in specs if candidate is not None), None)
        if spec is None:
            return None
        locations = spec.submodule_search_locations
    return spec


def _options(tree: ast.Module, facts: ClassFacts) -> Iterator[KindOption]:
    """Yield the options of a class and of its bases, as far as its module states them."""
    for base in facts.bases:
        if base_class := _own_class(tree, base):
            yield from class_options(base_class)
        elif (inherited := class_facts(tree, base)) and inherited is not facts:
            yield from _options(tree, inherited)
    for name, field in facts.fields.items():
        default = None if field.value is None else _default(field.value)
        described = facts.descriptions.get(name, "")
        text = ast.unparse(field.annotation)
        yield KindOption(name, text, default, field.value is None, "", described)


def _default(value: ast.expr) -> object:
    """Return the value of a literal, and the source text of another expression."""
    try:
        literal: object = ast.literal_eval(value)
    except ValueError:
        return ast.unparse(value)
    return list(literal) if isinstance(literal, tuple) else literal


def _own_class(tree: ast.Module, name: str) -> type[BaseModel] | None:
    """Return the class of this package that a module imports as ``name``; None if it is not."""
    imports = [
        (str(node.module), alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("likewise.")
        for alias in node.names
        if name == (alias.asname or alias.name)
    ]
    for module, original in imports:
        with suppress(ImportError):
            attribute = getattr(importlib.import_module(module), original, None)
            if isinstance(attribute, type) and issubclass(attribute, BaseModel):
                return attribute
    return None
