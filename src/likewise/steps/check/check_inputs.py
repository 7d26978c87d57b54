"""Inputs of a check: items, measures and vectors of a data set, and hashes of others."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from likewise.sources import SOURCES
from likewise.storage import artefacts, tables, versions
from likewise.storage.config import Check
from likewise.storage.workspace import Workspace

_FACTS = ("image_id", "sha256", "nbytes", "width", "height")
_MEASURES = ("sha256", "brightness", "sharpness", "phash", "fault")

SIMILAR, LABELS = "similar", "labels"
"""The roles of searches of neighbours: of similar items, and of items that vote for labels."""


@dataclass(frozen=True)
class CheckInputs:
    """The inputs of the check of a data set.

    Attributes:
        ws: the checkout.
        dataset: name of the data set.
        bounds: the thresholds.
        compared: other data sets in which copies are searched.
        unmeasured: other data sets that have no measures yet.
    """

    ws: Workspace
    dataset: str
    bounds: Check
    compared: tuple[str, ...]
    unmeasured: tuple[str, ...]

    @classmethod
    def of(cls, ws: Workspace, dataset: str) -> "CheckInputs":
        """Choose the inputs by params.yaml.

        Raises:
            ConfigError: the check of a data set to compare is broken.
        """
        bounds = _bounds(ws, dataset)
        others = _others(ws, dataset, bounds)
        left_out = [] if bounds.against else [o for o in others if not _is_measured(ws, o)]
        compared = [other for other in others if other not in left_out]
        return cls(ws, dataset, bounds, tuple(compared), tuple(left_out))

    @property
    def entry(self) -> Mapping[str, Any]:
        """Kind and options of the index that searches vectors."""
        indexes = {"exact": {"kind": "exact"}, **self.ws.params.indexes}
        return indexes[self.bounds.index]

    @cached_property
    def images(self) -> pl.DataFrame:
        """Facts, split and measures of every image, in canonical order."""
        return _images(self.ws, self.dataset)

    def items(self, *columns: str) -> pl.DataFrame:
        """Read columns of all items."""
        return _items(self.ws, self.dataset, *columns)

    def hashes(self, other: str) -> pl.DataFrame:
        """Return image_id and phash of every distinct file of another data set."""
        return _hashes(self.ws, other)

    def vectors(self, model: str) -> tables.Table:
        """Open the vectors of a model.

        Raises:
            MissingArtefactError: there are none.
        """
        made = artefacts.embeddings(self.ws, self.dataset, model)
        return tables.open_table(versions.locate(self.ws, made.path), made.command)

    def model_of(self, role: str) -> str | None:
        """Return the model of a search of neighbours: of similar items, or of labels."""
        return {SIMILAR: self.bounds.model, LABELS: self.bounds.label_model}[role]

    def command(self, model: str) -> str:
        """Return the command that computes the vectors of a model."""
        return artefacts.embeddings(self.ws, self.dataset, model).command


def _bounds(ws: Workspace, dataset: str) -> Check:
    """Return the bounds of params.yaml; those not given there suit the kind of source."""
    given = ws.params.checks[dataset]
    kind = SOURCES.load(str(ws.card(dataset).source.get("kind")))
    return given.model_copy(
        update={k: v for k, v in kind.check_bounds.items() if k not in given.model_fields_set}
    )


def _images(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return facts, split and measures of every image, in canonical order."""
    command = artefacts.table(ws, dataset, "images").command
    images = tables.open_table(versions.locate(ws, ws.table(dataset, "images")), command)
    order = _items(ws, dataset, "image_id", "split").unique(
        "image_id", keep="first", maintain_order=True
    )
    facts = order.join(images.read(_FACTS), on="image_id", maintain_order="left")
    return facts.join(_measures(ws, dataset), on="sha256", maintain_order="left")


def _items(ws: Workspace, dataset: str, *columns: str) -> pl.DataFrame:
    command = artefacts.table(ws, dataset, "items").command
    path = versions.locate(ws, ws.table(dataset, "items"))
    return tables.open_table(path, command).read(columns)


def _measures(ws: Workspace, dataset: str) -> pl.DataFrame:
    command = artefacts.table(ws, dataset, "pixels").command
    path = versions.locate(ws, ws.table(dataset, "pixels"))
    return tables.open_table(path, command).read(_MEASURES)


def _others(ws: Workspace, dataset: str, bounds: Check) -> list[str]:
    """Return the data sets in which copies are searched, sorted.

    Raises:
        ConfigError: the check of a data set to compare is broken.
    """
    if bounds.against is None:
        for entry in ws.params.broken:
            ws.params.refuse_broken(entry.name, ("checks",))
    others = ws.params.checks if bounds.against is None else bounds.against
    return sorted(set(others) - {dataset})


def _is_measured(ws: Workspace, dataset: str) -> bool:
    return all(
        tables.exists(versions.locate(ws, ws.table(dataset, name)))
        for name in ("items", "pixels")
    )


def _hashes(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return image_id and phash of every distinct file of ``dataset``, in canonical order.

    The images table is not read: it may be large, or not be pulled.
    """
    items = _items(ws, dataset, "image_id", "content")
    files = items.select("image_id", sha256=pl.col("content").str.head(64))
    known = _measures(ws, dataset).select("sha256", "phash").drop_nulls()
    return files.unique("sha256", keep="first", maintain_order=True).join(
        known, on="sha256", maintain_order="left"
    )
