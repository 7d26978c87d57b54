"""A command is built when it is asked for, and only then."""

from typing import TYPE_CHECKING, Any

import pytest

from likewise.cli.app import COMMANDS, GroupedCommands
from likewise.cli.lazy_commands import Declaration, LazyCommands

if TYPE_CHECKING:
    from absent import Absent  # type: ignore[import-not-found]


def working(name: str) -> None:
    """Do something."""


def broken(value: "Absent") -> None:
    """Take a value of a type that cannot be imported."""


def test_a_command_is_built_once_and_without_the_others() -> None:
    commands = LazyCommands(
        {"one": Declaration(working, "Example: one x"), "two": Declaration(broken, hidden=True)}
    )
    assert (list(commands), len(commands)) == (["one", "two"], 2)
    one = commands["one"]
    assert (one.name, one.epilog, one.hidden) == ("one", "Example: one x", False)
    assert commands["one"] is one
    assert commands.get("three") is None
    with pytest.raises(NameError, match="Absent"):
        commands["two"]


def test_names_are_listed_without_building_a_command() -> None:
    group: Any = GroupedCommands(name="likewise", commands={})
    names = [name for name, _, _ in COMMANDS]
    assert group.list_commands(None) == [*names, "merge-file"]
    assert group.get_command(None, "merge-file").hidden
