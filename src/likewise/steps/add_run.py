"""Add a run to params.yaml."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.params_editor import ParamsEditor
from likewise.errors import ConfigError, DataError, UnknownNameError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.formats.paths import StrPath
from likewise.formats.yaml_documents import read_yaml
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
        options: options of the protocol, such as ``{"min_images_per_class": 2}``. ``names`` of
            zero-shot may also be a file: .json or .yaml with names by label, or .csv with the
            columns label and name; its content is written into params.yaml. Any protocol has
            ``by``: a column of the items, for each of whose values the metrics are reported.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The name of the run.

    Raises:
        UnknownNameError: no such data set, model, index or protocol.
        ConfigError: an option is wrong, or params.yaml has another run of this name.
        DataError: the file of names cannot be read.

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
    run = check(Run, {**fields, **_read_names(options or {})}, f"the run {name}")
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


def _read_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options, with the content of a file of names."""
    names = options.get("names")
    if not isinstance(names, str | os.PathLike) or names in ("label", "text"):
        return dict(options)
    return {**options, "names": _names_in(Path(names))}


def _names_in(path: Path) -> dict[str, str]:
    if path.suffix == ".csv":
        import polars as pl

        try:
            frame = pl.read_csv(path, infer_schema=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DataError(f"{path}: {str(error).splitlines()[0]}") from error
        if not {"label", "name"} <= {*frame.columns}:
            raise DataError(f"{path}: a file of names has the columns label and name")
        return dict(frame.select("label", "name").drop_nulls().iter_rows())
    if path.suffix not in (".json", ".yaml", ".yml"):
        raise DataError(f"{path}: names are text, label, or a .json, .yaml or .csv file")
    if not path.is_file():
        raise DataError(f"{path}: No such file; give a file with names by label")
    document = read_yaml(path)  # JSON is YAML
    if not isinstance(document, dict):
        raise DataError(f"{path}: it has no names by label, such as {{n02084071: dog}}")
    return {str(label): str(name) for label, name in document.items()}
