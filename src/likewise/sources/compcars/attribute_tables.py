"""CompCars' tables: names of makes and models, attributes, car types, colours."""

from collections.abc import Iterator

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.matlab import read_cells
from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import findings_from_rows
from likewise.sources.list_files import read_lines

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
"""Names of the colours 0 to 9; -1 is unknown."""

ATTRIBUTES: dict[str, type[pl.DataType]] = {
    "model_id": pl.Int32,
    "maximum_speed": pl.Float32,
    "displacement": pl.Float32,
    "doors": pl.Int32,
    "seats": pl.Int32,
    "type_id": pl.Int32,
}
_SURVEILLANCE_COLUMNS = {
    "sv_model_id": pl.Int32,
    "sv_make": pl.String,
    "sv_model": pl.String,
    "web_id": pl.Int32,
}

TableAndFindings = tuple[pl.DataFrame, pl.DataFrame]
"""A table, and findings about it."""


def read_names(
    annotation_files: AnnotationFilesWithFallback,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return ``make_id``, ``make``; ``model_id``, ``model`` (ids from 1); and findings."""
    file = _find_one(annotation_files, "make_model_name.mat")
    if file is None:
        rows = [("make_model_name.mat", "absent", "makes and models have no names")]
        return _with_ids([], "make"), _with_ids([], "model"), findings_from_rows(rows)
    makes = [row[0] for row in read_cells(*file, "make_names", 1)]
    models = [row[0] for row in read_cells(*file, "model_names", 1)]
    return _with_ids(makes, "make"), _with_ids(models, "model"), findings_from_rows([])


def read_attributes(annotation_files: AnnotationFilesWithFallback) -> TableAndFindings:
    """Return the attributes and the car type of each model; unknown values (0) are null."""
    lines = read_lines(annotation_files, r"(\A|/)attributes\.txt\z")
    lines = lines.filter(~pl.col("text").str.starts_with("model_id"))
    rows, invalid = [], []
    for path, line, text in lines.iter_rows():
        numbers = _parse_numbers(text)
        if numbers is None:
            detail = f"expected six numbers, as {' '.join(ATTRIBUTES)}"
            invalid.append((f"{path}: line {line}", "bad-annotation", detail))
        else:
            rows.append(numbers)
    table = pl.DataFrame(rows, schema=dict.fromkeys(ATTRIBUTES, pl.Float64), orient="row")
    values = [pl.when(pl.col(c) != 0).then(pl.col(c)).cast(t) for c, t in ATTRIBUTES.items()]
    first = table.select(values).drop_nulls("model_id").unique("model_id", keep="first")
    repeated = (
        table.filter(pl.col("model_id").is_duplicated())["model_id"].cast(pl.Int64).unique()
    )
    if len(repeated):
        examples = bounded(repeated.sort(), len(repeated))
        detail = f"models that stand twice, and count once: {examples}"
        invalid.append(("attributes.txt", "listed-twice", detail))
    types = _read_types(annotation_files)
    return first.join(types, on="type_id", how="left").drop("type_id"), findings_from_rows(
        invalid
    )


def read_surveillance_models(annotation_files: AnnotationFilesWithFallback) -> TableAndFindings:
    """Return ``sv_model_id``, ``sv_make``, ``sv_model``, and ``web_id``, the web model's id."""
    file = _find_one(annotation_files, "sv_make_model_name.mat")
    rows = read_cells(*file, "sv_make_model_name", 3) if file else []
    table = [
        (number, str(make), str(model), web if isinstance(web, int) and 0 < web < 1e9 else None)
        for number, (make, model, web) in enumerate(rows, start=1)
    ]
    frame = pl.DataFrame(table, schema=_SURVEILLANCE_COLUMNS, orient="row")
    unmapped = frame.filter(pl.col("web_id").is_null())["sv_model_id"]
    faults = [
        (f"{file[0]}: row {n}", "bad-annotation", "no web model") for n in unmapped if file
    ]
    return frame, findings_from_rows(faults)


def read_colours(
    annotation_files: AnnotationFilesWithFallback,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return ``key``, ``colour`` of surveillance images; all entries; and findings."""
    file = _find_one(annotation_files, "color_list.mat")
    rows = read_cells(*file, "color_list", 2) if file else []
    faults = []
    table = []
    for number, (key, colour) in enumerate(rows, start=1):
        is_known = isinstance(colour, int) and -1 <= colour < len(COLOURS)
        if not is_known and file:
            detail = f"{str(colour)[:20]!r} is no colour: -1 to {len(COLOURS) - 1}"
            faults.append((f"{file[0]}: row {number}", "bad-annotation", detail))
        name = COLOURS[int(colour)] if is_known and int(colour) >= 0 else None
        table.append((str(key).replace("\\", "/"), name))
    frame = pl.DataFrame(table, schema={"key": pl.String, "colour": pl.String}, orient="row")
    entries = frame.select(list=pl.lit(file[0] if file else ""), text="key")
    return frame.unique("key", keep="first"), entries, findings_from_rows(faults)


def _read_types(annotation_files: AnnotationFilesWithFallback) -> pl.DataFrame:
    file = _find_one(annotation_files, "car_type.mat")
    return _with_ids([row[0] for row in read_cells(*file, "types", 1)] if file else [], "type")


def _find_one(
    annotation_files: AnnotationFilesWithFallback, name: str
) -> tuple[str, bytes] | None:
    """Return location (for messages) and bytes of the only file ``name``; None if missing."""
    pattern = rf"(\A|/){name.replace('.', '[.]')}\z"
    paths = annotation_files.find(pattern)
    if len(paths) > 1:
        raise DataError(
            f"{annotation_files.place} has several files {name}: {bounded(paths, len(paths))}"
        )
    files: Iterator[tuple[str, bytes]] = annotation_files.read(paths)
    return next(files, None)


def _with_ids(values: list[str | int], name: str) -> pl.DataFrame:
    texts = [str(value) or None for value in values]
    rows = list(enumerate(texts, start=1))
    schema = {f"{name}_id": pl.Int32, name: pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _parse_numbers(text: str) -> list[float] | None:
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        return None
    in_range = all(abs(value) < 1e6 for value in values)
    return values if len(values) == len(ATTRIBUTES) and in_range else None
