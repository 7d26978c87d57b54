"""Make an index of a data set's vectors, and say how good it is; list those that are kept."""

from collections.abc import Iterator
from dataclasses import dataclass

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.errors import LikewiseError
from likewise.formats.paths import StrPath
from likewise.retrieval.index_cache import Stored
from likewise.retrieval.indexes.benchmark import Measured, Probes
from likewise.retrieval.indexes.exact import Exact
from likewise.storage import journal
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Indexed:
    """An index that is kept.

    Attributes:
        dataset: whose items it finds,
        model: by whose vectors,
        index: and its entry in params.yaml.
        state: ``current``; ``partial``: some items are found by exact search beside it;
            ``stale``: it is not used until it is made anew; ``unused``: params.yaml asks for
            it no more.
        covered: items that are in it,
        items: and how many there are.
        command: what mends a state that is not ``current``.
        measured: its recall and speed beside exact search; None where it was never measured.
    """

    dataset: str
    model: str
    index: str
    state: str
    covered: int
    items: int
    command: str
    measured: Measured | None


def index(dataset: str, model: str, name: str, *, workspace: StrPath | None = None) -> Indexed:
    """Make the index ``name`` of the vectors of ``model``, keep it, and measure it.

    Its recall and latency stand beside those of exact search, on items of the data set drawn
    at random, each without itself. Nothing else reads them: they are in
    ``.likewise/indexes/<dataset>/<model>/<name>/facts.json``.

    Raises:
        UnknownNameError: no such data set, model or index.
        ConfigError: the index's options are wrong, or do not suit the vectors.
        MissingArtefactError: the data set is not published, or not by that model.
        DataError: another process makes it now, or nothing can be written here.
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    opened = Dataset(ws, dataset)
    opened.need_model(model)
    stored = Stored(ws, opened, model, name)
    with journal.alone(ws, f"index-{dataset}-{model}-{name}"):
        built = stored.fresh()
        vectors = stored.vectors()
        probes = Probes(vectors, Exact().build(vectors))
        facts = stored.note(probes.measure(built, stored.nbytes()))
    rows = vectors.rows
    return Indexed(dataset, model, name, "current", rows, rows, "", facts.measured)


def list_indexes(*, workspace: StrPath | None = None) -> list[Indexed]:
    """Every index that this checkout keeps, and whether it is up to date.

    Raises:
        MissingArtefactError: there is no catalogue.
    """
    return list(kept_indexes(open_workspace(workspace)))


def kept_indexes(ws: Workspace) -> Iterator[Indexed]:
    """The same of a workspace that is open."""
    folder = ws.index("x", "x", "x").parents[2]
    opened: dict[str, Dataset] = {}
    for facts in sorted(folder.glob("*/*/*/facts.json")):
        dataset, model, name = facts.relative_to(folder).parts[:3]
        if not name.startswith("."):
            yield _described(ws, opened, dataset, model, name)


def _described(
    ws: Workspace, opened: dict[str, Dataset], dataset: str, model: str, name: str
) -> Indexed:
    asked = dataset in ws.params.datasets and model in ws.params.models_of(dataset)
    if not asked or name not in {*ws.params.indexes, "exact"}:
        command = f"rm -r {ws.relative(ws.index(dataset, model, name))}"
        return Indexed(dataset, model, name, "unused", 0, 0, command, None)
    stored = Stored(ws, opened.setdefault(dataset, Dataset(ws, dataset)), model, name)
    facts = stored.facts()
    measured = facts.measured if facts else None
    try:
        state, covered, items = _state(stored)
    except LikewiseError:  # the data set is not published now
        state, covered, items = "stale", 0, 0
    command = "" if state == "current" else stored.command
    return Indexed(dataset, model, name, state, covered, items, command, measured)


def _state(stored: Stored) -> tuple[str, int, int]:
    if stored.stale():
        return "stale", 0, len(stored.dataset.items)
    if not stored.file.is_file():
        facts, items = stored.facts(), len(stored.dataset.items)
        same = facts is not None and facts.rows == items
        return "current" if same else "stale", items, items
    covered, items = stored.covered()
    return "current" if covered == items else "partial", covered, items
