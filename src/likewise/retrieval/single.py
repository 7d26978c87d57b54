"""Search one open data set."""

from likewise.retrieval.hits import Hits
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.published_dataset import resolve_query_model
from likewise.retrieval.search_query import Query
from likewise.retrieval.searcher import Searchable


def search_dataset(dataset: Searchable, query: Query) -> Hits:
    """Return the hits of a query in an open data set.

    The searcher stays in memory for the next query by the same model and index.
    """
    model = resolve_query_model(dataset, query)
    searcher = dataset.searcher(model, query.index or EXACT, fresh=False)
    frame = searcher.answer(query)
    return Hits(frame, {dataset.name: dataset}, query, exact=searcher.is_exact(query))
