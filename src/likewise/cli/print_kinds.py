"""One kind of a family, as the command kinds prints it."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from likewise.cli.output import (
    print_facts,
    print_line,
    print_table,
)

if TYPE_CHECKING:
    from likewise import Kind, KindOption, Offer


def print_kind(kind: "Kind") -> None:
    """Print the options and facts of one kind."""
    print_line(f"{kind.name}: {kind.summary}")
    for paragraph in filter(None, kind.details.split("\n")):
        print_line(paragraph)
    settings = [
        (name.replace("_", " "), default_text(value))
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
                "required" if o.required else default_text(o.default),
                o.description,
            )
            for o in kind.options
        ]
        print_table(("option", "type", "default", "description"), rows)


def _option_text(option: "KindOption") -> str:
    """Return type, range, default and description of an option as two lines."""
    default = "required" if option.required else f"default {default_text(option.default)}"
    form = ", ".join(filter(None, (option.type, option.range)))
    return f"{form}; {default}\n{option.description}"


def default_text(value: object) -> str:
    """Return a default value in the form of params.yaml."""
    if isinstance(value, list):
        return f"[{', '.join(map(default_text, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value) or '""'


def print_known(offer: "Offer") -> None:
    """Print the facts of a known data set."""
    print_line(f"{offer.title}: {offer.summary}")
    print_line("")
    facts = [
        ("homepage", offer.homepage),
        ("licence", offer.licence),
        ("forbids", ", ".join(offer.forbids)),
        ("counts", counts_text(offer.counts)),
        ("read by", ", ".join(offer.kinds)),
        *(("recognised by", form) for form in offer.forms),
        ("protocols", ", ".join(offer.protocols)),
        ("download", ", ".join(offer.files) or f"by hand: {offer.by_hand}"),
        ("citation", offer.citation),
        *(("source", source) for source in offer.sources),
    ]
    print_facts([(name, value) for name, value in facts if value])
    print_line("")
    print_line(offer.layout.rstrip())


def counts_text(counts: Mapping[str, Any]) -> str:
    """Return published counts in words.

    Example:
        >>> counts_text({"images": 3, "splits": {"train": 2, "test": 1}})
        '3 images; splits: train 2, test 1'
    """
    numbers = [f"{n:,} {name}" for name, n in counts.items() if isinstance(n, int)]
    groups = [
        f"{name}: {', '.join(f'{value} {n:,}' for value, n in group.items())}"
        for name, group in counts.items()
        if not isinstance(group, int)
    ]
    return "; ".join([", ".join(numbers), *groups] if numbers else groups)
