"""Ways to search an embedding column, each registered by name."""

from likewise.indexes.base import Index
from likewise.registry import Registry

INDEXES: Registry[Index] = Registry(
    "index",
    {
        "exact": "likewise.indexes.exact:Exact",
        "faiss": "likewise.indexes.faiss:Faiss",
        "lance": "likewise.indexes.lance:Lance",
        "lopq": "likewise.indexes.lopq:Lopq",
    },
)
"""Index kind -> class."""
