"""Remove a data set from the checkout: its card, entries, tables, digests and results."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset_change import (
    DatasetChange,
    OlderVersion,
    check_no_takedown,
    exclusive,
    older_versions,
    pixel_files,
    stages_of,
    stale_checks,
)
from likewise.catalogue.dataset_entries import Renaming, entries_of, remove_entries
from likewise.catalogue.kept_records import filled_records
from likewise.catalogue.renamed_lock import NewContent, PipelineRenames
from likewise.formats.paths import StrPath
from likewise.storage import artefacts
from likewise.storage.config import VIEW_SECTIONS, read_yaml
from likewise.storage.versions import folder_md5, lock_text
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Removed:
    """The result of ``remove``.

    Attributes:
        name: the data set or view.
        entries: section of params.yaml -> its entries that were removed.
        files: files and folders that were removed, relative to the root.
        kept: what people wrote, such as corrections and the record of take-downs; it stays.
        repro: stages that ``dvc repro`` runs again, because their flags name the data set.
        older: commits that still hold it.
    """

    name: str
    entries: dict[str, list[str]]
    files: list[str]
    kept: list[str] = field(default_factory=list)
    repro: list[str] = field(default_factory=list)
    older: list[OlderVersion] = field(default_factory=list)


def remove(name: str, *, workspace: StrPath | None = None) -> Removed:
    """Remove the data set or view ``name`` from the catalogue.

    Its card, its entries in params.yaml, its views and runs, tables, digests, results, stored
    indexes and stages in dvc.lock are removed. Corrections, tags, verdicts, selections and the
    record of take-downs stay, if they hold any; ``likewise add`` of the same name uses them
    again. The source and the models stay. git is not touched, so earlier commits still hold the
    data set; DVC's cache keeps their files until ``dvc gc``.

    All files change, or none; a killed process is completed by the next command.

    Args:
        name: the data set or view.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set or view.
        DataError: a model learns from the data set, or one of its jobs is running or was
            stopped. Nothing is changed.

    Example:
        >>> removed = likewise.remove("emoji")
        >>> removed.entries["embeddings"], removed.entries["runs"]
        (['emoji-tiny'], ['emoji-tiny'])
        >>> list(likewise.open())
        []
    """
    ws = open_workspace(workspace)
    ws.check_params()
    ws.check_known(name)
    check_no_takedown(ws, name)
    entries = entries_of(ws.params, name)
    gone = {*entries["datasets"], *_views(entries)}
    with exclusive(ws, f"remove-{name}", name, stages_of(ws, gone)):
        outputs = _outputs(ws, entries)
        older = older_versions(ws, name, map(ws.relative, outputs))
        change = DatasetChange(
            ws, f"remove-{name}", partial(remove_entries, dataset=name, entries=entries)
        )
        repro = _change_lock(ws, change, name) if name in ws.params.datasets else []
        if name in ws.params.all_views:
            _drop_stages(ws, change)
        kept = filled_records(ws, name) if name in ws.params.datasets else []
        paths = list(_paths(ws, name, entries, outputs, kept))
        files = [file for path in paths if (file := change.remove(path))]
        change.commit()
    known = {section: keys for section, keys in entries.items() if keys}
    return Removed(name, known, files, [ws.relative(path) for path in kept], repro, older)


def _views(entries: dict[str, list[str]]) -> list[str]:
    """Return the views among the entries."""
    return [name for section in VIEW_SECTIONS for name in entries[section]]


def _outputs(ws: Workspace, entries: dict[str, list[str]]) -> list[Path]:
    """Return the outputs of the stages of the entries."""
    gone = {*entries["datasets"], *_views(entries), *entries["runs"], *entries["embeddings"]}
    gone |= {*entries["maps"]}
    datasets = {*entries["datasets"], *_views(entries)}
    return [
        path
        for stage, outs in artefacts.stages(ws).items()
        if stage.dataset in datasets and stage.key in gone
        for path in outs
    ]


def _paths(
    ws: Workspace,
    name: str,
    entries: dict[str, list[str]],
    outputs: list[Path],
    kept: list[Path],
) -> Iterator[Path]:
    """Yield the files and folders to remove; none of them inside another one."""
    folder = ws.tables(name)
    if name in ws.params.datasets:
        yield ws.card_file(name)
        yield from _without(folder, kept)
        yield ws.indexes / name
        yield from (ws.stamps(name), ws.listings(name))
    yield from (path for path in outputs if not path.is_relative_to(folder))
    pages = [*entries["runs"], *(() if name in ws.params.runs else (name,))]
    for page in pages:
        yield from (p for p in sorted(ws.reports.glob(f"{page}.*")) if p not in outputs)


def _without(folder: Path, kept: list[Path]) -> Iterator[Path]:
    """Yield the folder, or what is in it except the files that are kept."""
    if not any(path.is_relative_to(folder) for path in kept):
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path not in kept:
            yield from _without(path, kept)


def _change_lock(ws: Workspace, change: DatasetChange, dataset: str) -> list[str]:
    """Remove the stages of the data set; return the checks that have to run again."""
    stale = stale_checks(ws, dataset)
    files, place = pixel_files(ws), ws.pixel_digests(dataset)
    rest = {name: content for name, content in files.items() if name != place.name}
    size = sum(map(len, rest.values()))
    content = NewContent(folder_md5(files), folder_md5(rest), size)
    _drop_stages(ws, change, {ws.relative(place.parent): content}, stale)
    return stale


def _drop_stages(
    ws: Workspace,
    change: DatasetChange,
    contents: dict[str, NewContent] | None = None,
    stale: list[str] | None = None,
) -> None:
    """Write dvc.lock without the stages that params.yaml does not have any more."""
    document = read_yaml(ws.lock) if ws.lock.is_file() else None
    if not isinstance(document, dict):
        return
    left = {str(stage): stage for stage in artefacts.stages(change.after)}
    gone = {str(stage) for stage in artefacts.stages(ws)} - left.keys()
    renames = PipelineRenames(
        Renaming("", ""),
        {name: (stage, stage) for name, stage in left.items()},
        {},
        ("", ""),
        contents or {},
        stale or [],
    )
    kept = {n: stage for n, stage in (document.get("stages") or {}).items() if n not in gone}
    change.write(ws.lock, lock_text(renames.lock({**document, "stages": kept})))
