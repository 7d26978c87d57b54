"""Encoded images, which Lance stores in pack files next to the data files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from likewise.errors import MissingArtefactError

if TYPE_CHECKING:
    import lance

_AT_ONCE = 1 << 16
"""Rows whose pack files are looked up at a time."""

_INLINE = 0
"""The kind of a blob that is stored in the data file itself."""


def pack_files(
    dataset: "lance.LanceDataset", column: str, positions: Sequence[int]
) -> list[str]:
    """List the pack files of some rows' blobs, sorted, relative to the table's folder."""
    parts = {"id": f"{column}.blob_id", "kind": f"{column}.kind", "address": "_rowaddr"}
    packs: list[pl.DataFrame] = []
    for start in range(0, len(positions), _AT_ONCE):
        part = list(positions[start : start + _AT_ONCE])
        blobs = pl.DataFrame(pl.from_arrow(dataset.take(part, columns=parts)))
        fragment = pl.col("address").cast(pl.UInt64) // (1 << 32)
        packs = [pl.concat([*packs, blobs.select("id", "kind", fragment=fragment)]).unique()]
    stems = {
        fragment.fragment_id: [Path(file.path).stem for file in fragment.metadata.files]
        for fragment in dataset.get_fragments()
    }
    # Lance names a pack by the bits of its number, the lowest bit first.
    return sorted(
        f"data/{stem}/{f'{number:032b}'[::-1]}.blob"
        for frame in packs
        for number, kind, fragment in frame.iter_rows()
        for stem in stems[fragment]
        if kind != _INLINE
    )


def blobs_at_positions(
    dataset: "lance.LanceDataset", column: str, positions: Sequence[int]
) -> list[bytes]:
    """Read the blobs of the rows at ``positions``, in that order."""
    return _read(dataset, column, {"indices": list(positions)})


def blobs_at_addresses(
    dataset: "lance.LanceDataset", column: str, addresses: Sequence[int]
) -> list[bytes]:
    """Read the blobs of the rows with these row addresses, in that order."""
    return _read(dataset, column, {"addresses": list(addresses)})


def _read(dataset: "lance.LanceDataset", column: str, rows: dict[str, Any]) -> list[bytes]:
    try:
        blobs = dataset.read_blobs(column, **rows, preserve_order=True)
    except (OSError, ValueError) as error:
        if "not found" not in str(error).lower():
            raise
        command = "likewise pull DATASET --images"
        raise MissingArtefactError("some images are not on this machine", command) from error
    return [data or b"" for _, data in blobs]
