"""Cases of layouts that a card describes: tables that are joined, and patterns of paths."""

import random
from typing import Any

from fuzz.case import JPEG, Case, Generator, csv, ingest
from fuzz.hostile import NUMBERS, STRINGS, change

_IMAGES: dict[str | bytes, bytes] = {f"data/x/{n}_{n % 2}.jpg": JPEG for n in range(4)}
_CELLS = ("1 2 5 6", "[[1, 2, 5, 6]]", '{"x": 1, "y": 2, "w": 3, "h": 4}', "[" * 5000, "1e999")
_PIECES = (
    *(r"(?P<label>\d+)_", r"(?P<camera>\d)", "(?P<split>.*)", "(a+)+", "(.*)*", ".*", r"\.jpg"),
    *("{1,999}", "{9999999}", "(?=x)", r"\1", "[", ")", "|", "(?i)", r"\p{Greek}", "$", ""),
)


def tables(rng: random.Random) -> Case:
    """Tables of hostile cells, joined by a card with changed options."""
    rows: list[list[object]] = [
        ["id", "image", "box"],
        *([n, f"{n}_{n % 2}.jpg", "1 2 9 9"] for n in range(4)),
    ]
    more: list[list[object]] = [
        ["id", "label", "a", "b"],
        *([n, f"c {n}", n % 2, 1] for n in range(3)),
    ]
    for cells in (rows, more):
        for _ in range(rng.choice((1, 2, 4))):
            row = rng.choice(cells)
            row[rng.randrange(len(row))] = rng.choice((*STRINGS, *NUMBERS, *_CELLS))
    options: dict[str, Any] = {
        "tables": ["r.csv", {"file": "m.csv", "on": "id", "many": rng.random() < 0.5}],
        "values": {"label": {"c 1": "owl"}},
        "labels": rng.choice((["a", "b"], ["*"], ["*a*a*a*a*"])),
        "lists": rng.choice(([], ["box"], ["label"])),
        "constants": {"split": "train"},
        "box_format": "xyxy",
    }
    changed = change(options, rng) if rng.random() < 0.5 else options
    source = {"kind": "table", **changed} if isinstance(changed, dict) else changed
    files = {**_IMAGES, "data/r.csv": csv(rows, rng), "data/m.csv": csv(more, rng)}
    return ingest(source, files, rng)


def patterns(rng: random.Random) -> Case:
    """Patterns of hostile parts, and hostile names of images."""
    pattern: Any = "".join(rng.choice(_PIECES) for _ in range(rng.randrange(1, 6)))
    options: dict[str, Any] = {
        "pattern": rng.choice((pattern, [pattern, r"(?P<label>\d+)_.*"], pattern * 50)),
        "folders": {"x": {"role": "query"}, "**/*" * rng.randrange(40): {"label": "z"}},
        "blocks": {"label": 2},
        "unlisted": "keep",
    }
    changed = change(options, rng) if rng.random() < 0.4 else options
    source = {"kind": "pattern", **changed} if isinstance(changed, dict) else changed
    name = rng.choice(STRINGS).encode("utf-8", "replace").decode()
    return ingest(source, {**_IMAGES, f"data/x/{name}{'a' * 100}_1.jpg": JPEG}, rng)


GENERATORS: dict[str, Generator] = {"tables": tables, "patterns": patterns}
