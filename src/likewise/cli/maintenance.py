"""Commands that maintain a catalogue: kinds, doctor, schemas."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Json
from likewise.cli.output import (
    print_facts,
    print_json,
    print_line,
    print_next,
    print_table,
    print_tip,
)

if TYPE_CHECKING:
    from likewise import Kind, KindOption


_USES = {
    "sources": "likewise validate {} DIR",
    "metrics": "likewise kinds protocols",
    "protocols": "likewise score {} --embeddings FILE --items FILE",
    "exports": "likewise export DATASET {} --to DIR",
}
"""Command that uses the kinds of a family; other families are used only in params.yaml."""


def kinds(
    family: Annotated[
        str | None,
        typer.Argument(
            metavar="[FAMILY]",
            help="protocols, metrics, sources, recipes, indexes, exports or transforms.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One kind, with all its options.")
    ] = None,
    json: Json = False,
) -> None:
    """List protocols, metrics, sources, recipes and other kinds.

    Without FAMILY, the families are listed. --json prints the options of every kind with type,
    default and range, and the formula and source of metrics and protocols. Kinds of other
    packages are listed too; their code is not run.
    """
    if family is None:
        families = likewise.kinds()
        if json:
            print_json(list(families))
        else:
            rows = [(f.name, len(f.kinds), f.summary) for f in families]
            print_table(("family", "kinds", "summary"), rows)
            print_tip("likewise kinds FAMILY")
        return
    listed = likewise.kinds(family)
    if name is not None and json:
        print_json(listed[name])
    elif name is not None:
        _print_kind(listed[name])
        print_tip(_USES.get(family, "an entry of params.yaml: kind: {}").format(name))
    elif json:
        print_json(list(listed))
    else:
        packages = ["" if k.package == "likewise" else k.package for k in listed]
        table = [(k.name, k.summary, p) for k, p in zip(listed, packages, strict=True)]
        print_table(("name", "summary", "package"), table)
        print_tip(f"likewise kinds {family} NAME")


def _print_kind(kind: "Kind") -> None:
    print_line(f"{kind.name}: {kind.summary}")
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


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Also re-read every image.")] = False,
    json: Json = False,
) -> None:
    """Find problems and print the command that fixes each.

    The exit code is 1 if there are problems. Outputs that `pull --no-images` left on the
    remote are listed, but do not count.
    """
    problems = likewise.doctor(deep=deep)
    faults = [problem for problem in problems if problem.is_fault]
    if json:
        print_json(problems)
    elif problems:
        print_table(
            ("check", "problem", "command"), [(p.check, p.what, p.command) for p in problems]
        )
    if not faults and not json:
        print_line("no problems found")
        print_tip("likewise list")
    if faults:
        if not json:
            print_tip("run these commands, then: likewise doctor")
        raise typer.Exit(1)


def schemas(
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; exit 1 if a file differs.")
    ] = False,
) -> None:
    """Write the column schema of every table to schemas/."""
    changed = likewise.schemas(check=check)
    for name in changed:
        print_line(f"{'differs:' if check else 'wrote'} {name}")
    if check and changed:
        print_next("likewise schemas")
        raise typer.Exit(1)
    if not changed:
        print_line("schemas are up to date")
