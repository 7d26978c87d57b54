"""Page through the items of a data set, with filters and counts of values."""

from typing import Unpack

from likewise.formats.paths import StrPath
from likewise.retrieval.browsing.browse_options import BrowseOptions
from likewise.retrieval.browsing.browsed import Browsed
from likewise.steps.open import open as open_catalogue


def browse(
    dataset: str,
    *,
    rev: str | None = None,
    workspace: StrPath | None = None,
    **options: Unpack[BrowseOptions],
) -> Browsed:
    """Return a page of the items of a data set, and counts of values of columns.

    To show several pages, open the data set once and call its method ``browse``, which keeps
    what it has read.

    Args:
        dataset: name of the data set.
        rev: git revision of the data set; by default the checkout.
        workspace: a folder in the catalogue; by default the current one.
        options: which items, as keywords:

            - where: an SQL condition. Strings are in single quotes: ``label <> 'cat'``. The
              list columns ``tags`` and ``selections``: ``array_has(tags, 'blurred')``.
            - selection: name of a selection; only its items pass.
            - positions: positions of items in the data set; only these items pass.
            - filters: column -> a value or several; items must have one of them in each of
              these columns. None is a missing value. In a column of lists, one element must
              match.
            - facets: columns whose values are counted. The counts of a column are under
              ``where`` and the filters of all other columns.
            - sort: column to sort by; by default items are in the order of the data set, which
              also decides between equal values. Missing values come last.
            - descending: sort from the largest value to the smallest.
            - offset: number of items before the page.
            - limit: maximum number of items on the page; 100 by default.
            - columns: columns of the page; by default all but the vectors.
            - top: maximum number of values per facet; by default all.

    Returns:
        ``total``, the number of items that pass; ``rows``, the page as a polars frame, and
        ``page``, their positions in the data set; ``counts``, a frame of ``value`` and
        ``items`` per facet; ``positions``, those of all items that pass, in order (int32).

    Raises:
        UnknownNameError: no such data set or column, or no item has the value of a filter.
        UnknownOptionError: no such keyword; the nearest ones are named.
        DataError: an option is out of range, or ``where`` is not a condition.
        MissingArtefactError: the data set was not published.

    Example:
        >>> found = likewise.browse("emoji", filters={"label": "0"}, facets=["label"], limit=2)
        >>> found.total, found.rows["item_id"].to_list()
        (5, ['0_fluent.jpg', '0_noto.jpg'])
        >>> found.counts["label"].rows()[:2]
        [('0', 5), ('200', 4)]
    """
    opened = open_catalogue(dataset, rev=rev, workspace=workspace)
    return opened.browse(**options)
