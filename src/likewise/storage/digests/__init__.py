"""Column digests: the content of a column as one short string, whatever file holds it.

The digest of a column is the SHA-256 of its (key, value) pairs in the order of the keys, in a
plain encoding of its own. Row order, fragments, chunks, compaction, dictionary encoding and the
width of an integer or string type therefore never change it; any single value does.
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
