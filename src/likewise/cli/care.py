"""The commands that look after a catalogue: doctor, schemas."""

from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Json
from likewise.cli.output import as_json, note, say, table


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Also read every image again.")] = False,
    json: Json = False,
) -> None:
    """Find what is wrong, and name the command that mends it.

    Exit code 1 where anything is.
    """
    problems = likewise.doctor(deep=deep)
    if json:
        as_json(problems)
    elif problems:
        table(("check", "what", "command"), [(p.check, p.what, p.command) for p in problems])
    else:
        say("all is well")
    if problems:
        raise typer.Exit(1)


def schemas(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a file differs.")
    ] = False,
) -> None:
    """Write the contract of every table's columns to schemas/."""
    changed = likewise.schemas(check=check)
    for name in changed:
        say(f"{'differs:' if check else 'wrote'} {name}")
    if check and changed:
        note("run: likewise schemas")
        raise typer.Exit(1)
    if not changed:
        say("schemas are up to date")
