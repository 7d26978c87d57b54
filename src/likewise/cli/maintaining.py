"""Commands of maintenance: doctor, schemas."""

from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Json
from likewise.cli.output import (
    print_json,
    print_line,
    print_next,
    print_table,
    print_tip,
)


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Also re-read every image.")] = False,
    json: Json = False,
) -> None:
    """Find problems and print the command that fixes each.

    The exit code is 1 if there are problems. Outputs that `pull --no-images` left on the
    remote are listed, but do not count, nor does a check that is not possible now: on a
    read-only file system, or while another process of DVC is running.
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
