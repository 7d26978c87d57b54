"""Search by a table of queries."""

from typing import Unpack

from likewise.formats.paths import StrPath
from likewise.retrieval.batch import Queries, search_table
from likewise.retrieval.hits import Hits
from likewise.retrieval.search_options import QueryOptions
from likewise.retrieval.search_query import Query
from likewise.steps.open import open as open_catalogue


def search_many(
    dataset: str,
    queries: Queries,
    *,
    rev: str | None = None,
    workspace: StrPath | None = None,
    **options: Unpack[QueryOptions],
) -> Hits:
    """Search a data set by a table of queries, all at once.

    Args:
        dataset: name of the data set.
        queries: a frame, or a file with one (CSV, Parquet, JSON lines), with one row per query.
            Exactly one of these columns defines the queries: ``id`` (an item, which is left out
            of its own hits), ``image`` (a file, relative to the folder of the table),
            ``vector`` or ``text`` (a description, which the text tower of the model embeds). An
            optional column ``query`` names them; by default the id, the file, the text or the
            row number does. Or an array (queries, dimensions) of vectors.
        rev: git revision of the data set to search; by default the checkout.
        workspace: a folder in the catalogue; by default the current one.
        options: settings of the search, see ``QueryOptions``: model, k, offset, min_score,
            per_label, role, query_role, where, index, rerank, templates.

    Returns:
        The hits of all queries, in the order of the queries; each hit has the name of its
        query.

    Raises:
        DataError: the table has none of these columns or several, or a query is invalid.
        StaleArtefactError: the index belongs to other vectors.
        UnknownOptionError: there is no such keyword; the nearest ones are named.

    Example:
        >>> import polars as pl
        >>> queries = pl.DataFrame({"id": ["200_noto.jpg", "400_noto.jpg"]})
        >>> hits = likewise.search_many("emoji", queries, k=3)
        >>> len(hits), hits[0].query, hits[0].item_id
        (6, '200_noto.jpg', '200_fluent.jpg')
    """
    wanted = Query.from_batch_options(options)
    return search_table(open_catalogue(dataset, rev=rev, workspace=workspace), queries, wanted)
