"""Python, SQL and commands that give the rows of a view."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from likewise.web import grid_rows
from likewise.web.columns import columns_of
from likewise.web.conditions import QUERY, name, text, whole_condition
from likewise.web.parameters import MapRegion, RowSelection
from likewise.web.shelf import Opened

Copies = dict[str, str | None]
"""``python``, ``sql`` and ``cli``; None where one of them cannot give the rows.

``why`` is the reason why there is no SQL.
"""


def page(opened: Opened, selection: RowSelection, offset: int, limit: int) -> Copies:
    """Return the texts that give the rows of a page."""
    options = grid_rows.options(opened, selection) | {"limit": limit}
    options |= {"offset": offset} if offset else {}
    if selection.region is not None:
        return _in_region(opened, selection.region, options)
    where = whole_condition(selection, columns_of(opened), QUERY)
    return {
        "python": f"{_open(opened)}.browse({_arguments(options)}).rows",
        "sql": _select(opened, where, selection, offset, limit),
        "cli": _command("browse", opened.name, _browse_flags(options) | _given(rev=opened.rev)),
        "why": _no_revision(opened.rev),
    }


def _in_region(opened: Opened, region: MapRegion, options: Mapping[str, Any]) -> Copies:
    """Return the texts that give the rows of a page of a region of a map."""
    rest = {key: value for key, value in options.items() if key != "positions"}
    place = f"data.inside({region.name!r}, {list(region.corners)!r})"
    return {
        "python": f"data = {_open(opened)}\n"
        f"data.browse(positions={place}, {_arguments(rest)}).rows",
        "sql": None,
        "cli": None,
        "why": "A region of a map is not a condition: keep its items as a selection.",
    }


def facet(opened: Opened, selection: RowSelection, column: str) -> Copies:
    """Return the texts that count the values of a column."""
    where = whole_condition(selection.without(column), columns_of(opened), QUERY)
    if selection.region is not None:
        options = grid_rows.options(opened, selection) | {"facets": [column], "limit": 0}
        return _in_region(opened, selection.region, options)
    shown = name(column, QUERY)
    rows = _rows(f"{shown}, count(*) AS n", opened, where)
    return query(f"{rows} GROUP BY {shown} ORDER BY n DESC, {shown}", opened.rev)


def item(opened: Opened, item_id: str) -> Copies:
    """Return the texts that give one item."""
    sql = _rows("*", opened, f"item_id = {text(item_id)}")
    return {**query(sql, opened.rev), "python": f"{_open(opened)}[{item_id!r}]"}


def search(
    opened: Opened, options: Mapping[str, Any], hits: Sequence[str], pictures: int = 0
) -> Copies:
    """Return the texts that give the hits of a search.

    SQL has no search, so it selects the items of the hits, in the order of the data set.
    Pictures that were sent have no file; the texts name files to save them as.

    Args:
        opened: the data set.
        options: options of the search, without its pictures.
        hits: ids of the hits.
        pictures: number of pictures that are the query.
    """
    files = [f"picture{'' if n == 1 else f'-{n}'}.png" for n in range(1, pictures + 1)]
    given = ({"image": files[0] if pictures == 1 else files} if files else {}) | dict(options)
    remark = f"  # save the query as {', '.join(files)}" if files else ""
    ids = ", ".join(map(text, hits))
    return {
        "python": f"{_open(opened)}.search({_arguments(given)}).frame{remark}",
        "sql": None
        if opened.rev
        else _rows("*", opened, f"item_id IN ({ids})" if ids else "1 = 0"),
        "cli": _command("search", opened.name, _search_flags(given) | _given(rev=opened.rev)),
        "why": _no_revision(opened.rev),
    }


def compare(first: str, second: str, queries: Sequence[str]) -> Copies:
    """Return the texts that compare two runs.

    SQL has no test of significance, so it selects the values of the queries that are shown.

    Args:
        first: name of a run, or ``RUN@REV``.
        second: the run to compare it with.
        queries: ids of the queries that are shown.
    """
    rev = next((name.partition("@")[2] for name in (first, second) if "@" in name), None)
    return {
        "python": f"likewise.compare({first!r}, {second!r})",
        "sql": None if rev else _compared(first, second, queries),
        "cli": shlex.join(["likewise", "compare", first, second]),
        "why": _no_revision(rev),
    }


def queries_table(run: str) -> str:
    """Return the name of the table with the queries of a run, as SQL."""
    return name(f"queries_{run.replace('-', '_')}", QUERY)


def _compared(first: str, second: str, queries: Sequence[str]) -> str:
    ids = ", ".join(map(text, queries))
    where = f"a.item_id IN ({ids})" if ids else "1 = 0"
    return (
        "SELECT a.item_id, a.value AS first, b.value AS second, b.value - a.value AS delta "  # noqa: S608
        f"FROM {queries_table(first)} AS a JOIN {queries_table(second)} AS b "
        f"ON a.item_id = b.item_id WHERE {where}"
    )


def _no_revision(rev: str | None) -> str | None:
    """Return the reason why a page of a revision has no SQL."""
    if rev is None:
        return None
    return f"SQL reads the checkout and names no revision; Python and the command read {rev}."


def why(dataset: str, model: str, item_id: str | None) -> Copies:
    """Return the texts that trace a column of vectors or one vector."""
    given = [part for part in (dataset, model, item_id) if part is not None]
    dashes = ["--"] if any(part.startswith("-") for part in given) else []
    return {
        "python": f"likewise.why({', '.join(map(repr, given))})",
        "sql": None,
        "cli": shlex.join(["likewise", "why", *dashes, *given]),
        "why": "The origin of vectors is not in a table.",
    }


def query(sql: str, rev: str | None) -> Copies:
    """Return the texts that run a query."""
    arguments = _arguments(_given(rev=rev))
    python = f"likewise.query({sql!r}{', ' + arguments if arguments else ''}).frame"
    return {
        "python": python,
        "sql": None if rev else sql,
        "cli": _command("query", sql, _given(rev=rev)),
        "why": _no_revision(rev),
    }


def _open(opened: Opened) -> str:
    rev = f", rev={opened.rev!r}" if opened.rev else ""
    return f"likewise.open({opened.name!r}{rev})"


def _select(
    opened: Opened, where: str | None, selection: RowSelection, offset: int, limit: int
) -> str | None:
    if opened.rev:
        return None  # the statement itself names no revision
    order = ""
    if selection.sort:
        column = name(selection.sort.removeprefix("-"), QUERY)
        direction = " DESC" if selection.sort.startswith("-") else ""
        order = f" ORDER BY {column}{direction} NULLS LAST, ROW_NUMBER() OVER ()"
    skipped = f" OFFSET {offset}" if offset else ""
    return f"{_rows('*', opened, where)}{order} LIMIT {limit}{skipped}"


def _rows(columns: str, opened: Opened, where: str | None) -> str:
    """Return a statement that selects ``columns`` of the rows that meet a condition."""
    condition = f" WHERE {where}" if where else ""
    return f"SELECT {columns} FROM {opened.name}{condition}"  # noqa: S608 (for the user to run)


def _given(**options: Any) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _arguments(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in options.items())


def _browse_flags(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the command browse."""
    facets = [
        f"{column}={'' if value is None else value}"
        for column, values in options.get("filters", {}).items()
        for value in values
    ]
    flags = {key: value for key, value in options.items() if key != "filters"}
    return _given(facet=facets or None) | flags


def _search_flags(options: Mapping[str, Any]) -> dict[str, Any]:
    box = options.get("box")
    flags = {**options, "box": ",".join(f"{edge:g}" for edge in box)} if box else dict(options)
    names = {"k": "-k", "templates": "template"}
    return {names.get(key, key): value for key, value in flags.items()}


def _command(command: str, subject: str, options: Mapping[str, Any]) -> str:
    words = ["likewise", command, subject]
    for key, value in options.items():
        flag = key if key.startswith("-") else "--" + key.replace("_", "-")
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [flag] if one is True else [flag, str(one)]
    return shlex.join(words)
