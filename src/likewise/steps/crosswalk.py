"""Score one run's rankings under every definition in use, and say what stands beside what."""

from dataclasses import dataclass
from typing import Any

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError
from likewise.evaluation.literature import ComparableTables, comparable_tables
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.definitions import score_by_definitions
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.formats.paths import StrPath
from likewise.pages import notebook

_OWN = {"GPR1200: mAP": "gpr1200", "FG-SBIR: acc@1": "sbir-acc"}
"""Definitions whose published tables ship -> the protocol that these are by."""


@dataclass(frozen=True)
class DefinitionScore:
    """One definition's number.

    Attributes:
        definition: whose it is.
        metric: which of our metrics that is.
        itself: whether the query is ranked, and relevant.
        value: the mean over the queries, 0 to 1.
        says: what is peculiar to it.
        beside: the published numbers that it may stand beside.
    """

    definition: str
    metric: str
    itself: bool
    value: float
    says: str
    beside: str


@dataclass(frozen=True)
class Crosswalk:
    """One ranking under every definition in use.

    Attributes:
        run: of which.
        protocol: the switches that say who queries whom.
        rows: a definition each.
        published: the tables that the run itself may stand beside, and why not beside others.
        notes: what a reader should know.
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

    Who queries whom stays the protocol's; whether the query itself is ranked, what counts and
    what it is divided by are each definition's own. The gallery is ranked in full.

    Raises:
        UnknownNameError: no such run or protocol.
        MissingArtefactError: the data set is not published, or not by that model.
        DataError: the protocol ranks nothing, or nothing can be scored.
    """
    ws = open_workspace(workspace)
    entry = ws.run(run)
    protocol = PROTOCOLS.build({"kind": entry.protocol}, f"params.yaml: runs.{run}")
    if not isinstance(protocol, Retrieval):
        raise DataError(f"{protocol.name} scores no rankings, so it has no other definitions")
    dataset = Dataset(ws, entry.dataset)
    known = [name for name in protocol.columns if name in dataset.items.columns]
    rows, vectors = dataset.items.select("item_id", *known), dataset.vectors(entry.model)
    own = protocol.evaluate_vectors(vectors, rows)
    found = [
        DefinitionScore(
            d.name, d.metric, d.query_in_gallery, value, d.remark, _beside(d.name, own)
        )
        for d, value in score_by_definitions(protocol, vectors, rows)
    ]
    published = comparable_tables(protocol.name, protocol.version, own.counts)
    return Crosswalk(run, own.protocol, found, published, list(_notes(entry.index)))


def _beside(definition: str, own: Evaluation) -> str:
    """What published numbers a definition's may stand beside."""
    if definition not in _OWN:
        return f"numbers that name {definition}"
    wanted = _OWN[definition]
    found = comparable_tables(wanted, 1, own.counts)
    if found.tables and own.protocol["name"] == wanted:
        return "the tables of " + " and ".join(table.title for table in found.tables)
    return "; ".join(found.reasons) or f"the tables of {wanted}, by a run of that protocol"


def _notes(index: str) -> list[str]:
    if index == "exact":
        return []
    return [
        f"ranked exactly, not by the run's index {index!r}: definitions differ, not indexes"
    ]
