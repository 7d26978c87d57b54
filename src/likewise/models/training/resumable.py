"""Trainings that were stopped: a folder each, so that one by other options loses nothing.

What a training's steps hang on (options, start, data, seed) names its folder. Going back to the
options of one that was stopped goes on with it, whatever was trained in between.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from likewise.storage import journal, renamed_options

_LAST = "checkpoints/last.pt"
_OPTIONS = "options.json"

_WITHOUT_EFFECT = ("save_every", "save_minutes", "workers")
"""Options that change no step: how often it is saved, and how many processes decode."""


def hangs_on(
    options: Mapping[str, Any], start: str, data: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """All that the steps of a training hang on, by what people call it."""
    recorded = renamed_options.recorded(options)
    named = {name: value for name, value in recorded.items() if name not in _WITHOUT_EFFECT}
    return {**named, "seed": seed, "weights of start": start, **data}


def folder(place: Path, asked: Mapping[str, Any]) -> Path:
    """The folder below ``place`` of the training that hangs on ``asked``, new or found."""
    text = json.dumps(asked, sort_keys=True)
    found = place / hashlib.sha256(text.encode()).hexdigest()[:16]
    if not (found / _OPTIONS).is_file():
        journal.write_text(found / _OPTIONS, text)
    return found


def others(own: Path) -> Iterator[str]:
    """What tells apart from ``own`` each stopped training beside it, unless that goes on."""
    if (own / _LAST).is_file():
        return
    asked = _options(own)
    for other in sorted(own.parent.iterdir()):
        if other == own or not (other / _LAST).is_file():
            continue
        was = _options(other)
        names = [n for n in {**asked, **was} if asked.get(n) != was.get(n)]
        yield ", ".join(_said(name, was.get(name), asked.get(name)) for name in names)


def stopped(place: Path) -> list[Path]:
    """The folders below ``place`` of trainings that were stopped."""
    return sorted(path.parents[1] for path in place.glob(f"*/{_LAST}"))


def _options(folder: Path) -> dict[str, Any]:
    return renamed_options.current(json.loads((folder / _OPTIONS).read_text("utf-8")))


def _said(name: str, was: object, now: object) -> str:
    if "." in name or " " in name:  # a digest says nothing to people
        return f"other {name}"
    return f"{name}: {was} (now {now})"
