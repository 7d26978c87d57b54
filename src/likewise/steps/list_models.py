"""List the models of a catalogue, or known models."""

from dataclasses import dataclass, field
from typing import Any

from likewise.catalogue.catalogue import open_workspace
from likewise.errors import LikewiseError
from likewise.formats.paths import StrPath
from likewise.models.known_models import known_models
from likewise.models.passport import Passport
from likewise.storage import tables
from likewise.storage.config import FITTED_SECTIONS
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class ListedModel:
    """One model of params.yaml, or a known one.

    Attributes:
        name: its name.
        section: its section of params.yaml; of a known model, the name of its group.
        kind: its recipe; "imported" if only vectors of it are known.
        origin: backbone, model of a library, function, initial model or file of vectors.
        dim: number of dimensions; None if it was not made yet, or is not known.
        made: True if its folder exists, or its vectors were imported.
        datasets: data sets that it embeds.
        published: its published numbers, such as "gpr1200 all: 55.6".
    """

    name: str
    section: str
    kind: str
    origin: str
    dim: int | None = None
    made: bool = False
    datasets: list[str] = field(default_factory=list)
    published: str = ""

    @property
    def learns(self) -> bool:
        """True if the model is trained on data sets of the catalogue."""
        return self.section in FITTED_SECTIONS


def list_models(*, known: bool = False, workspace: StrPath | None = None) -> list[ListedModel]:
    """List the models of params.yaml, in its order, or the known models.

    Only params.yaml and the passports are read; no model is loaded.

    Args:
        known: list ready entries for ``add_model`` instead, with their published numbers; no
            catalogue is needed.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.

    Example:
        >>> [(model.name, model.kind, model.made) for model in likewise.list_models()]
        [('tiny', 'timm', True)]
        >>> likewise.list_models(known=True)[0].published
        'gpr1200 all: 55.6'
    """
    if known:
        return _known()
    ws = open_workspace(workspace)
    listed = [_facts(ws, name, entry) for name, entry in ws.params.recipes().items()]
    return [*listed, *(_imported(ws, name) for name in ws.params.imported_models())]


def _known() -> list[ListedModel]:
    listed = []
    for group in known_models().values():
        for name, entry in group.models.items():
            number = group.published.get(name)
            text = "" if number is None else f"{group.protocol} {group.metric}: {number}"
            origin = _origin(entry)
            listed.append(ListedModel(name, group.name, entry["kind"], origin, published=text))
    return listed


def _facts(ws: Workspace, name: str, entry: dict[str, Any]) -> ListedModel:
    folder = ws.model(name)
    try:
        dim = Passport.read(folder).dim
    except LikewiseError:  # not made yet, or damaged, which doctor reports
        dim = None
    return ListedModel(
        name,
        ws.params.section(name),
        str(entry.get("kind", "")),
        _origin(entry),
        dim,
        folder.is_dir(),
        _datasets(ws, name),
    )


def _origin(entry: dict[str, Any]) -> str:
    """Return what a recipe starts from."""
    names = ("backbone", "model", "function", "init")
    return next((str(entry[name]) for name in names if entry.get(name)), "")


def _imported(ws: Workspace, name: str) -> ListedModel:
    entries = [entry for entry in ws.params.imported.values() if entry.model == name]
    paths = [ws.embeddings(entry.dataset, name) for entry in entries]
    made = all(tables.exists(path) for path in paths)
    dim = None
    if made:
        stored = tables.open_table(paths[0], "dvc repro").passport("vector")
        dim = Passport.from_json(stored, ws.relative(paths[0])).dim
    return ListedModel(
        name,
        "imported",
        "imported",
        entries[0].origin or entries[0].file,
        dim,
        made=made,
        datasets=_datasets(ws, name),
    )


def _datasets(ws: Workspace, model: str) -> list[str]:
    entries = ws.params.vector_entries().values()
    return [entry.dataset for entry in entries if entry.model == model]
