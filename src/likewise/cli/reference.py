"""Write docs/cli.md from the commands' own help.

``python -m likewise.cli.reference`` writes it, with ``--check`` it only compares.
"""

import sys
from pathlib import Path

import typer.testing

from likewise.cli.app import COMMANDS, app
from likewise.cli.output import note, say

REFERENCE = Path("docs") / "cli.md"

_HEAD = """\
# The command line

Written by `python -m likewise.cli.reference` from the commands' own `--help`.

Exit codes: 0 done; 1 `doctor` or a `--check` found something; 2 a wrong option, name or
configuration; 3 an earlier step is missing or stale; 4 wrong data; 5 an optional library is
missing; 6 git or dvc failed; 130 stopped. Errors and progress go to stderr, results to stdout.
"""

WIDTH = 90
"""Columns of the help texts, whatever the terminal has."""


def reference() -> str:
    """The text of docs/cli.md."""
    sections = [_section("likewise", [])]
    sections += [_section(f"likewise {name}", [name]) for name, _, _ in COMMANDS]
    return "\n".join([_HEAD, *sections])


def main() -> None:
    """Write the reference, or with ``--check`` exit 1 where the file is another."""
    text = reference()
    if REFERENCE.is_file() and REFERENCE.read_text(encoding="utf-8") == text:
        say(f"{REFERENCE} is up to date")
    elif "--check" in sys.argv[1:]:
        note(f"{REFERENCE} is out of date; run: python -m likewise.cli.reference")
        sys.exit(1)
    else:
        REFERENCE.parent.mkdir(exist_ok=True)
        REFERENCE.write_text(text, encoding="utf-8")
        say(f"wrote {REFERENCE}")


def _section(title: str, arguments: list[str]) -> str:
    runner = typer.testing.CliRunner()
    shown = runner.invoke(
        app, [*arguments, "--help"], prog_name="likewise", terminal_width=WIDTH
    )
    return f"## {title}\n\n```text\n{shown.stdout.strip()}\n```\n"


if __name__ == "__main__":
    main()
