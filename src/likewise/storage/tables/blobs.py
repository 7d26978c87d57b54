"""Images' bytes, which lie in packs beside their table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from likewise.errors import MissingArtefactError

if TYPE_CHECKING:
    import lance

_INLINE = 0
"""The kind of a blob that lies in the data file itself."""


def packs(dataset: "lance.LanceDataset", column: str, rows: Sequence[int]) -> list[str]:
    """The files, below the table's folder, in which the blobs of ``rows`` lie packed."""
    parts = {"id": f"{column}.blob_id", "kind": f"{column}.kind"}
    scanner = dataset.scanner(columns=parts, with_row_address=True, scan_in_order=True)
    found = pl.DataFrame(pl.from_arrow(scanner.to_table()))[list(rows)]
    distinct = found.select("id", "kind", fragment=pl.col("_rowaddr") // (1 << 32)).unique()
    stems = {
        fragment.fragment_id: [Path(file.path).stem for file in fragment.metadata.files]
        for fragment in dataset.get_fragments()
    }
    # Lance names a pack after its number's bits, the lowest first.
    return sorted(
        f"data/{stem}/{f'{number:032b}'[::-1]}.blob"
        for number, kind, fragment in distinct.iter_rows()
        for stem in stems[fragment]
        if kind != _INLINE
    )


def read_blobs(dataset: "lance.LanceDataset", column: str, rows: Sequence[int]) -> list[bytes]:
    """The blobs of the ``rows`` (positions in the table), in that order."""
    return blobs_at(dataset, column, {"indices": list(rows)})


def blobs_at(dataset: "lance.LanceDataset", column: str, rows: dict[str, Any]) -> list[bytes]:
    """The same of rows by their ``indices`` or ``addresses``."""
    try:
        found = dataset.read_blobs(column, **rows, preserve_order=True)
    except (OSError, ValueError) as error:
        if "not found" not in str(error).lower():
            raise
        command = "likewise pull DATASET --images"
        raise MissingArtefactError(
            "some of the images' pixels are not here", command
        ) from error
    return [data or b"" for _, data in found]
