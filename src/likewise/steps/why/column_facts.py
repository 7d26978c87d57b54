"""Trace the origin of a column of vectors, from the card to its runs."""

from pathlib import Path

from likewise.catalogue import corrections, run_results, takedowns
from likewise.catalogue.dataset import Dataset
from likewise.errors import VersionError
from likewise.formats.counted_nouns import counted
from likewise.formats.object_storage import is_remote
from likewise.models.passport import Passport
from likewise.steps.why.fact import Fact, readable
from likewise.storage import artefacts, tables, versions
from likewise.storage.config import AnyView, FilteredView, SelectedView, read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace


def column_facts(ws: Workspace, dataset: Dataset, model: str) -> list[Fact]:
    """Return facts of the card, source, digests and vectors, then of the column."""
    base = ws.params.base(dataset.name)
    return [
        *_card(ws, dataset, base),
        _digest(ws, "items", ws.digests(base, "items"), "contents"),
        *_people(ws, base),
        *_vectors(ws, dataset, base, model),
        _digest(ws, "column", ws.published_digests(dataset.name), model),
    ]


def run_facts(ws: Workspace, dataset: str, model: str) -> list[Fact]:
    """Return the runs that score the column: their first metric, and columns changed since."""
    path = ws.published_digests(dataset)
    now = _read(ws, path).columns if path.is_file() else {}
    facts = []
    for name, run in ws.params.runs.items():
        if (run.dataset, run.model) != (dataset, model):
            continue
        if not ws.metrics(name).is_file() or not ws.lineage(name).is_file():
            command = f"run: {artefacts.results(ws, name).command}"
            facts.append(Fact(f"run {name}", "not evaluated", command))
            continue
        numbers = run_results.read_metrics(ws, name) or {}
        read = run_results.read_lineage(ws, name).get("columns", {})
        other = [column for column, digest in read.items() if now.get(column) != digest]
        remark = f"{', '.join(other)} changed since; run: dvc repro" if other else ""
        first = ", ".join(f"{key} {value:.6g}" for key, value in list(numbers.items())[:1])
        facts.append(Fact(f"run {name}", f"{run.protocol}: {first}", remark))
    return facts


def _card(ws: Workspace, dataset: Dataset, base: str) -> list[Fact]:
    card, entry = dataset.card, ws.params.datasets[base]
    present = is_remote(entry.path) or ws.source(entry.path).exists()
    facts = [
        Fact("card", f"{ws.relative(ws.card_file(base))}: {card.title}"),
        Fact("licence", card.licence.spdx, card.licence.terms),
        Fact("source", f"{card.source['kind']} in {entry.path}", "" if present else "not here"),
    ]
    if dataset.name != base:
        condition = _condition(ws.params.all_views[dataset.name])
        facts.append(Fact("view", f"{dataset.name}, of {base} {condition}"))
    return facts


def _condition(view: AnyView) -> str:
    """Describe the items of a view."""
    if isinstance(view, FilteredView):
        return f"where {view.where}"
    if isinstance(view, SelectedView):
        return f"in the selection {view.selection}"
    return f"without {readable(list(view.without))}"


def _people(ws: Workspace, base: str) -> list[Fact]:
    """Count corrections and removed items."""
    corrected = len(corrections.read(ws.corrections(base)))
    gone = len(takedowns.read(ws.forgotten(base)).entries)
    facts = [Fact("corrections", counted(corrected, "value"), "vectors depend only on pixels")]
    return [*facts, Fact("forgotten", counted(gone, "item"))] if gone else facts


def _vectors(ws: Workspace, dataset: Dataset, base: str, model: str) -> list[Fact]:
    """Describe the storage of the vectors, and compare their model with the present one."""
    kind = dataset.table.schema.field(model).type
    key = ws.params.embedding(base, model)
    stored = f"{kind.value_type} x {kind.list_size}, the entry {key} of params.yaml"
    made_by = Passport.from_json(dataset.table.passport(model), model)
    folder = versions.locate(ws, ws.model(model))
    now = Passport.read(folder).identity() if folder.is_dir() else ""
    remark = ""
    if now != made_by.identity():
        command = artefacts.embeddings(ws, base, model).command
        remark = f"the present {model!r} is another model; run: {command}"
    facts = [Fact("vectors", stored, remark)]
    path = ws.digests(base, model)
    table = versions.locate(ws, ws.embeddings(base, model))
    if path.is_file() and tables.exists(table):
        facts.append(_digest(ws, "embedded", path, "vector"))
    return facts


def _digest(ws: Workspace, what: str, path: Path, name: str) -> Fact:
    """Return a digest with its number of rows, and the commit that wrote it."""
    if not path.is_file():
        return Fact(what, "none", f"no {ws.relative(path)}; run: dvc repro")
    digests = _read(ws, path)
    digest = digests.contents if name == "contents" else digests.columns.get(name)
    return Fact(what, f"{counted(digests.rows, 'row')}, {name} {digest}", _commit(ws, path))


def _commit(ws: Workspace, path: Path) -> str:
    """Return the last commit that changed the file."""
    name = ws.relative(path)
    try:
        if versions.run_git(ws.home, "status", "--porcelain", "--", name):
            return "not committed"
        line = versions.run_git(ws.home, "log", "-1", "--format=%h, %cs", "--", name).strip()
    except VersionError:
        return ""  # no git, or no commit yet
    return f"since {line}" if line else "not committed"


def _read(ws: Workspace, path: Path) -> Digests:
    return Digests.from_yaml(read_yaml(path), ws.relative(path))
