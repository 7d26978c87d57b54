"""One case: files of a workspace, and the commands that read them."""

import io
import json
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from fuzz.hostile import OUTSIDE, text_bytes


def _picture(format_: str, size: tuple[int, int] = (40, 30)) -> bytes:
    stream = io.BytesIO()
    image = Image.new("RGB", size, "navy")
    image.paste("white", (0, 0, size[0] // 2, size[1]))
    image.save(stream, format_)
    return stream.getvalue()


PNG, JPEG = _picture("PNG"), _picture("JPEG")


@dataclass
class Case:
    """Files by their path in the workspace, and the arguments of each command to run."""

    files: dict[str | bytes, bytes] = field(default_factory=dict)
    commands: list[list[str]] = field(default_factory=list)
    whole: bool = False
    """True if the case starts with a copy of the complete catalogue."""

    edit: Callable[[Path], None] | None = None
    """Changes the workspace, in a process of its own, before the commands run."""

    def write(self, workspace: Path, outside: Path) -> None:
        """Write the files; names that the file system refuses are left out."""
        for name, data in self.files.items():
            path = Path(os.fsdecode(name))
            if path.is_absolute() or ".." in path.parts or "\0" in os.fspath(path):
                continue
            placed = data.replace(OUTSIDE.encode(), str(outside).encode())
            try:
                (workspace / path).parent.mkdir(parents=True, exist_ok=True)
                (workspace / path).write_bytes(placed)
            except OSError:
                continue  # such a name cannot come from a disk


Generator = Callable[[random.Random], Case]

VERBS_AFTER = (
    ["show", "d"],
    ["show", "d", "--labels"],
    ["findings", "d"],
    ["describe", "d"],
    ["query", "select * from d limit 3"],
    ["list"],
    ["export", "d", "csv", "--to", "out"],
    ["export", "d", "coco", "--to", "out"],
    ["export", "d", "yolo", "--to", "out"],
    ["doctor"],
)


def ingest(
    source: Any,
    files: dict[str | bytes, bytes],
    rng: random.Random,
    annotations: str | None = None,
    path: str = "data",
) -> Case:
    """Make a case that ingests and publishes a data set ``d`` of these files, then reads it."""
    entry = {"path": path, "annotations": annotations or path}
    params = {"datasets": {"d": entry}}
    card = {"title": "D", "source": source, "licence": {"spdx": "CC0-1.0"}, "citation": "-"}
    made: dict[str | bytes, bytes] = {
        "params.yaml": dump_json(params).encode(),
        "catalog/d.yaml": dump_json(card).encode(),
        **files,
    }
    commands = [["ingest", "d"], ["publish", "d"]]
    return Case(made, [*commands, rng.choice(VERBS_AFTER)])


def dump_json(document: Any) -> str:
    """Return JSON text, also of numbers and surrogates that JSON does not know."""
    return json.dumps(document, ensure_ascii=False, default=str)


def csv(rows: Iterable[Iterable[object]], rng: random.Random) -> bytes:
    """Return a table as text; now and then with a wrong quote, separator or encoding."""
    separator = rng.choice((",",) * 8 + (";", "\t", "|"))

    def cell(value: object) -> str:
        text = "" if value is None else str(value)
        if rng.random() < 0.95 and any(c in text for c in f'{separator}"\n\r'):
            return '"' + text.replace('"', '""') + '"'
        return text

    ending = rng.choice(("\n",) * 6 + ("\r\n", "\r"))
    return text_bytes(ending.join(separator.join(map(cell, row)) for row in rows) + ending, rng)
