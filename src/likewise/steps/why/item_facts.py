"""Trace the origin of one vector: embed its pixels again and compare."""

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from likewise.catalogue import corrections
from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError, bounded
from likewise.formats.counted_nouns import counted
from likewise.models import author_code
from likewise.models.passport import Passport
from likewise.models.recipes import load
from likewise.steps.why.fact import Fact, readable
from likewise.storage import tables, versions
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    import numpy.typing as npt

EXPLAINED = {"float32": 1e-3, "float16": 2e-3, "bfloat16": 5e-2}
"""Number format -> maximum distance between two unit vectors of one image due to rounding.

The rounding error of float16 is at most 2^-11 of the value; the margin covers other orders of
summation in other kernels, batches and devices. With the precision bfloat16, a GPU rounds
values by 2^-8 in every layer; a CPU does not.
"""


def item_facts(ws: Workspace, dataset: Dataset, model: str, item: str) -> list[Fact]:
    """Describe the item, check its bytes against their hash, and compute its vector again.

    Raises:
        DataError: there is no such item, or it cannot be decoded.
    """
    reader = dataset.reader([item])
    position = int(dataset.find([item])[0])
    if position == tables.NO_ROW:
        items = dataset.table.read(["item_id", "image_id"])
        near = items.filter(pl.col("image_id") == item)["item_id"]
        raise DataError(f"{item} is an image; its items are {bounded(near, len(near))}")
    row = dataset.rows([position]).row(0, named=True)
    data = reader.encoded([0])[0]
    same = hashlib.sha256(data).hexdigest() == row["sha256"]
    size = f"{row['width']} x {row['height']}, {row['format']}, {row['nbytes']:,} bytes"
    box = "" if row["box"] is None else f", box {readable([round(x, 2) for x in row['box']])}"
    facts = [
        Fact("item", f"{item}, in {row['image_id']}{box}"),
        Fact("pixels", size),
        Fact("sha256", row["sha256"], "" if same else "the stored bytes differ"),
    ]
    for key, value in corrections.read(ws.corrections(ws.params.base(dataset.name))).items():
        if key.item_id == item:
            was = f"the source says {readable(value.was)}"
            facts.append(Fact(f"corrected {key.column}", readable(value.value), was))
    stored = dataset.table.vectors(model, [position])[0]
    return [*facts, *_replayed(ws, dataset, model, row, np.asarray(stored, np.float64))]


def _replayed(
    ws: Workspace,
    dataset: Dataset,
    model: str,
    row: dict[str, Any],
    stored: "npt.NDArray[np.float64]",
) -> list[Fact]:
    """Compute the vector of the item in ``row`` again and compare it with ``stored``."""
    folder = versions.locate(ws, ws.model(model))
    passport = Passport.read(folder)
    author_code.check_permitted(ws, passport, model)
    role = row["role"] if passport.by_role else None
    encoder = load(folder, role, may_run_code=True)
    unreadable: dict[int, str] = {}
    batches = list(
        encoder.encode_stream(dataset.reader([row["item_id"]]), unreadable=unreadable)
    )
    if not batches:
        raise DataError(f"{row['item_id']} cannot be decoded: {unreadable.get(0)}")
    again = batches[0][1][0].astype(np.float64)
    dtype = dataset.table.dtype(model).name
    return compared(stored, again, dtype, passport.precision)


def compared(
    stored: "npt.NDArray[np.float64]",
    again: "npt.NDArray[np.float64]",
    dtype: str,
    precision: str,
) -> list[Fact]:
    """Compare two vectors, (d,) each: cosine, distance, and the limit of rounding."""
    if stored.shape != again.shape:
        lengths = (
            f"{counted(len(stored), 'value', 'is', 'are')} stored, and the model gives "
            f"{len(again)}"
        )
        return [Fact("replayed", lengths, "another model made the vector; run: dvc repro")]
    one, two = stored / np.linalg.norm(stored), again / np.linalg.norm(again)
    distance = float(np.linalg.norm(one - two))
    bound = EXPLAINED[dtype]
    if distance <= bound:
        remark = f"equal, within the rounding of {dtype}"
    elif distance <= EXPLAINED[precision]:
        remark = (
            f"more than the rounding of {dtype}, less than that of {precision}, which GPUs use"
        )
    else:
        bound = max(bound, EXPLAINED[precision])
        remark = "DIFFERS by more than rounding: other weights, libraries or bytes, or damage"
    # For unit vectors; a sum of products would lose digits near 1.
    cosine = 1 - distance**2 / 2
    return [
        Fact("replayed cosine", f"{cosine:.9f}", remark),
        Fact("replayed distance", f"{distance:.2g}", f"rounding explains at most {bound:.2g}"),
    ]
