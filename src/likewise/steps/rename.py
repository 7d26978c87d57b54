"""Rename a data set: its card, entries, tables, digests, results and recorded stages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
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
from likewise.catalogue.dataset_entries import Renaming
from likewise.catalogue.renamed_lock import NewContent, PipelineRenames
from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.formats.text_files import read_text
from likewise.retrieval.index_facts import renamed_facts
from likewise.storage import artefacts
from likewise.storage.config import check_dataset_name, read_yaml, training_data
from likewise.storage.versions import content_md5, folder_md5, lock_text
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Renamed:
    """The result of ``rename``.

    Attributes:
        old: the old name.
        new: the new name.
        entries: old name -> new name of embeddings and runs that were named after it.
        repro: stages that ``dvc repro`` runs again, because their flags name the data set.
        older: commits that still hold it under its old name.
    """

    old: str
    new: str
    entries: dict[str, str] = field(default_factory=dict)
    repro: list[str] = field(default_factory=list)
    older: list[OlderVersion] = field(default_factory=list)


def rename(old: str, new: str, *, workspace: StrPath | None = None) -> Renamed:
    """Give the data set ``old`` the name ``new``.

    The card, the entries of params.yaml, tables, digests, corrections, results, stored indexes
    and the stages in dvc.lock get the new name, and so do embeddings and runs whose names begin
    with the old one and '-'. ``dvc repro`` has nothing to run, except checks of other data sets
    with flags that name it. Pages of ``likewise report`` are moved, not written again. git is
    not touched: earlier commits and tags have the old name.

    All files change, or none; a killed process is completed by the next command.

    Args:
        old: name of the data set.
        new: its new name: lower-case letters, digits and '_'.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set.
        DataError: the new name is invalid or taken, or a job of the data set is running or was
            stopped. Nothing is changed.

    Example:
        >>> renamed = likewise.rename("emoji", "drawings")
        >>> renamed.entries
        {'emoji-tiny': 'drawings-tiny'}
        >>> len(likewise.open("drawings"))
        23
    """
    ws = open_workspace(workspace)
    ws.check_params()
    ws.dataset(old)
    _refuse(ws, old, new)
    renaming = Renaming.of(ws.params, old, new)
    learners = [
        artefacts.model(ws, name).stage
        for name, entry in ws.params.recipes().items()
        if old in training_data(entry)
    ]
    stages = [*stages_of(ws, (old, *_views(ws, old))), *learners]
    with exclusive(ws, f"rename-{old}", old, stages):
        older = older_versions(ws, old, _outputs(ws, old))
        change = DatasetChange(ws, f"rename-{old}", renaming.apply)
        repro = _change(ws, change, renaming)
        change.commit()
    entries = {
        before: after
        for section in ("embeddings", "runs")
        for before, after in renaming.keys[section].items()
    }
    return Renamed(old, new, entries, repro, older)


def _refuse(ws: Workspace, old: str, new: str) -> None:
    check_dataset_name(new)
    if new in (*ws.params.datasets, *ws.params.all_views):
        raise DataError(f"{new!r} is in the catalogue; choose another name")
    for path in (ws.card_file(new), ws.tables(new), ws.published(new)):
        if path.exists():
            raise DataError(f"{ws.relative(path)} exists; move it away, or choose another name")
    check_no_takedown(ws, old)


def _views(ws: Workspace, dataset: str) -> list[str]:
    return [name for name, view in ws.params.all_views.items() if view.of == dataset]


def _outputs(ws: Workspace, dataset: str) -> list[str]:
    """Return the outputs of the data set's own stages."""
    return [
        ws.relative(path)
        for stage, outs in artefacts.stages(ws).items()
        if stage.dataset == dataset
        for path in outs
    ]


def _change(ws: Workspace, change: DatasetChange, renaming: Renaming) -> list[str]:
    """Stage all changes; return the stages that have to run again."""
    old, new = renaming.old, renaming.new
    before, after = artefacts.stages(ws), artefacts.stages(change.after)
    pairs = list(zip(before, after, strict=True))
    paths = {
        ws.relative(source): change.after.relative(target)
        for mine, theirs in pairs
        for source, target in zip(before[mine], after[theirs], strict=True)
    }
    paths[ws.relative(ws.card_file(old))] = ws.relative(ws.card_file(new))
    contents = dict(_lineages(ws, change, renaming))
    contents |= _pixels(ws, old, new)
    stale = stale_checks(ws, old)
    renames = PipelineRenames(
        renaming,
        {str(mine): (mine, theirs) for mine, theirs in pairs},
        {source: target for source, target in paths.items() if source != target},
        (ws.relative(ws.tables(old)), ws.relative(ws.tables(new))),
        contents,
        stale,
    )
    if ws.lock.is_file():
        document = read_yaml(ws.lock)
        if isinstance(document, dict):
            change.write(ws.lock, lock_text(renames.lock(document)))
    if ws.pipeline.is_file():
        text = read_text(ws.pipeline)
        if (renamed := renames.text(text)) != text:
            change.write(ws.pipeline, renamed)
    for source, target in _moves(ws, renaming):
        change.move(source, target)
    for path, text in renamed_facts(ws, old, new):  # in a folder that was moved before
        change.write(path, text)
    return stale


def _moves(ws: Workspace, renaming: Renaming) -> Iterator[tuple[Path, Path]]:
    """Yield the files and folders of the data set, each with its new path."""
    old, new = renaming.old, renaming.new
    for place in (
        ws.card_file,
        ws.tables,
        ws.published,
        ws.published_digests,
        ws.pixel_digests,
        ws.stamps,
    ):
        yield place(old), place(new)
    yield ws.indexes / old, ws.indexes / new
    reports = dict(renaming.keys["runs"])
    if old not in ws.params.runs and new not in ws.params.runs:
        reports[old] = new  # the statistics page and its plot
    rewritten = {
        ws.lineage(run) for run, entry in ws.params.runs.items() if entry.dataset == old
    }
    for before, after in reports.items():
        for path in sorted(ws.reports.glob(f"{before}.*")):
            if path not in rewritten:
                yield path, path.with_name(after + path.name.removeprefix(before))


def _lineages(
    ws: Workspace, change: DatasetChange, renaming: Renaming
) -> Iterator[tuple[str, NewContent]]:
    """Write the provenance of each run with the new name; yield its path and content."""
    for run, entry in ws.params.runs.items():
        path = ws.lineage(run)
        if entry.dataset != renaming.old or not path.is_file():
            continue
        content = path.read_bytes()
        try:
            lineage = json.loads(content)
        except ValueError:
            lineage = None
        if isinstance(lineage, dict):
            renaming.change("runs", lineage.get("run"))
        text = json.dumps(lineage, indent=2) + "\n" if lineage else content.decode("utf-8")
        target = ws.lineage(renaming.key("runs", run))
        if target != path:
            change.remove(path)
        change.write(target, text)
        size = len(text.encode())
        yield (
            ws.relative(target),
            NewContent(content_md5(content), content_md5(text.encode()), size),
        )


def _pixels(ws: Workspace, old: str, new: str) -> dict[str, NewContent]:
    """Return the folder of the digests of measures, with the new name of one file in it."""
    files, place = pixel_files(ws), ws.pixel_digests(old)
    if place.name not in files:
        return {}
    renamed = dict(files)
    renamed[ws.pixel_digests(new).name] = renamed.pop(place.name)
    size = sum(map(len, files.values()))
    content = NewContent(folder_md5(files), folder_md5(renamed), size)
    return {ws.relative(place.parent): content}
