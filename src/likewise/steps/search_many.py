"""Answer a table of queries at once."""

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
    """Answer a table of queries, all of them at once.

    Args:
        dataset: the data set to search.
        queries: a frame, or a file of one (CSV, Parquet, JSON lines), with one row per query.
            Exactly one of its columns says what to look for: ``id`` (an item, which is left
            out of its own hits), ``image`` (a file, relative to the folder of the table) or
            ``vector``. A column ``query`` names the queries; without it the id, the file or
            the row number does. Or an array (queries, dimensions) of vectors.
        rev: a git revision, to search the data set as it was then.
        workspace: a folder in the catalogue; by default the current one.
        options: how to look, see ``QueryOptions``: model, k, offset, min_score, per_label,
            role, where, index.

    Returns:
        The hits, query after query; each also has the name of its query.

    Raises:
        DataError: the table has none of these columns or several, or a query of it is wrong.
        StaleArtefactError: the index is of other vectors.
        UnknownOptionError: there is no such keyword; the nearest ones.
    """
    wanted = Query.from_batch_options(options)
    return search_table(open_catalogue(dataset, rev=rev, workspace=workspace), queries, wanted)
