"""Select rows of a published table by an SQL condition or by keywords."""

import re
from collections.abc import Sequence

import numpy as np

from likewise.errors import DataError, MissingArtefactError, hint
from likewise.formats.array_types import BoolArray, Float32Array, Int64Array
from likewise.formats.sql_text import without_texts
from likewise.storage import tables

_NO_COLUMN = re.compile(r"No field named (.+?)\. |Column (\S+) does not exist")
_OTHER_TYPE = re.compile(
    r"literal \w+\((.+?)\) and could not convert to literal of type '(\w+)'"
)
_SYNTAX = re.compile(r"\(sql parser error: (.+)\)$", re.DOTALL)
_RUST_LOCATION = re.compile(r", /\S+\.rs:\d+:\d+")
_ERROR_PREFIX = re.compile(r"^(?:Invalid user input|External error|[\w ]+ error): ")


TEXT_COLUMNS = ("text", "label")
"""Columns that a search by keywords reads."""


def matching_rows(table: tables.Table, where: str) -> BoolArray:
    """Return a mask (n,) of the rows of ``table`` that meet the SQL condition ``where``.

    Raises:
        DataError: ``where`` is not a condition, or names an unknown column.
    """
    columns = table.metadata_columns
    names = "|".join(map(re.escape, columns))
    quoted = re.search(f'"({names})"', without_texts(where))
    if quoted:
        raise DataError(
            f"where: {quoted[0]} is a text, not the column; write {quoted[1]}, and texts in "
            "single quotes"
        )
    if not _is_closed(where):
        raise DataError("where: it closes a bracket that it does not open; give one condition")
    mask = np.zeros(table.rows, bool)
    try:
        # The brackets make everything but a condition an error: LIMIT 3, ; ...
        for batch in table.scan(["_rowoffset"], f"({where}\n)"):
            mask[batch.column(0).to_numpy()] = True
    except (ValueError, OSError, RuntimeError) as error:
        table.read([column for column in columns if column in where])  # is the table damaged?
        raise DataError(f"where: {_reason(str(error), columns, where)}") from error
    return mask


def _is_closed(where: str) -> bool:
    """Return True if ``where`` closes no bracket that it does not open.

    Lance ignores what follows the first condition, such as the end of ``a = 1) OR (b = 2``.
    """
    depth = 0
    for character in without_texts(where):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return True


def _reason(message: str, columns: list[str], where: str) -> str:
    """Return the reason in an error message of Lance, without prefixes and source locations."""
    if syntax_fault := _syntax_fault(message, where.strip()):
        return syntax_fault
    unknown = _NO_COLUMN.search(message)
    if unknown:
        name = (unknown[1] or unknown[2]).strip('`"')
        return f"no column {name!r}; {hint(name, columns)} Put texts in single quotes"
    other = _OTHER_TYPE.search(message)
    if other:
        kind = "text: put it in single quotes" if "Utf8" in other[2] else other[2]
        return f"{other[1]} does not fit the column, which is {kind}"
    text = _RUST_LOCATION.sub("", message)
    syntax = _SYNTAX.search(text)
    if syntax:
        return f"not SQL: {syntax[1]}"
    while (shorter := _ERROR_PREFIX.sub("", text)) != text:
        text = shorter
    return " ".join(text.split())


def _syntax_fault(message: str, where: str) -> str:
    """Return the fault of a condition that is not complete; "" for other faults."""
    if not where:
        return "the condition is empty; write for example: label = 'cat'"
    if "found: )" in message and not where.endswith(")"):
        return f"{where!r} ends too early; a value is missing after it, such as 'cat' or 3"
    if "Unterminated string literal" in message:
        return f"a text in {where!r} has no closing quote"
    if "does not return a boolean" in message:
        return f"{where!r} is not a condition; write for example: label = 'cat'"
    return ""


def match_keywords(
    table: tables.Table, keywords: str, name: str, command: str
) -> tuple[Float32Array, Int64Array]:
    """Return BM25 scores and row numbers of the rows that match ``keywords``, best first.

    Args:
        table: the published table.
        keywords: the words to look for.
        name: name of the data set, for an error.
        command: the command that publishes the data set again, for an error.

    Raises:
        MissingArtefactError: the table was published without a text index.
        DataError: ``keywords`` contains no word, or no item has a label or a text.
    """
    if not re.search(r"\w", keywords):
        raise DataError("keywords: it contains no word to search for")
    columns = [column for column in TEXT_COLUMNS if column in table.text_index_columns()]
    if not columns:
        what = f"the texts of {name!r} have no index for a search by keywords"
        raise MissingArtefactError(what, command)
    hits = table.search_text(columns, keywords)
    if hits.is_empty() and table.rows and not _has_words(table, columns):
        raise DataError(
            f"no item of {name!r} has a label or a text, so keywords find nothing; search by "
            "an image, an item or a vector, or by --text with a model that has a text tower"
        )
    rows, scores = hits["row"].to_numpy(), hits["score"].to_numpy()
    order = np.lexsort((rows, -scores))
    return scores[order], rows[order]


def _has_words(table: tables.Table, columns: Sequence[str]) -> bool:
    """Return True if any row has a value in one of ``columns``."""
    where = " OR ".join(f"{column} IS NOT NULL" for column in columns)
    return any(len(batch) for batch in table.scan(["_rowoffset"], where))
