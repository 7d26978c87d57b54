"""Column digests: a short hash of a column's content, independent of how it is stored.

The digest of a column is the SHA-256 of its (key, value) pairs, sorted by key, in an encoding
that is defined here. Row order, fragments, chunks, compaction, dictionary encoding and the
width of an integer or string type do not change it; a change of any value does.

``digester`` computes digests. It is apart, because commands that only read them need no Arrow.
"""

from likewise.storage.digests.digest_file import (
    CONTENT,
    DIGITS,
    Digests,
    Split,
    read_digests,
    with_further,
)

__all__ = ["CONTENT", "DIGITS", "Digests", "Split", "read_digests", "with_further"]
