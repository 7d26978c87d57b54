"""Cases of a complete catalogue: hostile arguments, and tables that somebody else wrote."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer.main

from fuzz.case import Case, Generator
from fuzz.hostile import NUMBERS, STRINGS, change, change_bytes, text_bytes

_NEVER = {"train", "tune", "attention", "push", "release"}
"""Commands of minutes, or that need a remote; their arguments are parsed by the same code."""

_NO_ADDRESS = ("--host", "256.256.256.256")
"""Options of `serve` with which it ends: no machine has this address."""

_USUAL = (
    *("emoji", "emoji-tiny", "tiny", "exact", "gpr1200", "coco", "csv", "folder", "v1", "HEAD"),
    *("label = '0'", "width > 10", "select * from emoji limit 3", "images/0_fluent.png", "5"),
    *("params.yaml", "catalog", "out", "0.5", "0"),
)

READERS = (
    ["list"],
    ["show", "emoji"],
    ["show", "emoji", "--labels"],
    ["describe", "emoji"],
    ["findings", "emoji"],
    ["query", "select * from emoji limit 5"],
    ["query", "select * from emoji_images limit 5"],
    ["search", "emoji", "--item", "0_fluent.png", "-k", "3"],
    ["report", "emoji-tiny"],
    ["compare", "emoji-tiny", "emoji-tiny"],
    ["crosswalk", "emoji-tiny"],
    ["evaluate", "emoji-tiny"],
    ["why", "emoji"],
    ["export", "emoji", "csv", "--to", "out"],
    ["export", "emoji", "coco", "--to", "out"],
    ["export", "emoji", "webdataset", "--to", "out"],
    ["export", "emoji", "parquet", "--to", "out"],
    ["export", "emoji", "folder", "--to", "out"],
    ["publish", "emoji"],
    ["ingest", "emoji"],
    ["doctor"],
)


def commands() -> dict[str, Any]:
    """Return the commands of likewise by name."""
    from likewise.cli.app import app

    made: Any = typer.main.get_command(app)
    return {name: made.commands[name] for name in sorted(made.commands)}


def arguments(rng: random.Random) -> Case:
    """A command with usual, hostile, missing and additional arguments."""
    choices = {name: made for name, made in commands().items() if name not in _NEVER}
    name = rng.choice(list(choices))
    words: list[str] = [name]
    for parameter in choices[name].params:
        needed = parameter.required
        if not needed and rng.random() < 0.7:
            continue
        if needed and rng.random() < 0.1:
            continue
        flag = parameter.param_type_name == "option"
        if flag:
            words.append(rng.choice([*parameter.opts, *parameter.secondary_opts]))
        if not (flag and getattr(parameter, "is_flag", False)):
            words.append(_word(rng))
    if rng.random() < 0.1:
        words.insert(rng.randrange(len(words) + 1), _word(rng))
    if name == "serve":
        words += _NO_ADDRESS
    words = [_of_init(word) for word in words] if name == "init" else words
    return Case(commands=[[word.replace("\0", "") for word in words]], whole=True)


def _of_init(word: str) -> str:
    """Name no parent folder, because ``init`` makes a catalogue in the named folder."""
    return word.lstrip("./") if word.startswith("..") else word


def _word(rng: random.Random) -> str:
    if rng.random() < 0.6:
        return rng.choice(_USUAL)
    return rng.choice((*STRINGS, *(str(number)[:50] for number in NUMBERS)))


def tables(rng: random.Random) -> Case:
    """A table, digest file or list of DVC with changed values, or with damaged bytes."""
    read = [rng.choice(READERS) for _ in range(2)]
    return Case(commands=[*read, ["doctor"]], whole=True, edit=_Edit(rng.random()))


class _Edit:
    """Changes one file or table of a catalogue, as determined by a number."""

    def __init__(self, number: float) -> None:
        self._number = number

    def __call__(self, workspace: Path) -> None:
        rng = random.Random(self._number)  # noqa: S311 (no secret)
        way = rng.random()
        if way < 0.5:
            self._change_table(workspace, rng)
            return
        files = sorted(
            path
            for path in (workspace / "catalog").rglob("*")
            if path.is_file() and (way > 0.75) == (path.suffix == ".yaml")
        )
        path = rng.choice(files)
        if path.suffix == ".yaml" and rng.random() < 0.6:
            import yaml

            document = yaml.safe_load(path.read_bytes())
            text = yaml.safe_dump(change(document, rng), allow_unicode=True)
            path.write_bytes(text_bytes(text, rng))
        elif rng.random() < 0.2:
            path.unlink()
        else:
            path.write_bytes(change_bytes(path.read_bytes(), rng))

    @staticmethod
    def _change_table(workspace: Path, rng: random.Random) -> None:
        import lance
        import pyarrow as pa

        path = rng.choice(sorted((workspace / "catalog").rglob("*.lance")))
        try:
            table = lance.dataset(str(path)).to_table()
        except Exception:  # noqa: BLE001 (a column of blobs cannot be read this way)
            return
        for _ in range(rng.choice((1, 2))):
            table = _change_column(table, rng)
        schema = table.schema.with_metadata(None) if rng.random() < 0.2 else table.schema
        if isinstance(table, pa.Table):
            lance.write_dataset(table.cast(schema), str(path), mode="overwrite")


def _change_column(table: Any, rng: random.Random) -> Any:
    import pyarrow as pa

    if not table.num_columns:
        return table
    at, rows = rng.randrange(table.num_columns), table.num_rows
    field, column = table.schema.field(at), table.column(at)
    new_name = rng.choice(STRINGS[10:]) or "x"
    ways: tuple[Callable[[], Any], ...] = (
        lambda: table.remove_column(at),
        lambda: table.slice(0, rng.choice((0, 1, rows // 2))),
        lambda: pa.concat_tables([table, table.slice(0, 2)]),
        lambda: table.set_column(at, field.name, pa.nulls(rows, field.type)),
        lambda: table.append_column(new_name, pa.nulls(rows, pa.int8())),
        lambda: table.set_column(at, field.name, pa.nulls(rows, pa.int64())),
        lambda: table.set_column(at, field.name, pa.array([b"x"] * rows)),
        *[lambda: table.set_column(at, field, _hostile(column, field.type, rng))] * 7,
    )
    return rng.choice(ways)()


def _hostile(column: Any, kind: Any, rng: random.Random) -> Any:
    """Return the column with one or all values replaced by hostile ones of its type."""
    import pyarrow as pa

    values = column.to_pylist()
    places = range(len(values)) if rng.random() < 0.2 else [rng.randrange(max(len(values), 1))]
    for place in places:
        if place >= len(values):
            continue
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            values[place] = rng.choice(STRINGS)
        elif pa.types.is_floating(kind):
            values[place] = rng.choice((float("nan"), float("inf"), -1e30, 0.0))
        elif pa.types.is_integer(kind):
            values[place] = rng.choice((0, 1, 127))
        else:
            values[place] = values[rng.randrange(len(values))]
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeError):
        return column


GENERATORS: dict[str, Generator] = {"arguments": arguments, "tables": tables}
