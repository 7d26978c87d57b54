"""Column digests: a short hash of a column's content, independent of how it is stored.

The digest of a column is the SHA-256 of its (key, value) pairs, sorted by key, in an encoding
that is defined here. Row order, fragments, chunks, compaction, dictionary encoding and the
width of an integer or string type do not change it; a change of any value does.
"""

from likewise.storage.digests.digest_file import (
    CONTENT,
    DIGITS,
    Digests,
    Split,
    with_further,
)
from likewise.storage.digests.digester import (
    Digester,
    digest_batches,
    digest_columns,
    digest_set,
    digest_splits,
)

__all__ = [
    "CONTENT",
    "DIGITS",
    "Digester",
    "Digests",
    "Split",
    "digest_batches",
    "digest_columns",
    "digest_set",
    "digest_splits",
    "with_further",
]
