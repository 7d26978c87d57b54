"""Re-rankers by their names: entries of params.yaml, or kinds with their defaults."""

from likewise.errors import DataError, UnknownNameError
from likewise.formats.counted_nouns import counted
from likewise.retrieval.reranking import RERANKERS
from likewise.retrieval.reranking.base import Reranker
from likewise.retrieval.search_query import DEFAULT_K, Query
from likewise.storage.config import Params


def named_reranker(params: Params, name: str) -> Reranker:
    """Return the re-ranker ``name`` of params.yaml; or of that kind, with its defaults.

    Raises:
        UnknownNameError: there is no such entry and no such kind.
        ConfigError: the options of the entry are wrong.
    """
    entry = params.rerankers.get(name)
    if entry is None:
        params.refuse_broken(name, ("rerankers",))
        kinds = RERANKERS.kinds()
        if name not in kinds:
            raise UnknownNameError(
                "re-ranker", name, [*params.rerankers, *kinds], "params.yaml"
            )
        entry = {"kind": name}
    return RERANKERS.build(entry, f"params.yaml: rerankers.{name}")


def check_depth(reranker: Reranker, query: Query) -> None:
    """Check that all requested hits of a query are re-ranked.

    Raises:
        DataError: the query asks for more.
    """
    wanted = (query.k or DEFAULT_K) + query.offset
    if reranker.depth and wanted > reranker.depth:
        raise DataError(
            f"the search asks for {counted(wanted, 'hit')}, and the re-ranker {query.rerank} "
            f"re-ranks the first {reranker.depth:,}; set top to {wanted} or more in its entry "
            "of rerankers in params.yaml"
        )
