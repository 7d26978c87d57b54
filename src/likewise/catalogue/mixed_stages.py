"""The stages of dvc.yaml for models that learn from several data sets.

DVC accepts no lists in templates. Each of these models has a stage of its own, which
``likewise init`` and ``likewise add-model`` write from params.yaml.
"""

from collections.abc import Mapping
from typing import Any

from likewise.catalogue.params_editor import dump_yaml, round_trip
from likewise.catalogue.training_inputs import READ
from likewise.errors import ConfigError
from likewise.formats.text_files import read_text
from likewise.models.recipes import RECIPES
from likewise.storage import artefacts
from likewise.storage.config import MIXED, Entry, parse_yaml, training_data
from likewise.storage.workspace import Workspace


def with_mixed_stages(ws: Workspace, text: str, entries: Mapping[str, Entry]) -> str:
    """Return the text of a dvc.yaml with the stages of models of several data sets.

    Stages of such models that params.yaml does not have any more are removed. The text is
    unchanged if it has the right stages.

    Args:
        ws: the workspace.
        text: the text of a dvc.yaml.
        entries: the section mixed of params.yaml.

    Raises:
        ConfigError: an entry has an unknown kind or option.
    """
    differing = differing_stages(ws, text, entries)
    if not differing:
        return text
    document = round_trip().load(text) or {}
    stages = document.setdefault("stages", {})
    wanted = _wanted(ws, entries)
    for name in differing:
        if name in wanted:
            stages[name] = wanted[name]
        else:
            del stages[name]
    return dump_yaml(document)


def differing_stages(ws: Workspace, text: str, entries: Mapping[str, Entry]) -> list[str]:
    """Return the stages of models of several data sets that a dvc.yaml lacks or has otherwise.

    Stages of broken entries are not among them.

    Raises:
        ConfigError: an entry has an unknown kind or option.
    """
    document: Any = parse_yaml(text.encode(), "dvc.yaml") or {}
    stages = (document.get("stages") if isinstance(document, dict) else None) or {}
    wanted = _wanted(ws, entries)
    broken = {_name(entry.name) for entry in ws.params.broken if entry.section == MIXED}
    present = {n: one for n, one in stages.items() if _is_mixed(n) and n not in broken}
    return sorted(
        name for name in {**present, **wanted} if present.get(name) != wanted.get(name)
    )


def check_mixed_stage(ws: Workspace, model: str) -> None:
    """Refuse to train a model of several data sets whose stage depends on others.

    Raises:
        ConfigError: dvc.yaml has another stage for it, or none.
    """
    if model not in ws.params.mixed or not ws.pipeline.is_file():
        return
    if _name(model) in differing_stages(ws, read_text(ws.pipeline), ws.params.mixed):
        raise ConfigError(
            f"dvc.yaml has no stage {_name(model)} with the data of {MIXED}.{model} in "
            "params.yaml; run: likewise init"
        )


def _wanted(ws: Workspace, entries: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
    return {_name(model): _stage(ws, model, entry) for model, entry in entries.items()}


def _name(model: str) -> str:
    return str(artefacts.Stage(artefacts.MODEL_STAGES[MIXED], model, ""))


def _is_mixed(stage: str) -> bool:
    return str(stage).startswith(_name(""))


def _stage(ws: Workspace, model: str, entry: Entry) -> dict[str, Any]:
    """Return the stage of a model: that of its recipe, with the inputs of every data set."""
    kind = RECIPES.load(str(entry.get("kind")))
    columns = [f"columns.{name}" for name in sorted(READ[kind.section])]
    params: list[Any] = ["seed", f"{MIXED}.{model}"]
    vectors_option = getattr(kind, "vectors_option", "")
    deps = [ws.relative(ws.model(str(entry.get("init"))))]
    for dataset in training_data(entry):
        deps.append(ws.relative(ws.corrections(dataset)))
        params.append({ws.relative(ws.digests(dataset, "items")): [*columns]})
        if read := entry.get(vectors_option):
            digests = ws.relative(ws.digests(dataset, str(read)))
            params.append({digests: ["columns.vector"]})
    made, metrics, plots = ws.training_files(model)
    return {
        "cmd": f"likewise train {model}",
        "deps": deps,
        "params": params,
        "outs": [ws.relative(ws.model(model)), {ws.relative(made): {"cache": False}}],
        "metrics": [{ws.relative(metrics): {"cache": False}}],
        "plots": [{ws.relative(plots): {"cache": False}}],
    }
