"""Search one open data set."""

from likewise.retrieval.hits import Hits
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.search_query import Query
from likewise.retrieval.searcher import Searchable, resolve_model


def search_dataset(dataset: Searchable, wanted: Query) -> Hits:
    """The hits of a query in a data set that is open.

    The second query by the same model and index finds all of it in memory.
    """
    # Words are the same by every model.
    any_model = dataset.models[0] if dataset.models and not wanted.seen else None
    model = resolve_model(dataset, wanted.model or any_model)
    frame = dataset.searcher(model, wanted.index or EXACT, fresh=False).answer(wanted)
    return Hits(frame, {dataset.name: dataset}, wanted)
