"""Recognise errors of damaged table files, and name the table in one error."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from likewise.errors import DamagedError, table_damage

P = ParamSpec("P")
R = TypeVar("R")


class OnDisk(Protocol):
    """Anything with a path, for ``names_damage``."""

    @property
    def path(self) -> Path:
        """The folder of the table."""
        ...


T = TypeVar("T", bound=OnDisk)


def is_damage(error: BaseException) -> bool:
    """Return whether ``error`` means that a file of a table is missing or damaged."""
    return bool(table_damage(error))


def damage_error(error: BaseException, name: str) -> DamagedError:
    """Return the error about the damaged table ``name``."""
    reason = table_damage(error) or " ".join(str(error).split())[:200]
    state = "cannot be read" if "Permission denied" in reason else "is damaged"
    return DamagedError(f"{name} {state} ({reason}); run: likewise doctor")


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Convert errors of the files of the table in ``path`` into one that names it.

    Raises:
        DamagedError: a file of the table is missing or damaged.
    """
    try:
        yield
    except BaseException as error:
        if not is_damage(error) and not isinstance(error, UnicodeDecodeError):
            raise
        raise damage_error(error, f"{path.parent.name}/{path.name}") from error


def names_damage(
    method: Callable[Concatenate[T, P], R],
) -> Callable[Concatenate[T, P], R]:
    """Let ``method`` of a table raise a ``DamagedError`` that names the table."""

    @functools.wraps(method)
    def wrapper(table: T, /, *arguments: P.args, **options: P.kwargs) -> R:
        with damage_named(table.path):
            return method(table, *arguments, **options)

    return wrapper
