"""Lance tables: write, evolve, open and read them; the door to pylance.

LanceDB carries another release of Lance inside, so tables are written with pylance only, in the
storage version that both can read (``schema.STORAGE_VERSION``).
"""

import pyarrow as pa

from likewise.storage.tables.blobs import packs, read_blobs
from likewise.storage.tables.column_files import absent, files_of, same_column
from likewise.storage.tables.erase import expunge, holding
from likewise.storage.tables.full_text import index_words, search_words, word_columns
from likewise.storage.tables.json_cells import as_json
from likewise.storage.tables.reading import (
    BATCH,
    digest,
    exists,
    mark,
    need_column,
    open_table,
    read,
    read_vectors,
    scan,
)
from likewise.storage.tables.stored_schema import (
    blob_columns,
    further_columns,
    is_vector,
    lance_schema,
    metadata_columns,
    nothing,
    stored,
    vector_columns,
)
from likewise.storage.tables.writing import (
    add_column,
    describe_column,
    drop,
    link_tree,
    next_fragment,
    settle,
    write,
    write_frame,
)

# Arrow's own pool keeps what it once had: 110 MB more at the peak of a large ingest.
pa.set_memory_pool(pa.system_memory_pool())

__all__ = [
    "BATCH",
    "absent",
    "add_column",
    "as_json",
    "blob_columns",
    "describe_column",
    "digest",
    "drop",
    "exists",
    "expunge",
    "files_of",
    "further_columns",
    "holding",
    "index_words",
    "is_vector",
    "lance_schema",
    "link_tree",
    "mark",
    "metadata_columns",
    "need_column",
    "next_fragment",
    "nothing",
    "open_table",
    "packs",
    "read",
    "read_blobs",
    "read_vectors",
    "same_column",
    "scan",
    "search_words",
    "settle",
    "stored",
    "vector_columns",
    "word_columns",
    "write",
    "write_frame",
]
