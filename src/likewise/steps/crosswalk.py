"""Score the rankings of one run under every definition of the metrics in use."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError
from likewise.evaluation.literature import ComparableTables, comparable_tables
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.definitions import score_by_definitions
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.text_protocol import TextProtocol
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.storage import tables
from likewise.storage.config import Run

_COPIES = 2
"""Copies of all vectors in memory: as stored, and normalised."""

_OWN = {"GPR1200: mAP": "gpr1200", "FG-SBIR: acc@1": "sbir-acc"}
"""Definition with published tables in this package -> the protocol of these tables."""


@dataclass(frozen=True)
class DefinitionScore:
    """The score of a run by one definition of a metric.

    Attributes:
        definition: name of the definition: a paper, library or textbook, and its metric.
        metric: name of the equivalent metric of likewise.
        itself: True if the query is in the gallery, and relevant.
        value: mean over the queries, 0 to 1.
        says: comment on the definition.
        beside: published numbers that are comparable with the value, or the reason why none
        are.
    """

    definition: str
    metric: str
    itself: bool
    value: float
    says: str
    beside: str


@dataclass(frozen=True)
class Crosswalk:
    """Scores of one run under every definition in use.

    Attributes:
        run: name of the run.
        protocol: options of the protocol, which select queries and gallery.
        rows: one score per definition.
        published: published tables that the run is comparable with, and why others are not.
        notes: remarks on the scores.
    """

    run: str
    protocol: dict[str, Any]
    rows: list[DefinitionScore]
    published: ComparableTables
    notes: list[str]

    def _repr_html_(self) -> str:
        heads = ("definition", "metric", "query in gallery", "value", "published numbers")
        rows = [
            (row.definition, row.metric, "yes" if row.itself else "no", row.value, row.beside)
            for row in self.rows
        ]
        lines = "".join(map(notebook.paragraph, self.notes))
        return notebook.heading(self.run) + notebook.table(heads, rows) + lines


def crosswalk(run: str, *, workspace: StrPath | None = None) -> Crosswalk:
    """Score the rankings of ``run`` under every definition in use.

    The protocol of the run selects queries and gallery. Each definition decides if the query
    is in the gallery, which hits count, and the denominator. The whole gallery is ranked.

    Args:
        run: name of a run in params.yaml.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such run or protocol.
        MissingArtefactError: the data set is not published, or not with this model.
        DataError: the protocol does not rank, or no query can be scored.

    Example:
        >>> rows = likewise.crosswalk("emoji-tiny").rows
        >>> for row in rows[:3]:
        ...     print(row.definition, round(row.value, 2))
        GPR1200: mAP 0.66
        textbook: average precision 0.48
        textbook: R-precision 0.34
    """
    ws = open_workspace(workspace)
    entry = ws.run(run)
    protocol = PROTOCOLS.build(entry.protocol_entry(), f"params.yaml: runs.{run}")
    if not isinstance(protocol, Retrieval):
        what = "ranks texts" if isinstance(protocol, TextProtocol) else "ranks nothing"
        raise DataError(
            f"{protocol.name} {what}, and a crosswalk compares definitions for rankings of "
            "items; likewise kinds protocols lists all protocols"
        )
    dataset = Dataset(ws, entry.dataset)
    known = [name for name in protocol.columns if name in dataset.table.columns]
    dataset.need_model(entry.model)
    stored = tables.vector_blocks(dataset.table, entry.model, ws.params.memory)
    stored.need_room("crosswalk", _COPIES)
    rows, vectors = dataset.table.read(["item_id", *known]), stored.whole()
    own = protocol.evaluate_vectors(vectors, rows)
    own = replace(own, known=dataset.card.public_names)
    comparisons = [
        DefinitionScore(
            d.name, d.metric, d.query_in_gallery, value, d.remark, _beside(d.name, own)
        )
        for d, value in score_by_definitions(protocol, vectors, rows)
    ]
    return Crosswalk(run, own.protocol, comparisons, own.published, list(_notes(entry)))


def _beside(definition: str, own: Evaluation) -> str:
    """Return the published numbers that a definition's value is comparable with."""
    if definition not in _OWN:
        return f"published numbers that use {definition}"
    wanted = _OWN[definition]
    subsets = own.queries["subset"].drop_nulls().unique()
    metrics = {"all", *subsets, *own.metrics}
    comparable = comparable_tables(wanted, 1, own.counts, metrics, known=own.known)
    if not comparable.tables and not comparable.reasons:
        return f"numbers that name {definition}"
    if comparable.tables and own.protocol["name"] == wanted:
        return "the tables of " + " and ".join(table.title for table in comparable.tables)
    return "; ".join(comparable.reasons) or f"the tables of {wanted}, by a run of that protocol"


def _notes(entry: Run) -> Iterator[str]:
    if entry.index != "exact":
        yield (
            f"ranked exactly, not by the run's index {entry.index!r}: definitions differ, not "
            "indexes"
        )
    if entry.rerank is not None:
        yield "ranked without the run's re-ranker"
