"""Vectors of a model, for programs that need vectors only."""

from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from likewise.errors import DataError, UnknownNameError
from likewise.exports.base import Export, ExportFault, Selection
from likewise.exports.export_files import put
from likewise.formats.array_writer import open_npy

_FACT_COLUMNS = ("item_id", "label", "subset", "split", "role")


class EmbeddingsExport(Export):
    """Vectors of one model in canonical order, and their items.

    - ``npy``: ``{model}.npy`` (items, dimensions) in the stored type, and ``{model}.items.csv``
    - ``fvecs``: ``{model}.fvecs`` in the format of the TEXMEX corpora (per vector an int32
      length and float32 values), and ``{model}.items.csv``
    - ``parquet``: ``{model}.parquet``, one row per item: item columns, and ``vector``

    ``{model}.passport.json`` contains the model's passport.
    """

    model: str = ""
    """Name of the model; not needed if there is only one."""

    form: Literal["npy", "fvecs", "parquet"] = "npy"
    """File format."""

    def write(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``Export.write``."""
        model = self._model_name(selection)
        put(folder / f"{model}.passport.json", selection.table.passport(model))
        {"npy": _write_npy, "fvecs": _write_fvecs, "parquet": _write_parquet}[self.form](
            selection, model, folder / f"{model}.{self.form}"
        )
        if self.form != "parquet":
            selection.items.select(_FACT_COLUMNS).write_csv(folder / f"{model}.items.csv")
        return []

    def _model_name(self, selection: Selection) -> str:
        models = selection.table.vector_columns
        if self.model and self.model not in models:
            raise UnknownNameError(
                "model", self.model, models, f"the vectors of {selection.dataset}"
            )
        if not models:
            raise DataError(
                f"{selection.dataset} has no vectors; name a model and an embedding of it in "
                "params.yaml, then run: dvc repro"
            )
        if not self.model and len(models) != 1:
            raise DataError(
                f"{selection.dataset} has vectors of {', '.join(models)}; name a model: "
                "--option model=NAME"
            )
        return self.model or models[0]


def _write_npy(selection: Selection, model: str, path: Path) -> None:
    table = selection.table
    with open_npy(path, (table.dim(model),), table.dtype(model)) as rows:
        for part in selection.vectors(model):
            rows.append(part)


def _write_fvecs(selection: Selection, model: str, path: Path) -> None:
    dim = selection.table.dim(model)
    with path.open("wb") as out:
        for part in selection.vectors(model):
            head = np.full((len(part), 1), dim, "<i4").view("<f4")
            out.write(np.hstack([head, part.astype("<f4")]).tobytes())


def _write_parquet(selection: Selection, model: str, path: Path) -> None:
    field = selection.table.schema.field(model)
    facts = selection.items.select(_FACT_COLUMNS)
    schema = pa.schema(
        [
            *facts.head(0).to_arrow().schema,
            field.with_name("vector").with_nullable(nullable=False),
        ]
    )
    start = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for part in selection.vectors(model):
            flat = pa.array(part.reshape(-1), field.type.value_type)
            vectors = pa.FixedSizeListArray.from_arrays(flat, field.type.list_size)
            known = facts.slice(start, len(part)).to_arrow()
            columns = [*known.columns, vectors]
            out.write_table(pa.table(columns, schema=schema))
            start += len(part)
