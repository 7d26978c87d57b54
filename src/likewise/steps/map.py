"""Place the contents of a data set on a plane by their vectors."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.retrieval.projections import ProjectionOptions, project
from likewise.storage import artefacts, journal, tables, timings, versions
from likewise.storage.schema import MAPS


@dataclass(frozen=True)
class Mapped:
    """The result of ``map``.

    Attributes:
        name: name of the map.
        contents: number of contents on the map.
        fitted: number of them that the method itself placed.
        placed: number of them between their fitted neighbours.
        left_out: number of contents without a place.
    """

    name: str
    contents: int
    fitted: int
    placed: int
    left_out: int


def map(name: str, *, workspace: StrPath | None = None) -> Mapped:
    """Place every content of a data set on a plane, so that similar ones are near each other.

    The entry ``maps.NAME`` of params.yaml names data set, model and method. The places are a
    table, which ``likewise query`` reads as ``map_NAME`` and ``likewise plot-map`` draws. PCA
    places all contents. t-SNE and UMAP fit an even sample; other contents are placed between
    their nearest neighbours in the sample, or left out.

    Args:
        name: name of the map.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no such map.
        MissingArtefactError: the data set was not embedded by the model.
        MissingExtraError: scikit-learn or umap-learn is not installed.

    Example:
        With ``maps: {plane: {dataset: emoji, model: tiny}}`` in params.yaml:

        >>> likewise.map("plane")
        Mapped(name='plane', contents=23, fitted=23, placed=0, left_out=0)
    """
    ws = open_workspace(workspace)
    entry = ws.map(name)
    made = artefacts.map_table(ws, name)
    vectors = artefacts.embeddings(ws, entry.dataset, entry.model)
    with journal.exclusive_job(ws, made.stage.job):
        clock = timings.Clock(ws, made.stage.job)
        staging = journal.Staging(ws, made.stage.job)
        table = tables.open_table(versions.locate(ws, vectors.path), vectors.command)
        keys = table.read(["content"])["content"]
        options = ProjectionOptions(
            entry.method, entry.sample, entry.neighbours, entry.min_dist, entry.place_rest
        )
        blocks = tables.vector_blocks(table, "vector", ws.params.memory)
        order = keys.arg_sort().to_numpy().astype(np.int64)
        projected = project(blocks, order, options)
        rows = pl.DataFrame(
            {
                "content": keys,
                "x": projected.places[:, 0],
                "y": projected.places[:, 1],
                "fitted": projected.fitted,
            }
        )
        shown = rows.filter(pl.col("x").is_not_nan()).sort("content")
        digests = tables.write_frame(staging.path(made.path), MAPS, shown)
        atomic.write_text(staging.path(made.digests), digests.to_yaml())
        staging.commit()
        clock.record(len(rows))
    fitted = int(shown["fitted"].sum())
    return Mapped(name, len(shown), fitted, len(shown) - fitted, len(rows) - len(shown))
