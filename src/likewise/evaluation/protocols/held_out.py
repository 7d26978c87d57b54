"""The validation items of a gallery, as the CompCars image-retrieval system chooses them."""

import numpy as np
import polars as pl

from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.formats.array_types import Int64Array

_SPLIT = "val"


def held_out_rows(
    rows: pl.DataFrame, labels: Int64Array, gallery: Int64Array, spec: ProtocolSpec
) -> tuple[Int64Array, str]:
    """Return the validation items of ``gallery``, and a note on how they were chosen.

    The validation items are those of the split val. If no item has it, each class of n items
    holds out n // ``spec.held_out``: the first ones in the order in which Python lists a set of
    their places in the gallery, as the system does (``make_train_valid``). Places follow the
    order of the values of ``spec.gallery`` (front before front-side), then that of the items.

    Args:
        rows: the items.
        labels: (n,) the class of every item; -1: none.
        gallery: row numbers of the gallery, ascending.
        spec: the specification of the protocol.

    Returns:
        Row numbers, ascending.
    """
    chosen = (rows["split"][gallery] == _SPLIT).fill_null(value=False).to_numpy()
    if chosen.any():
        return gallery[chosen], f"queries: gallery items of the split {_SPLIT}"
    ordered = gallery[_order(rows[gallery], spec)]
    places: dict[int, set[int]] = {}
    for place, label in enumerate(labels[ordered].tolist()):
        places.setdefault(label, set()).add(place)
    places.pop(-1, None)
    # The order of a set of small integers depends on its history only, not on the process.
    held_out = [p for part in places.values() for p in [*part][: len(part) // spec.held_out]]
    note = f"queries: 1 of {spec.held_out} gallery items per class; no item has the split val"
    return np.sort(ordered[np.array(held_out, np.int64)]), note


def _order(items: pl.DataFrame, spec: ProtocolSpec) -> Int64Array:
    """Return the positions of gallery items, sorted by the filter values that they have."""
    ranks = [
        pl.col(column).replace_strict(
            dict(zip(values, range(len(values)), strict=True)), default=len(values)
        )
        for column, values in spec.gallery.items()
        if len(values) > 1
    ]
    positions = items.select(pl.int_range(pl.len()).alias("position"), *ranks)
    by = [column for column, values in spec.gallery.items() if len(values) > 1]
    ordered = positions.sort(by, maintain_order=True) if by else positions
    return ordered["position"].to_numpy()
