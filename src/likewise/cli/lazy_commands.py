"""Commands that are built from their functions when they are first asked for.

Typer evaluates the types and the options of a function to build its command. A run of the
program needs one command, and its help needs all of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import typer


@dataclass(frozen=True)
class Declaration:
    """A command that is not built yet: its function, the end of its help, and who sees it."""

    function: Callable[..., None]
    epilog: str | None = None
    hidden: bool = False


class LazyCommands(Mapping[str, Any]):
    """Commands by their names, each built once. Their types are private types of typer."""

    def __init__(self, declarations: Mapping[str, Declaration]) -> None:
        """Take the commands, in the order in which the help lists them."""
        self._declarations = dict(declarations)
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a command."""
        if name not in self._built:
            self._built[name] = _build(name, self._declarations[name])
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._declarations)

    def __len__(self) -> int:
        """Return the number of commands."""
        return len(self._declarations)


def _build(name: str, declaration: Declaration) -> Any:
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    command = single.command(name, epilog=declaration.epilog, hidden=declaration.hidden)
    command(declaration.function)
    return typer.main.get_command(single)
