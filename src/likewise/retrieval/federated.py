"""Search over several data sets at once."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from likewise.errors import DataError, UnknownNameError
from likewise.models.passport import Passport
from likewise.retrieval.hits import Hits
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.published_dataset import resolve_query_model
from likewise.retrieval.search_query import DEFAULT_K, Query
from likewise.retrieval.searcher import Searchable
from likewise.storage import tables


def search_datasets(datasets: Sequence[Searchable], query: Query) -> Hits:
    """Return the best hits of several data sets together.

    A query by id uses the first data set that has all of its items.

    Raises:
        DataError: the vectors are of different models; or the query has keywords or a
            re-ranker: the scores of different data sets are not comparable.
        UnknownNameError: no data set has all of the query's items.
    """
    if query.keywords is not None:
        raise DataError("keywords are searched in one data set at a time; name one")
    if query.rerank is not None:
        raise DataError("a re-ranker reads the neighbours in one data set; name one data set")
    models = {resolve_query_model(dataset, query) for dataset in datasets}
    _check_comparable(datasets, models)
    holder = _holder(datasets, query)
    index = query.index or EXACT
    searchers = [d.searcher(min(models), index, fresh=False) for d in datasets]
    for one in searchers:
        one.allowed(query)  # refuses a wrong condition before a model is loaded
    searcher = holder.searcher(min(models), index, fresh=False)
    rows = tuple(searcher.rows(query.ids).tolist())
    vectors = searcher.query_vectors(query, rows)
    count = query.k
    if count is None and query.min_score is None:
        count = DEFAULT_K
    frames = []
    for dataset, own in zip(datasets, searchers, strict=True):
        ids = query.id if dataset is holder else None
        unlike = query.unlike if dataset is holder else None
        own_query = replace(query, image=None, box=None, offset=0, id=ids, unlike=unlike)
        own_query = replace(own_query, text=None, not_text=None)
        if count is not None:
            own_query = replace(own_query, k=query.offset + count)
        frames.append(own.answer(own_query, vectors))
    joined = pl.concat(frames).sort("score", descending=True, maintain_order=True)
    page = joined.slice(query.offset, count)
    ranked = page.with_columns(rank=pl.int_range(1, pl.len() + 1) + query.offset)
    return Hits(ranked, {dataset.name: dataset for dataset in datasets}, query)


def _holder(datasets: Sequence[Searchable], query: Query) -> Searchable:
    """Return the first data set that has all items of the query."""
    for dataset in datasets:
        if (dataset.find(query.ids) != tables.NO_ROW).all():
            return dataset
    names = [
        name
        for dataset in datasets
        for name in dataset.table.read(["item_id"])["item_id"].head(2000)
    ]
    where = " and ".join(dataset.name for dataset in datasets)
    raise UnknownNameError("item", query.ids[0], names, where)


def _check_comparable(datasets: Sequence[Searchable], models: set[str]) -> None:
    """Refuse vectors of different models, or of different versions of one model."""
    identities = {
        Passport.from_json(dataset.table.passport(model), dataset.name).identity()
        for dataset in datasets
        for model in models
        if model in dataset.models
    }
    if len(models) > 1 or len(identities) > 1:
        names = ", ".join(dataset.name for dataset in datasets)
        what = (
            f"the vectors of {names} come from different models, or from different versions "
            "of one model"
        )
        raise DataError(f"{what}; name a model that embedded all of them, or run: dvc repro")
