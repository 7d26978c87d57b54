"""CompCars' tables: names of makes and models, attributes, types, colours."""

from collections.abc import Iterator

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.matlab import cells
from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import findings_frame
from likewise.sources.list_files import lines

COLOURS = (
    "black",
    "white",
    "red",
    "yellow",
    "blue",
    "green",
    "purple",
    "brown",
    "champagne",
    "silver",
)
"""The colours 0 to 9; -1 is unknown."""

ATTRIBUTES: dict[str, type[pl.DataType]] = {
    "model_id": pl.Int32,
    "maximum_speed": pl.Float32,
    "displacement": pl.Float32,
    "doors": pl.Int32,
    "seats": pl.Int32,
    "type_id": pl.Int32,
}
_SV = {"sv_model_id": pl.Int32, "sv_make": pl.String, "sv_model": pl.String, "web_id": pl.Int32}

Told = tuple[pl.DataFrame, pl.DataFrame]
"""A table, and findings about it."""


def names(notes: NotesToo) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """make_id, make; model_id, model; and findings. Ids count from 1; a name may be empty."""
    found = _one(notes, "make_model_name.mat")
    if found is None:
        nothing = [("make_model_name.mat", "absent", "makes and models have no names")]
        return _numbered([], "make"), _numbered([], "model"), findings_frame(nothing)
    makes = [row[0] for row in cells(*found, "make_names", 1)]
    models = [row[0] for row in cells(*found, "model_names", 1)]
    return _numbered(makes, "make"), _numbered(models, "model"), findings_frame([])


def attributes(notes: NotesToo) -> Told:
    """The attributes of models, with the name of their type; 0, which is unknown, as null."""
    told = lines(notes, r"(\A|/)attributes\.txt\z")
    told = told.filter(~pl.col("text").str.starts_with("model_id"))
    rows, broken = [], []
    for path, line, text in told.iter_rows():
        numbers = _numbers(text)
        if numbers is None:
            said = f"expected six numbers, as {' '.join(ATTRIBUTES)}"
            broken.append((f"{path}: line {line}", "bad-annotation", said))
        else:
            rows.append(numbers)
    table = pl.DataFrame(rows, schema=dict.fromkeys(ATTRIBUTES, pl.Float64), orient="row")
    known = [pl.when(pl.col(c) != 0).then(pl.col(c)).cast(t) for c, t in ATTRIBUTES.items()]
    once = table.select(known).drop_nulls("model_id").unique("model_id", keep="first")
    twins = table.filter(pl.col("model_id").is_duplicated())["model_id"].cast(pl.Int64).unique()
    if len(twins):
        said = f"models that stand twice, and count once: {bounded(twins.sort(), len(twins))}"
        broken.append(("attributes.txt", "listed-twice", said))
    kinds = _types(notes)
    return once.join(kinds, on="type_id", how="left").drop("type_id"), findings_frame(broken)


def surveillance(notes: NotesToo) -> Told:
    """sv_model_id, sv_make, sv_model, web_id: the web model that each surveillance id is."""
    found = _one(notes, "sv_make_model_name.mat")
    rows = cells(*found, "sv_make_model_name", 3) if found else []
    table = [
        (number, str(make), str(model), web if isinstance(web, int) and 0 < web < 1e9 else None)
        for number, (make, model, web) in enumerate(rows, start=1)
    ]
    frame = pl.DataFrame(table, schema=_SV, orient="row")
    lost = frame.filter(pl.col("web_id").is_null())["sv_model_id"]
    faults = [(f"{found[0]}: row {n}", "bad-annotation", "no web model") for n in lost if found]
    return frame, findings_frame(faults)


def colours(notes: NotesToo) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """key, colour of surveillance images; the entries (list, text); and findings."""
    found = _one(notes, "color_list.mat")
    rows = cells(*found, "color_list", 2) if found else []
    faults = []
    table = []
    for number, (key, colour) in enumerate(rows, start=1):
        known = isinstance(colour, int) and -1 <= colour < len(COLOURS)
        if not known and found:
            said = f"{str(colour)[:20]!r} is no colour: -1 to {len(COLOURS) - 1}"
            faults.append((f"{found[0]}: row {number}", "bad-annotation", said))
        name = COLOURS[int(colour)] if known and int(colour) >= 0 else None
        table.append((str(key).replace("\\", "/"), name))
    frame = pl.DataFrame(table, schema={"key": pl.String, "colour": pl.String}, orient="row")
    entries = frame.select(list=pl.lit(found[0] if found else ""), text="key")
    return frame.unique("key", keep="first"), entries, findings_frame(faults)


def _types(notes: NotesToo) -> pl.DataFrame:
    found = _one(notes, "car_type.mat")
    return _numbered([row[0] for row in cells(*found, "types", 1)] if found else [], "type")


def _one(notes: NotesToo, name: str) -> tuple[str, bytes] | None:
    """The one file of that name: where it lies, for messages, and its bytes."""
    pattern = rf"(\A|/){name.replace('.', '[.]')}\z"
    there = notes.names(pattern)
    if len(there) > 1:
        raise DataError(f"{notes.place} holds several {name}: {bounded(there, len(there))}")
    found: Iterator[tuple[str, bytes]] = notes.read(there)
    return next(found, None)


def _numbered(values: list[str | int], name: str) -> pl.DataFrame:
    texts = [str(value) or None for value in values]
    rows = list(enumerate(texts, start=1))
    schema = {f"{name}_id": pl.Int32, name: pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _numbers(text: str) -> list[float] | None:
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        return None
    whole = all(abs(value) < 1e6 for value in values)
    return values if len(values) == len(ATTRIBUTES) and whole else None
