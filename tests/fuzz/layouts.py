"""Cases of layouts that a card describes: joined tables, records, and patterns of paths."""

import random
from typing import Any

from fuzz.case import JPEG, Case, Generator, csv, dump_json, ingest
from fuzz.hostile import NUMBERS, STRINGS, change, change_bytes, text_bytes
from fuzz.xml_text import element

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


def records(rng: random.Random) -> Case:
    """Records of changed JSON, lines of JSON, or XML, with changed options of their table."""
    listed: Any = [
        {"image": f"{n}_{n % 2}.jpg", "label": f"c {n}", "box": [1, 2, 9, 9], "a": {"b": n}}
        for n in range(4)
    ]
    suffix = rng.choice(("json", "jsonl", "xml"))
    document: Any = rng.choice((listed, {"rows": listed}, {"r": {"s": listed}}))
    document = change(listed if suffix == "jsonl" else document, rng)
    if suffix == "json":
        data = text_bytes(dump_json(document), rng)
    elif suffix == "jsonl":
        lines = document if isinstance(document, list) else [document]
        data = text_bytes("\n".join(map(dump_json, lines)), rng)
    else:
        data = element("set", document, rng).encode("utf-8", "replace")
    data = change_bytes(data, rng) if rng.random() < 0.2 else data
    table = {
        "file": f"r.{suffix}",
        "records": rng.choice(("", "", "rows", "r.s", "item", ".", rng.choice(STRINGS))),
        "columns": rng.choice((None, {"key": "image"}, ["image", "label"])),
        "explode": rng.choice(([], ["box"])),
    }
    options = {"tables": [table], "label": rng.choice(("", "a/b", "label"))}
    changed = change(options, rng) if rng.random() < 0.3 else options
    source = {"kind": "table", **changed} if isinstance(changed, dict) else changed
    return ingest(source, {**_IMAGES, f"data/r.{suffix}": data}, rng)


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


GENERATORS: dict[str, Generator] = {"tables": tables, "records": records, "patterns": patterns}
