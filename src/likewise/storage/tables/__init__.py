"""Lance tables: write, change, open and read them; the only package that imports pylance.

LanceDB contains another release of Lance. Tables are therefore written by pylance only, in a
storage version that both can read (``schema.STORAGE_VERSION``).
"""

from likewise.storage.tables.damage import damage_error, damage_named, is_damage
from likewise.storage.tables.erase import erase_rows
from likewise.storage.tables.foreign_vectors import foreign_batches
from likewise.storage.tables.fragments import (
    WrittenFragments,
    add_fragments,
    data_files,
    write_fragments,
)
from likewise.storage.tables.json_cells import as_json
from likewise.storage.tables.opening import BATCH, exists, manifest_hash, present_hash
from likewise.storage.tables.row_index import NO_ROW, RowIndex, read_at, take_frame
from likewise.storage.tables.stored_schema import as_blobs, empty_batch, lance_schema
from likewise.storage.tables.table import Table, open_table
from likewise.storage.tables.vector_column import vector_blocks
from likewise.storage.tables.vector_index import NeighbourOptions, Neighbours, VectorIndex
from likewise.storage.tables.vector_keys import item_keys, vector_keys
from likewise.storage.tables.writing import (
    add_column,
    delete_rows,
    link_tree,
    next_fragment,
    remove_old_versions,
    set_column_metadata,
    write,
    write_frame,
)

__all__ = [
    "BATCH",
    "NO_ROW",
    "NeighbourOptions",
    "Neighbours",
    "RowIndex",
    "Table",
    "VectorIndex",
    "WrittenFragments",
    "add_column",
    "add_fragments",
    "as_blobs",
    "as_json",
    "damage_error",
    "damage_named",
    "data_files",
    "delete_rows",
    "empty_batch",
    "erase_rows",
    "exists",
    "foreign_batches",
    "is_damage",
    "item_keys",
    "lance_schema",
    "link_tree",
    "manifest_hash",
    "next_fragment",
    "open_table",
    "present_hash",
    "read_at",
    "remove_old_versions",
    "set_column_metadata",
    "take_frame",
    "vector_blocks",
    "vector_keys",
    "write",
    "write_fragments",
    "write_frame",
]
