"""Which items a search may find: by SQL, by role, by words."""

import re

import numpy as np

from likewise.errors import DataError, MissingArtefactError, hint
from likewise.formats.array_types import BoolArray, Float32Array, Int64Array
from likewise.storage import tables

_NO_COLUMN = re.compile(r"No field named (.+?)\. |Column (\S+) does not exist")
_OTHER_TYPE = re.compile(
    r"literal \w+\((.+?)\) and could not convert to literal of type '(\w+)'"
)
_SYNTAX = re.compile(r"\(sql parser error: (.+)\)$", re.DOTALL)
_PLACE_IN_LANCE = re.compile(r", /\S+\.rs:\d+:\d+")
_ECHO = re.compile(r"^(?:Invalid user input|External error|[\w ]+ error): ")


TEXT_COLUMNS = ("text", "label")
"""The columns that a search by text reads."""


def matching_rows(table: tables.Table, where: str) -> BoolArray:
    """(n,) the rows of ``table`` that the SQL condition ``where`` holds for.

    Raises:
        DataError: it is no condition, or names a column that there is not.
    """
    columns = table.metadata_columns
    quoted = re.search(f'"({"|".join(columns)})"', where)
    if quoted:
        raise DataError(
            f"where: {quoted[0]} is a text, not the column; write {quoted[1]}, and texts in "
            "single quotes"
        )
    mask = np.zeros(table.rows, bool)
    try:
        # The brackets keep out what is no condition: LIMIT 3, ; ...
        for batch in table.scan(["_rowoffset"], f"({where}\n)"):
            mask[batch.column(0).to_numpy()] = True
    except (ValueError, OSError, RuntimeError) as error:
        raise DataError(f"where: {_reason(str(error), columns)}") from error
    return mask


def _reason(said: str, columns: list[str]) -> str:
    """Lance's own words, without the Rust around them."""
    unknown = _NO_COLUMN.search(said)
    if unknown:
        name = (unknown[1] or unknown[2]).strip('`"')
        return f"no column {name!r}; {hint(name, columns)} Texts stand in single quotes"
    other = _OTHER_TYPE.search(said)
    if other:
        wanted = "text: put it in single quotes" if "Utf8" in other[2] else other[2]
        return f"{other[1]} does not fit the column, which is {wanted}"
    text = _PLACE_IN_LANCE.sub("", said)
    syntax = _SYNTAX.search(text)
    if syntax:
        return f"not SQL: {syntax[1]}"
    while (shorter := _ECHO.sub("", text)) != text:
        text = shorter
    return " ".join(text.split())


def match_text(
    table: tables.Table, text: str, name: str, command: str
) -> tuple[Float32Array, Int64Array]:
    """The rows whose words match those of ``text``: BM25 scores and rows, the best first.

    ``command`` publishes the table ``name`` again.

    Raises:
        MissingArtefactError: the table was published without an index of words.
        DataError: there is no word to look for.
    """
    if not re.search(r"\w", text):
        raise DataError("text: there is no word to look for")
    columns = [column for column in TEXT_COLUMNS if column in table.text_index_columns()]
    if not columns:
        what = f"the words of {name!r} are not indexed"
        raise MissingArtefactError(what, command)
    hits = table.search_text(columns, text)
    rows, scores = hits["row"].to_numpy(), hits["score"].to_numpy()
    order = np.lexsort((rows, -scores))
    return scores[order], rows[order]
