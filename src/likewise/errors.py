"""All errors that a user can cause.

LikewiseError
├── ConfigError            invalid card or params.yaml; lists every fault       exit 2
├── UnknownNameError       no such dataset, model, run ...; nearest names       exit 2
├── UnknownOptionError     no such keyword of a function; nearest ones          exit 2
├── MissingArtefactError   an earlier step was not run; the command to run      exit 3
├── StaleArtefactError     made from an old input; the command to run           exit 3
├── DataError              invalid data: what, where, how many                  exit 4
│   ├── AmbiguousLayoutError   several layouts fit: which                   exit 4
│   ├── ChangedValueError  a value is not the one that was seen: both           exit 4
│   └── DamagedError       a file cannot be read: which, and why                exit 4
├── MissingExtraError      an optional library is missing; the pip line         exit 5
├── VersionError           git or dvc failed; the last lines of its output      exit 6
└── Stopped                stopped by SIGTERM after saving its state            exit 143

Any other exception is a bug and keeps its traceback.
"""

import difflib
import errno
import heapq
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_QUOTED = re.compile(r"\(os error (\d+)\)|\bOs \{ code: (\d+)")
"""The errno in the text of an error of a Rust library."""

_RUST_PLACE = re.compile(r"[, ]*\S+\.rs:\d+:\d+\S*")
"""The place in the source of Lance that ends the text of its errors."""

_TABLE_LIBRARIES = ("pyarrow", "pyo3_runtime")
_PREFIXES = ("External error: ", "Invalid user input: ", "LanceError(IO): ")

_EXTRAS = {
    **{name: name for name in ("faiss", "ray", "transformers")},
    **dict.fromkeys(("numba", "safetensors", "sklearn", "timm", "torch"), "models"),
    "torchvision": "models",
    "open_clip": "open-clip",
    "cv2": "local",
    "peft": "lora",
    **dict.fromkeys(("accelerate", "dvclive", "lightly", "pytorch_metric_learning"), "train"),
}
"""Module -> the extra of pyproject.toml that installs it."""

_MAX_COMPARED = 1000
"""Maximum number of names to compare by edit distance, which is slow for millions."""


def hint(name: str, known: Iterable[str], *, complete: bool = False) -> str:
    """Return a suggestion for the unknown ``name`` out of the ``known`` names.

    If ``complete``, all known names follow.
    """
    names = list(known)
    near = difflib.get_close_matches(name, _candidates(name, names), n=3, cutoff=0.5)
    every = f"there are: {', '.join(sorted(names))}" if complete and names else ""
    if near:
        suggestion = "did you mean " + " or ".join(repr(n) for n in near) + "?"
        return f"{suggestion} {every}".rstrip()
    if every:
        return every
    if names:
        few = ", ".join(heapq.nsmallest(12, names))
        return f"there are: {few}" + (" ..." if len(names) > 12 else "")
    return "there is none yet"


def _candidates(name: str, names: list[str]) -> list[str]:
    """Return the names to compare: all, or those with a common prefix or suffix."""
    if len(names) <= _MAX_COMPARED:
        return sorted(names)
    ending = [n for n in names if n.endswith(name)]
    beginning: list[str] = []
    for length in range(len(name), 0, -max(1, len(name) // 8)):
        beginning = [n for n in names if n.startswith(name[:length])]
        if beginning:
            break
    return sorted(heapq.nsmallest(_MAX_COMPARED, {*ending, *beginning}))


class LikewiseError(Exception):
    """An error that the user can correct; the message gives fault, place and next step."""

    exit_code = 1


class ConfigError(LikewiseError):
    """A card or params.yaml is invalid; the text lists every fault."""

    exit_code = 2


class UnknownNameError(LikewiseError):
    """A name does not exist; the text has the nearest names."""

    exit_code = 2

    def __init__(
        self,
        noun: str,
        name: str,
        known: Iterable[str],
        where: str = "",
        *,
        complete: bool = False,
        entry: str = "",
    ) -> None:
        """Create the error; its text begins with ``entry``, ``complete`` lists all names."""
        place = f" in {where}" if where else ""
        suggestion = hint(name, known, complete=complete)
        text = f"no {noun} named {name!r}{place}; {suggestion}"
        super().__init__(f"{entry}: {text}" if entry else text)
        self.name = name


class UnknownOptionError(LikewiseError, TypeError):
    """A keyword of a function does not exist; the text has the nearest ones."""

    exit_code = 2

    def __init__(self, function: str, option: str, known: Iterable[str]) -> None:
        """Create the error for an unknown ``option`` of ``function``."""
        super().__init__(f"{function} has no option {option!r}; {hint(option, known)}")


class MissingArtefactError(LikewiseError):
    """A result of an earlier step is missing; the text has the command that creates it."""

    exit_code = 3

    def __init__(self, what: str, command: str) -> None:
        """Create the error with the message ``what`` and the ``command`` to run."""
        super().__init__(f"{what}; run: {command}")
        self.command = command


class StaleArtefactError(MissingArtefactError):
    """A result was made from an old input; the message gives a command that updates it."""


class DataError(LikewiseError):
    """The data are invalid; the message gives the fault, its place and the number of faults."""

    exit_code = 4


class AmbiguousLayoutError(DataError):
    """Several layouts fit a place.

    Attributes:
        kinds: the kinds of sources that fit, the best first.
    """

    def __init__(self, message: str, kinds: Iterable[str]) -> None:
        """Create the error with the layouts that fit."""
        super().__init__(message)
        self.kinds = list(kinds)


class ChangedValueError(DataError):
    """Values changed; ``changes`` has item, column, present and expected value of each."""

    def __init__(
        self, message: str, changes: Iterable[tuple[str, str, str | None, str | None]]
    ) -> None:
        """Create the error with the values; None is an empty value."""
        super().__init__(message)
        self.changes = list(changes)


class DamagedError(DataError):
    """A data file cannot be read; the text has its name and the reason."""


class MissingExtraError(LikewiseError):
    """An optional library is missing; the text has the pip command."""

    exit_code = 5


def missing_extra(error: BaseException) -> MissingExtraError | None:
    """Return the error that names the extra of a missing library; None for any other error."""
    for cause in _chain(error):
        name = (cause.name or "") if isinstance(cause, ModuleNotFoundError) else ""
        extra = _EXTRAS.get(name.partition(".")[0])
        if extra:
            text = f"{name} is not installed; run: pip install 'likewise[{extra}]'"
            return MissingExtraError(text)
    return None


@contextmanager
def extras_named() -> Iterator[None]:
    """Name the extra if a library is missing.

    Raises:
        MissingExtraError: a library of an extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if missing := missing_extra(error):
            raise missing from error
        raise


class VersionError(LikewiseError):
    """git or dvc failed; the text has the last lines of its output."""

    exit_code = 6


class Stopped(LikewiseError):  # noqa: N818 (no error, but it ends a command like one)
    """A long job was stopped and saved; the message gives the command that resumes it.

    The exit code is that of a process which SIGTERM ended, so that ``train && embed`` stops.
    """

    exit_code = 143


class BrokenEntryWarning(UserWarning):
    """An entry of params.yaml cannot be used; the others can. The text has its faults."""


def cannot_write(error: BaseException) -> str:
    """Return the message for a full or read-only disk, or a limit of sizes; "" for others.

    Only writes raise these errors, so the caller need not know which operation failed. Such
    errors are recognised by errno, which Python sets and Rust libraries quote, never by other
    text.
    """
    for cause in _chain(error):
        number = cause.errno if isinstance(cause, OSError) else None
        if number is None and (quoted := _QUOTED.search(str(cause))):
            number = int(quoted[1] or quoted[2])
        if number in (errno.ENOSPC, errno.EDQUOT):
            return (
                "no space left on the device; nothing was changed, free some and run it again"
            )
        if number == errno.EFBIG:
            return "the file would be larger than the system allows; nothing was changed"
        if number == errno.EROFS:
            name = getattr(cause, "filename", None)
            place = f"{name} cannot be written" if name else "nothing can be written"
            return f"{place} ({os.strerror(errno.EROFS)}); nothing was changed"
    return ""


def table_damage(error: BaseException) -> str:
    """Return why a file of a table is missing or damaged; "" for any other error.

    Such errors come from Lance, with a place in its source, from pyarrow, or are assertions in
    Rust (``pyo3_runtime``), which do not derive from ``Exception``.
    """
    if isinstance(error, LikewiseError) or cannot_write(error):
        return ""
    library = type(error).__module__.partition(".")[0]
    if library not in _TABLE_LIBRARIES and not _RUST_PLACE.search(str(error)):
        return ""
    lines = [line for line in str(error).splitlines() if line.strip()]
    text = _RUST_PLACE.sub("", lines[0] if lines else "") or type(error).__name__
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    return " ".join(text.split())[:200]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        yield error
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def bounded(examples: Iterable[object], total: int, most: int = 5) -> str:
    """Return at most ``most`` examples as text, and the number of the others."""
    shown = [str(e) for _, e in zip(range(most), examples, strict=False)]
    rest = total - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")


def size_text(nbytes: float) -> str:
    """Return a number of bytes with a decimal unit: ``532 B``, ``12.3 MB``."""
    size, unit = float(nbytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 999.95:
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} B" if unit == "B" else f"{size:,.1f} {unit}"
