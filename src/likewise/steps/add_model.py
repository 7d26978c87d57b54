"""Add models to params.yaml, with the entries that embed and score data sets by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.mixed_stages import with_mixed_stages
from likewise.catalogue.params_editor import ParamsEditor
from likewise.errors import ConfigError, DataError
from likewise.formats.paths import StrPath
from likewise.formats.text_files import read_text
from likewise.models.author_code import FUNCTION
from likewise.models.function_source import source_file
from likewise.models.known_models import known_entries
from likewise.models.recipes import RECIPES
from likewise.storage.config import MIXED, Run, training_data
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class AddedModels:
    """New entries of params.yaml.

    Attributes:
        models: names of the models.
        section: the section of the models: models, functions, trained, pretrained, distilled,
            aligned, adapted or mixed.
        embeddings: names of the entries that embed data sets by them.
        runs: names of the runs.
    """

    models: list[str]
    section: str
    embeddings: list[str]
    runs: list[str]


def add_model(  # noqa: PLR0913 (the fields of the entries)
    name: str | None = None,
    *,
    kind: str | None = None,
    options: Mapping[str, Any] | None = None,
    known: str | None = None,
    data: Sequence[str] = (),
    dtype: Literal["float32", "float16"] = "float32",
    workspace: StrPath | None = None,
) -> AddedModels:
    """Add a model, or known ones, to params.yaml; comments stay.

    Each data set in ``data`` is embedded by the models, and scored by each protocol of the runs
    that it has already, with the index and the options of the first of these runs. Give either
    ``name`` and ``kind``, or ``known``.

    Args:
        name: name of the model: lower-case letters, digits and '_'; with ``known`` None.
        kind: its recipe, such as ``timm`` or ``arnet``; see ``likewise.kinds("recipes")``.
        options: options of the recipe, such as ``{"backbone": "resnet50.tv_in1k"}``. ``data``
            is the data set that it learns from, or a list of several; dvc.yaml then gets a
            stage of its own.
        known: name of a known model or of a group of them; see
            ``likewise.list_models(known=True)``. Models that params.yaml has already, with the
            same entry, are kept.
        data: data sets that the models embed.
        dtype: type of the stored vectors.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        ConfigError: an option is wrong, or the name is that of another model.
        UnknownNameError: no such recipe, known model or data set.
        DataError: both or none of ``kind`` and ``known`` are given.

    Example:
        >>> likewise.add_model(known="vit_b", data=["emoji"]).runs
        ['emoji-vit_b-gpr1200']
        >>> likewise.add_model("small", kind="timm", options={"backbone": "resnet18"}).section
        'models'
    """
    ws = open_workspace(workspace)
    if known is not None and name is None and kind is None and not options:
        entries = known_entries(known)
    elif known is None and name is not None and kind is not None:
        entries = {name: _completed(ws, _entry(kind, options or {}))}
    else:
        raise DataError(
            "give either a name and a kind (and options), or the name of known models"
        )
    section = _section(entries)
    for dataset in data:
        ws.dataset(dataset)
    new = _new(ws, entries)
    embeddings = {
        f"{dataset}-{model}": {"dataset": dataset, "model": model, "dtype": dtype}
        for dataset in data
        for model in entries
        if model not in ws.params.models_of(dataset)
    }
    runs = {
        key: run
        for dataset in data
        for model in entries
        for key, run in _runs(ws, dataset, model).items()
        if key not in ws.params.runs
    }
    editor = ParamsEditor(ws)
    for part, added in ((section, new), ("embeddings", embeddings), ("runs", runs)):
        if added:
            editor.add(part, added)
    if section == MIXED and new and ws.pipeline.is_file():
        text = read_text(ws.pipeline)
        editor.add_file(ws.pipeline, with_mixed_stages(ws, text, ws.params.mixed | new))
    editor.commit()
    return AddedModels(list(new), section, list(embeddings), list(runs))


def _completed(ws: Workspace, entry: dict[str, Any]) -> dict[str, Any]:
    """Add the file of a function, on which its stage depends, to an entry without it.

    Raises:
        ConfigError: the catalogue has no such file.
    """
    function = entry.get("function")
    if entry["kind"] != FUNCTION or "file" in entry or not isinstance(function, str):
        return entry
    return {**entry, "file": source_file(function, ws.root)}


def _entry(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry; several data sets may be given as a text with commas."""
    entry = {**options, "kind": kind}
    data = entry.get("data")
    if isinstance(data, str) and "," in data:
        entry["data"] = [name.strip() for name in data.split(",") if name.strip()]
    if isinstance(entry.get("data"), tuple):
        entry["data"] = list(entry["data"])
    return entry


def _section(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Check the options of entries of one section, and return the section.

    Raises:
        ConfigError: an option is wrong.
    """
    sections = set()
    for name, entry in entries.items():
        recipe = RECIPES.build(dict(entry), f"the model {name}")
        sections.add(MIXED if len(training_data(entry)) > 1 else recipe.section)
    return sections.pop()


def _new(ws: Workspace, entries: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the entries that params.yaml does not have.

    Raises:
        ConfigError: params.yaml has another model of one of the names.
    """
    present = ws.params.recipes()
    for name, entry in entries.items():
        if present.get(name, entry) != entry:
            section = ws.params.section(name)
            raise ConfigError(
                f"params.yaml: {section}.{name} is another model of this name; choose another "
                "name, or edit that entry"
            )
    return {name: entry for name, entry in entries.items() if name not in present}


def _runs(ws: Workspace, dataset: str, model: str) -> dict[str, dict[str, Any]]:
    """Return a run by ``model`` for each protocol that scores ``dataset`` already."""
    runs: dict[str, Run] = {}
    for run in ws.params.runs.values():
        if run.dataset == dataset:
            runs.setdefault(run.protocol, run)
    return {
        f"{dataset}-{model}-{protocol}": {**run.recorded(), "model": model}
        for protocol, run in runs.items()
    }
