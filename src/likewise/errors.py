"""Every error that a user can cause, one tree.

LikewiseError
├── ConfigError            a card or params.yaml is wrong; lists every fault    exit 2
├── UnknownNameError       no such dataset, model, run ...; nearest names       exit 2
├── UnknownOptionError     no such keyword of a function; nearest ones          exit 2
├── MissingArtefactError   an earlier step was not run; the command to run      exit 3
├── StaleArtefactError     made from another input; the command to run          exit 3
├── DataError              the data are wrong: what, where, how many            exit 4
│   └── DamagedError       one of their files cannot be read: which, and why    exit 4
├── MissingExtraError      an optional library is absent; the pip line          exit 5
├── VersionError           git or dvc failed; the last lines of what it said    exit 6
└── Stopped                asked to end by SIGTERM, with all saved              exit 0

Anything else that escapes is a bug and keeps its traceback.
"""

import difflib
import errno
import heapq
import os
import re
from collections.abc import Iterable, Iterator

_QUOTED = re.compile(r"\(os error (\d+)\)|\bOs \{ code: (\d+)")
"""A number of the system's in the text of an error that a library in Rust raised."""

_COMPARED = 1000
"""Names that are compared letter by letter; millions of items would take minutes."""


def hint(name: str, known: Iterable[str]) -> str:
    """What the writer of ``name`` may have meant, out of the ``known`` names."""
    names = list(known)
    near = difflib.get_close_matches(name, _candidates(name, names), n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    if names:
        few = ", ".join(heapq.nsmallest(12, names))
        return f"there are: {few}" + (" ..." if len(names) > 12 else "")
    return "there is none yet"


def _candidates(name: str, names: list[str]) -> list[str]:
    """Those of ``names`` that are worth comparing: all, or some that begin or end alike."""
    if len(names) <= _COMPARED:
        return sorted(names)
    ending = [n for n in names if n.endswith(name)]
    beginning: list[str] = []
    for length in range(len(name), 0, -max(1, len(name) // 8)):
        beginning = [n for n in names if n.startswith(name[:length])]
        if beginning:
            break
    return sorted(heapq.nsmallest(_COMPARED, {*ending, *beginning}))


class LikewiseError(Exception):
    """Something that the user can mend; its text says what, where and what to do next."""

    exit_code = 1


class ConfigError(LikewiseError):
    """A card or params.yaml is wrong; the text lists every fault at once."""

    exit_code = 2


class UnknownNameError(LikewiseError):
    """A name that nothing has; the text holds the nearest names."""

    exit_code = 2

    def __init__(self, noun: str, name: str, known: Iterable[str], where: str = "") -> None:
        """Say that no ``noun`` is called ``name``, and what there is instead."""
        place = f" in {where}" if where else ""
        super().__init__(f"no {noun} named {name!r}{place}; {hint(name, known)}")
        self.name = name


class UnknownOptionError(LikewiseError, TypeError):
    """A keyword that a function does not have; the text holds the nearest ones."""

    exit_code = 2

    def __init__(self, function: str, option: str, known: Iterable[str]) -> None:
        """Say that ``function`` has no ``option``, and which it has."""
        super().__init__(f"{function} has no option {option!r}; {hint(option, known)}")


class MissingArtefactError(LikewiseError):
    """A result of an earlier step is not here; the text holds the command that makes it."""

    exit_code = 3

    def __init__(self, what: str, command: str) -> None:
        """Say that ``what`` is not here and that ``command`` makes it."""
        super().__init__(f"{what}; run: {command}")
        self.command = command


class StaleArtefactError(MissingArtefactError):
    """A result was made from another input; the text holds the command that remakes it."""


class DataError(LikewiseError):
    """The data are wrong: what, where, how many."""

    exit_code = 4


class DamagedError(DataError):
    """A file of the data cannot be read; the text names it, and says what is wrong with it."""


class MissingExtraError(LikewiseError):
    """An optional library is absent; the text holds the pip line."""

    exit_code = 5


class VersionError(LikewiseError):
    """git or dvc failed; the text holds the last lines of what it said."""

    exit_code = 6


class Stopped(LikewiseError):  # noqa: N818 (no error, but it ends a command as one)
    """A long piece of work was asked to end, and saved all; the text says how to go on."""

    exit_code = 0


def cannot_write(error: BaseException) -> str:
    """Why nothing can be written, and what to do; "" where ``error`` says something else.

    The disk is full, or read-only: nothing but a write meets these errors, whatever the block
    did that raised them. They are known by the system's numbers, as Python has them and as
    libraries in Rust quote them, and never by what a text tells.
    """
    for one in _chain(error):
        number = one.errno if isinstance(one, OSError) else None
        if number is None and (quoted := _QUOTED.search(str(one))):
            number = int(quoted[1] or quoted[2])
        if number in (errno.ENOSPC, errno.EDQUOT):
            return (
                "no space left on the device; nothing was changed, free some and run it again"
            )
        if number == errno.EROFS:
            name = getattr(one, "filename", None)
            place = f"{name} cannot be written" if name else "nothing can be written"
            return f"{place} ({os.strerror(errno.EROFS)}); nothing was changed"
    return ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        yield error
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def bounded(examples: Iterable[object], total: int, most: int = 5) -> str:
    """At most ``most`` examples as text, and how many more there are."""
    shown = [str(e) for _, e in zip(range(most), examples, strict=False)]
    rest = total - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")
