"""The files of a data set that people write: those that stages need, and all that hold rows."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from likewise.catalogue import corrections, takedowns
from likewise.formats import atomic
from likewise.formats.text_files import read_text
from likewise.storage import artefacts
from likewise.storage.config import parse_yaml
from likewise.storage.versions import lock_text
from likewise.storage.workspace import Workspace


def empty_records(ws: Workspace, dataset: str) -> dict[Path, str]:
    """Return the text of each record that holds nothing: corrections, then take-downs."""
    return {
        ws.corrections(dataset): corrections.text({}),
        ws.forgotten(dataset): takedowns.text(takedowns.Record()),
    }


def filled_records(ws: Workspace, dataset: str) -> list[Path]:
    """Return the files of a data set that hold rows which people wrote."""
    empty = empty_records(ws, dataset)
    return [path for path in ws.records(dataset) if read_text(path) != empty.get(path)]


def create_records(ws: Workspace, datasets: Iterable[str]) -> list[Path]:
    """Create the missing records of data sets; existing ones are not changed.

    Returns:
        The files that were created.
    """
    created = []
    for dataset in datasets:
        for path, text in empty_records(ws, dataset).items():
            if not path.exists():
                atomic.write_text(path, text)
                created.append(path)
    return created


def record_preparation(ws: Workspace, datasets: Iterable[str]) -> list[str]:
    """Add the stages that create records to a dvc.lock of an older release.

    A stage is added if the record is the one that ``ingest`` read, so that ``dvc repro`` has
    nothing to run.

    Returns:
        The names of the stages that were added.
    """
    document: Any = (
        parse_yaml(ws.lock.read_bytes(), ws.lock.name) if ws.lock.is_file() else None
    )
    stages = document.get("stages") if isinstance(document, dict) else None
    if not isinstance(stages, dict):
        return []
    added = {}
    for dataset in datasets:
        made = artefacts.record(ws, dataset)
        reader = str(artefacts.table(ws, dataset, "items").stage)
        entry = _dependency(stages.get(reader), ws.relative(made.path))
        if entry and str(made.stage) not in stages:
            command = f"likewise {made.stage.name} {dataset}"
            added[str(made.stage)] = {"cmd": command, "outs": [entry]}
    if added:
        text = lock_text({**document, "stages": {**stages, **added}})
        atomic.write_text(ws.lock, text)
    return list(added)


def _dependency(stage: Any, path: str) -> Mapping[str, Any] | None:
    """Return the entry of the dependency ``path`` of a stage of dvc.lock."""
    deps = stage.get("deps") if isinstance(stage, dict) else None
    entries = deps if isinstance(deps, list) else []
    return next((e for e in entries if isinstance(e, dict) and e.get("path") == path), None)
