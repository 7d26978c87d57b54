"""Permission to run code that the author of a catalogue wrote: the functions of params.yaml.

A checkout may run such code after a command that exists to run it: ``likewise load`` or
``likewise embed`` of the model, which ``dvc repro`` calls. It is recorded by a seal of this
checkout over the digest of the code. A clone of a foreign catalogue has no such seal, so a
search by picture refuses to run the code.
"""

import hashlib
from pathlib import Path

from likewise.errors import DataError
from likewise.models.passport import Passport
from likewise.storage import seals
from likewise.storage.workspace import Workspace

FUNCTION = "function"
"""The kind of recipe that runs code of the catalogue."""


NUMERICS = "as the function computes"
"""The numerics of vectors by a function: nothing is known of its arithmetic."""


def runs_code(passport: Passport) -> bool:
    """Return True if the model embeds by code of its catalogue."""
    return passport.recipe.get("kind") == FUNCTION


def permit(ws: Workspace, passport: Passport) -> None:
    """Record that this checkout runs the code of a model."""
    file = _mark(ws, passport)
    file.parent.mkdir(parents=True, exist_ok=True)
    seals.mark(ws, file, _purpose(passport))


def check_permitted(ws: Workspace, passport: Passport, model: str) -> None:
    """Refuse to run code that this checkout has not run by ``load`` or ``embed``.

    Raises:
        DataError: the code may be that of a foreign catalogue.
    """
    if runs_code(passport) and not seals.is_marked(ws, _mark(ws, passport), _purpose(passport)):
        names = ", ".join(name.partition("/")[2] for name in sorted(passport.files)[:3])
        raise DataError(
            f"model {model!r} runs code of this catalogue ({names}), which this checkout has "
            f"not run yet; read the code and, if you trust it, run: likewise load {model}"
        )


def _digest(passport: Passport) -> str:
    files = sorted(passport.files.items())
    lines = [
        f"{passport.recipe.get('function')}\n",
        *(f"{n} {sha256}\n" for n, sha256 in files),
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _purpose(passport: Passport) -> str:
    return f"run the function {_digest(passport)}"


def _mark(ws: Workspace, passport: Passport) -> Path:
    return ws.record("functions") / _digest(passport)
