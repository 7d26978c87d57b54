"""Ways to search an embedding column, each registered by name."""

from likewise.registry import Registry
from likewise.retrieval.indexes.base import Index

INDEXES: Registry[Index] = Registry(
    "index",
    {
        "exact": "likewise.retrieval.indexes.exact:Exact",
        "faiss": "likewise.retrieval.indexes.faiss:Faiss",
        "lance": "likewise.retrieval.indexes.lance:Lance",
        "lopq": "likewise.retrieval.indexes.lopq:Lopq",
    },
    base="likewise.retrieval.indexes.base:Index",
)
"""Index kind -> class."""
