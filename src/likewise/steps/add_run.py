"""Add a run to params.yaml."""

from collections.abc import Mapping
from typing import Any

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.params_editor import ParamsEditor
from likewise.errors import ConfigError, UnknownNameError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.formats.paths import StrPath
from likewise.registry import check
from likewise.retrieval.index_cache import EXACT, exact_entry
from likewise.storage.config import Run


def add_run(
    dataset: str,
    model: str,
    protocol: str,
    *,
    index: str | None = None,
    options: Mapping[str, Any] | None = None,
    workspace: StrPath | None = None,
) -> str:
    """Add a run to params.yaml: a data set, a model, an index and a protocol; comments stay.

    If no entry embeds the data set by the model yet, such an entry is added too.

    Args:
        dataset: name of a data set or view.
        model: name of a model, or of imported vectors of the data set.
        protocol: name of a protocol; see ``likewise.kinds("protocols")``.
        index: name of an index of params.yaml; by default an exact one.
        options: options of the protocol, such as ``{"min_images_per_class": 2}``.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The name of the run.

    Raises:
        UnknownNameError: no such data set, model, index or protocol.
        ConfigError: an option is wrong, or params.yaml has another run of this name.

    Example:
        >>> likewise.add_run("emoji", "tiny", "leave-one-out")
        'emoji-tiny-leave-one-out'
    """
    ws = open_workspace(workspace)
    ws.check_known(dataset)
    base = ws.params.base(dataset)
    embedded = ws.params.models_of(dataset)
    if model not in embedded:
        ws.params.section(model)  # refuses an unknown model
    exact = exact_entry(ws)
    index = index or exact or EXACT
    if index not in ws.params.indexes:
        raise UnknownNameError("index", index, ws.params.indexes, "params.yaml")
    fields = {"dataset": dataset, "model": model, "index": index, "protocol": protocol}
    name = f"{dataset}-{model}-{protocol}" + ("" if index == exact else f"-{index}")
    run = check(Run, {**fields, **(options or {})}, f"the run {name}")
    PROTOCOLS.build(run.protocol_entry(), f"the run {name}")
    present = ws.params.runs.get(name)
    if present is not None and present != run:
        raise ConfigError(
            f"params.yaml: runs.{name} has other options: {present.recorded()}; edit that entry"
        )
    editor = ParamsEditor(ws)
    if model not in embedded:
        entry = {"dataset": base, "model": model, "dtype": "float32"}
        editor.add("embeddings", {f"{base}-{model}": entry})
    editor.add("runs", {name: run.recorded()})
    editor.commit()
    return name
