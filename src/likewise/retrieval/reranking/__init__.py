"""Ways to re-rank the result of a search, each registered by name."""

from likewise.registry import Registry
from likewise.retrieval.reranking.base import Reranker

RERANKERS: Registry[Reranker] = Registry(
    "reranker",
    {
        "alpha-qe": "likewise.retrieval.reranking.alpha_qe:AlphaQueryExpansion",
        "dba": "likewise.retrieval.reranking.dba:DatabaseAugmentation",
        "diffusion": "likewise.retrieval.reranking.diffusion:Diffusion",
        "k-reciprocal": "likewise.retrieval.reranking.k_reciprocal:KReciprocal",
        "local": "likewise.retrieval.reranking.local:LocalVerification",
        "superglobal": "likewise.retrieval.reranking.superglobal:SuperGlobal",
    },
    base="likewise.retrieval.reranking.base:Reranker",
)
"""Re-ranker kind -> class."""
