"""One kind of a family, as the command kinds prints it."""

import sys
from typing import TYPE_CHECKING

from likewise.cli.output import (
    print_facts,
    print_line,
    print_table,
)

if TYPE_CHECKING:
    from likewise import Kind, KindOption


def print_kind(kind: "Kind") -> None:
    """Print the options and facts of one kind."""
    print_line(f"{kind.name}: {kind.summary}")
    for paragraph in filter(None, kind.details.split("\n")):
        print_line(paragraph)
    settings = [
        (name.replace("_", " "), _default(value))
        for name, value in kind.settings.items()
        if value != [] and (name, value) != ("name", kind.name)
    ]
    facts = [("formula", kind.formula), ("source", kind.source), *settings]
    if any(text for _, text in facts):
        print_line("")
        print_facts(facts)
    if kind.options and sys.stdout.isatty():
        print_line("")
        print_facts([(o.name, _option_text(o)) for o in kind.options])
    elif kind.options:
        print_line("")
        rows = [
            (
                o.name,
                ", ".join(filter(None, (o.type, o.range))),
                "required" if o.required else _default(o.default),
                o.description,
            )
            for o in kind.options
        ]
        print_table(("option", "type", "default", "description"), rows)


def _option_text(option: "KindOption") -> str:
    """Return type, range, default and description of an option as two lines."""
    default = "required" if option.required else f"default {_default(option.default)}"
    form = ", ".join(filter(None, (option.type, option.range)))
    return f"{form}; {default}\n{option.description}"


def _default(value: object) -> str:
    """Return a default value in the form of params.yaml."""
    if isinstance(value, list):
        return f"[{', '.join(map(_default, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value) or '""'
