"""A model's vectors, for programs that search or learn from vectors alone."""

from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from likewise.errors import DataError, UnknownNameError
from likewise.exports.base import Export, Fault, Selection
from likewise.exports.export_files import put
from likewise.formats.array_writer import npy
from likewise.storage import tables

_FACTS = ("item_id", "label", "subset", "split", "role")


class Embeddings(Export):
    """The vectors of one model, in canonical order, and the items that they are of.

    - ``npy``: ``{model}.npy`` (items, dimensions), as stored, and ``{model}.items.csv``
    - ``fvecs``: ``{model}.fvecs``, each vector its int32 length and float32 values, as the
      TEXMEX corpora have it, and ``{model}.items.csv``
    - ``parquet``: ``{model}.parquet``, a row an item: its facts, and ``vector``

    The model's passport is in ``{model}.passport.json``.
    """

    model: str = ""
    """Whose vectors; by default those of the only model there is."""

    form: Literal["npy", "fvecs", "parquet"] = "npy"
    """The kind of file."""

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        model = self._chosen(chosen)
        field = chosen.table.schema.field(model)
        put(folder / f"{model}.passport.json", field.metadata[b"passport"])
        {"npy": _npy, "fvecs": _fvecs, "parquet": _parquet}[self.form](
            chosen, model, folder / f"{model}.{self.form}"
        )
        if self.form != "parquet":
            chosen.items.select(_FACTS).write_csv(folder / f"{model}.items.csv")
        return []

    def _chosen(self, chosen: Selection) -> str:
        there = tables.vector_columns(chosen.table)
        if self.model and self.model not in there:
            raise UnknownNameError(
                "model", self.model, there, f"the vectors of {chosen.dataset}"
            )
        if not there:
            raise DataError(
                f"{chosen.dataset} has no vectors; name a model and an embedding of it in "
                "params.yaml, then run: dvc repro"
            )
        if not self.model and len(there) != 1:
            raise DataError(
                f"{chosen.dataset} has vectors of {', '.join(there)}; name a model: "
                "--option model=NAME"
            )
        return self.model or there[0]


def _npy(chosen: Selection, model: str, path: Path) -> None:
    kind = chosen.table.schema.field(model).type
    with npy(path, (kind.list_size,), kind.value_type.to_pandas_dtype()) as rows:
        for part in chosen.vectors(model):
            rows.append(part)


def _fvecs(chosen: Selection, model: str, path: Path) -> None:
    dim = chosen.table.schema.field(model).type.list_size
    with path.open("wb") as out:
        for part in chosen.vectors(model):
            head = np.full((len(part), 1), dim, "<i4").view("<f4")
            out.write(np.hstack([head, part.astype("<f4")]).tobytes())


def _parquet(chosen: Selection, model: str, path: Path) -> None:
    field = chosen.table.schema.field(model)
    facts = chosen.items.select(_FACTS)
    schema = pa.schema(
        [
            *facts.head(0).to_arrow().schema,
            field.with_name("vector").with_nullable(nullable=False),
        ]
    )
    start = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for part in chosen.vectors(model):
            flat = pa.array(part.reshape(-1), field.type.value_type)
            vectors = pa.FixedSizeListArray.from_arrays(flat, field.type.list_size)
            known = facts.slice(start, len(part)).to_arrow()
            columns = [*known.columns, vectors]
            out.write_table(pa.table(columns, schema=schema))
            start += len(part)
