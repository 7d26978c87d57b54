"""Search over several data sets at once."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from likewise.errors import DataError, UnknownNameError
from likewise.models.passport import Passport
from likewise.retrieval.hits import Hits
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.search_query import DEFAULT_K, Query
from likewise.retrieval.searcher import Searchable, resolve_model

_PICTURES = 64
_WAYS = ("id", "image", "vector")


def search_datasets(datasets: Sequence[Searchable], wanted: Query) -> Hits:
    """The best hits of several data sets together.

    An item is taken from the first of them that has it.

    Raises:
        DataError: their vectors are not by the same model, or the query is by text: scores of
            words depend on the other texts of a data set.
    """
    if wanted.text is not None:
        raise DataError("text is searched in one data set at a time; name one")
    models = {resolve_model(one, wanted.model) for one in datasets}
    _same(datasets, models)
    holder = _holder(datasets, wanted)
    searcher = holder.searcher(min(models), EXACT)
    rows = tuple(searcher.row(item) for item in wanted.ids)
    vectors = searcher.vectors(wanted, rows)
    count = wanted.k
    if count is None and wanted.min_score is None:
        count = DEFAULT_K
    frames = []
    for one in datasets:
        itself = wanted.id if one is holder else None
        part = replace(wanted, image=None, box=None, offset=0, id=itself)
        if count is not None:
            part = replace(part, k=wanted.offset + count)
        own = one.searcher(min(models), wanted.index or EXACT, fresh=False)
        frames.append(own.answer(part, vectors))
    joined = pl.concat(frames).sort("score", descending=True, maintain_order=True)
    page = joined.slice(wanted.offset, count)
    ranked = page.with_columns(rank=pl.int_range(1, pl.len() + 1) + wanted.offset)
    return Hits(ranked, {one.name: one for one in datasets}, wanted)


def _holder(datasets: Sequence[Searchable], query: Query) -> Searchable:
    """The first data set that has all the items that are searched for."""
    for one in datasets:
        if one.items["item_id"].is_in(query.ids).sum() == len(set(query.ids)):
            return one
    names = [name for one in datasets for name in one.items["item_id"].head(2000)]
    where = " and ".join(one.name for one in datasets)
    raise UnknownNameError("item", query.ids[0], names, where)


def _same(datasets: Sequence[Searchable], models: set[str]) -> None:
    """Refuse vectors that are not comparable."""
    made = {
        Passport.from_json(one.table.passport(m), one.name).identity()
        for one in datasets
        for m in models
        if m in one.models
    }
    if len(models) > 1 or len(made) > 1:
        names = ", ".join(one.name for one in datasets)
        what = f"the vectors of {names} are by different models or versions of one"
        raise DataError(f"{what}; name a model that made all of them, or: dvc repro")
