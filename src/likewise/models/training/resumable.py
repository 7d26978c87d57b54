"""Stopped trainings: each has its own folder, so that another one overwrites nothing.

The folder's name is a hash of everything that the steps of a training depend on: options,
initial weights, data and seed. Setting the options back to those of a stopped training resumes
it, even if other trainings ran in between.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from likewise.errors import DamagedError
from likewise.formats import atomic
from likewise.formats.json_documents import read_json
from likewise.storage import renamed_options

_LAST = "checkpoints/last.pt"
_KEY = "options.json"

_WITHOUT_EFFECT = ("save_every", "save_minutes", "workers")
"""Options that change no step: the frequency of checkpoints and the decoding processes."""


def training_key(
    options: Mapping[str, Any], weights: str, data: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """Return everything that the steps of a training depend on, by readable names.

    Args:
        options: the recipe's kind and options.
        weights: SHA-256 of the initial weights.
        data: digests of the columns that are read.
        seed: the seed.
    """
    recorded = renamed_options.recorded(options)
    relevant = {name: value for name, value in recorded.items() if name not in _WITHOUT_EFFECT}
    return {**relevant, "seed": seed, "weights of start": weights, **data}


def folder(parent: Path, key: Mapping[str, Any]) -> Path:
    """Return the folder of the training with ``key`` in ``parent``; create it if needed."""
    text = json.dumps(key, sort_keys=True)
    path = parent / hashlib.sha256(text.encode()).hexdigest()[:16]
    if not (path / _KEY).is_file():
        atomic.write_text(path / _KEY, text)
    return path


def differences(own: Path) -> Iterator[str]:
    """Describe how each other stopped training differs from ``own``.

    Nothing is yielded if ``own`` itself was stopped and will be resumed.
    """
    if (own / _LAST).is_file():
        return
    key = _read_key(own)
    for other in sorted(own.parent.iterdir()):
        if other == own or not (other / _LAST).is_file():
            continue
        their = _read_key(other)
        names = [n for n in {**key, **their} if key.get(n) != their.get(n)]
        yield ", ".join(_difference(name, their.get(name), key.get(name)) for name in names)


def stopped(parent: Path) -> list[Path]:
    """Return the folders of stopped trainings in ``parent``."""
    return sorted(path.parents[1] for path in parent.glob(f"*/{_LAST}"))


def _read_key(path: Path) -> dict[str, Any]:
    try:
        return renamed_options.current(dict(read_json(path / _KEY)))
    except (OSError, DamagedError, ValueError, TypeError):
        return {}  # not written by this program


def _difference(name: str, theirs: object, own: object) -> str:
    if "." in name or " " in name:  # digests are not readable
        return f"other {name.replace('weights of start', 'initial weights')}"
    return f"{name}: {theirs} (now {own})"
