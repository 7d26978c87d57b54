"""Likewise: the versioned catalogue for image-retrieval research.

Every verb is a function here, and of the same name on the command line. Importing this module
loads nothing else; a name's own module is loaded when the name is first used. The public names
are those that ``__init__.pyi`` imports: type checkers read it, and so does this module.
"""

import importlib
import os
import re
from pathlib import Path

SYSTEMS = "runs on Linux and macOS; on Windows, install it in WSL"
"""The systems that have the file locks and signals of POSIX, for messages."""

_STUB = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")

_HOMES = {
    name: module
    for module, name in re.findall(r"^from ([\w.]+) import (\w+) as \2$", _STUB, re.MULTILINE)
}
"""Public name -> the module that defines it."""

__all__ = sorted(_HOMES)  # noqa: PLE0605 (the stub is the only list)


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562).

    Raises:
        AttributeError: no such name is public.
        ImportError: the system has no POSIX file locks.
    """
    if os.name != "posix":
        raise ImportError(SYSTEMS)
    if name not in _HOMES:
        raise AttributeError(f"module 'likewise' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return __all__
